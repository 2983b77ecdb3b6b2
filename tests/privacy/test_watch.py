"""In every worker somebody watches that work goes on, by the ledger and not by a ping."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client
from structlog.testing import capture_logs

from privacy import dispatch, heartbeats, leases, periods, storage, valkey
from privacy.circuit import PATIENCE as FAILURES
from privacy.circuit import Circuit
from privacy.models import Lease, Period
from workers import generate, hands, watch
from workers import tasks as tasks  # so that the app knows them, whatever ran before
from workers.app import app

KIND = "watched"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for table in (Lease, Period):
        table.objects.all().delete()
    Period.objects.create(name="requeue", ran_at=Now())
    leases._claimed_at.pop(KIND, None)
    monkeypatch.setattr(leases, "_BORN", leases._BORN - 60)
    yield
    for table in (Lease, Period):
        table.objects.all().delete()


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """What was sent; the broker takes everything."""
    sent: list[uuid.UUID] = []

    def nudge(kind: str, work_id: uuid.UUID) -> bool:
        sent.append(work_id)
        return True

    monkeypatch.setattr(dispatch, "nudge", nudge)
    return sent


class Watched(watch.Watch):
    """A watch whose end is noted, and whose drains are waited for."""

    def __init__(self, drain: Callable[[str], object], **options: Any) -> None:
        self.ends = 0
        super().__init__([KIND], drain, room=2, **options, end=self._note)

    def _note(self) -> None:
        self.ends += 1

    def looked(self) -> list[str]:
        """What one look says."""
        with capture_logs() as said:
            self.look()
            if self._draining:
                self._draining.join(10)
        return [line.get("code", line["event"]) for line in said]


def take(kind: str) -> None:
    while held := leases.claim(kind):
        assert leases.close(held)
    # As if it had been long ago.
    leases._claimed_at.clear()


def leave(kind: str) -> None:
    """It does not help."""


def waiting(age: float = 11, **place: Any) -> uuid.UUID:
    work = uuid.uuid4()
    leases.open_work(KIND, work, uuid.uuid4(), **place)
    Lease.objects.filter(work_id=work).update(ready_at=Now() - timedelta(seconds=age))
    return work


# --- The ledger -----------------------------------------------------------------------------------


def test_work_that_waits_beside_an_idle_thread_is_taken_unasked(nudged: list[uuid.UUID]) -> None:
    work = waiting()
    idle = Watched(take)
    assert idle.looked() == ["work_not_heard_of"]
    assert not Lease.objects.filter(work_id=work).exists()
    assert nudged == [work]
    assert idle.looked() == []
    assert idle.ends == 0


def test_work_that_has_just_come_is_left_to_its_message(nudged: list[uuid.UUID]) -> None:
    waiting(age=2)
    held = waiting()
    assert leases.claim(KIND) is not None
    assert Lease.objects.get(work_id=held).held_until
    assert Watched(take).looked() == []


def test_a_worker_that_has_just_taken_something_is_not_idle(nudged: list[uuid.UUID]) -> None:
    """Under load something always waits, and between two tasks there is always room."""
    loaded = Watched(leave)
    for _ in range(2 * watch.PATIENCE):
        waiting()
        assert leases.claim(KIND) is not None
        waiting()
        assert loaded.looked() == []
    leases._claimed_at[KIND] -= 11
    assert loaded.looked() == ["work_not_heard_of"]


def test_what_is_worked_on_may_be_more_than_what_celery_runs(nudged: list[uuid.UUID]) -> None:
    waiting()
    painting = [1, 2]
    pool = Watched(take, busy=lambda: len(painting))
    assert pool.looked() == []
    painting.pop()
    assert pool.looked() == ["work_not_heard_of"]


def test_a_worker_whose_threads_are_all_busy_has_heard_enough(nudged: list[uuid.UUID]) -> None:
    waiting()
    busy = Watched(take)
    for _ in range(2):
        busy.traffic.began()
    assert busy.looked() == []
    busy.traffic.ended()
    assert busy.looked() == ["work_not_heard_of"]


def test_work_for_engines_that_are_not_served_here_is_not_ours(nudged: list[uuid.UUID]) -> None:
    waiting(queue="another")
    ours = Watched(take, queues=lambda: ("mine",))
    assert ours.looked() == []
    waiting(queue="mine")
    assert ours.looked() == ["work_not_heard_of"]


def test_a_worker_that_cannot_take_what_waits_ends(nudged: list[uuid.UUID]) -> None:
    waiting()
    broken = Watched(leave)
    for _ in range(watch.PATIENCE):
        assert broken.looked() == ["work_not_heard_of"]
    assert broken.looked() == ["work_not_taken"]
    assert broken.ends == 1


def test_a_drain_that_fails_is_a_drain_in_vain(nudged: list[uuid.UUID]) -> None:
    def fail(kind: str) -> None:
        raise RuntimeError

    waiting()
    broken = Watched(fail)
    assert broken.looked() == ["work_not_heard_of", "drain_failed"]
    for _ in range(watch.PATIENCE):
        broken.looked()
    assert broken.ends == 1


def test_a_worker_that_hears_nothing_from_a_living_broker_ends(nudged: list[uuid.UUID]) -> None:
    deaf = Watched(take)
    for _ in range(watch.PATIENCE):
        waiting()
        assert deaf.looked() == ["work_not_heard_of"]
    waiting()
    assert deaf.looked() == ["broker_not_heard"]
    assert deaf.ends == 1


def test_a_worker_that_hears_now_and_then_goes_on(nudged: list[uuid.UUID]) -> None:
    hears = Watched(take)
    for _ in range(3 * watch.PATIENCE):
        waiting()
        hears.traffic.began()
        hears.traffic.ended()
        assert hears.looked() == ["work_not_heard_of"]
    assert hears.ends == 0


def test_without_a_broker_work_goes_on_and_nobody_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "nudge", lambda *_: False)
    cut = Watched(take)
    for _ in range(3 * watch.PATIENCE):
        work = waiting()
        cut.looked()
        assert not Lease.objects.filter(work_id=work).exists()
    assert cut.ends == 0


def test_nobody_ends_for_a_bucket_that_is_away(
    nudged: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "circuit", Circuit())
    for _ in range(FAILURES):
        storage.circuit.failed()
    waiting()
    assert Watched(leave).looked() == []


def test_a_drain_that_goes_on_is_left_alone(nudged: list[uuid.UUID]) -> None:
    go_on = threading.Event()
    first = waiting()
    slow = Watched(lambda kind: go_on.wait(20))
    slow.look()
    for _ in range(2 * watch.PATIENCE):
        slow.look()
    assert nudged == [first]
    assert slow.ends == 0
    go_on.set()


# --- Who hangs ------------------------------------------------------------------------------------


def test_a_process_in_which_somebody_goes_on_with_what_was_taken_from_them_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.05))
    monkeypatch.setattr(watch, "HUNG_AFTER", 0.3)
    watched = Watched(take)
    leases.open_work("hung", uuid.uuid4(), uuid.uuid4())
    held = leases.claim("hung")
    assert held is not None
    with heartbeats.during(held) as lost:
        assert watched.looked() == []
        leases.revoke("hung", [held.work_id])
        assert lost.wait(5)
        time.sleep(0.4)
        assert watched.looked() == ["holder_hangs"]
    assert heartbeats.overstayed() == 0
    assert watched.looked() == []
    assert watched.ends == 1


# --- Beat -----------------------------------------------------------------------------------------


def test_a_silent_beat_is_said_aloud_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(take)
    assert watched.looked() == []
    Period.objects.update(ran_at=Now() - periods.SILENT_AFTER - timedelta(seconds=1))
    assert watched.looked() == ["beat_silent"]
    assert watched.looked() == []
    watched._said -= watch.SAY_AGAIN_AFTER
    assert watched.looked() == ["beat_silent"]
    Period.objects.update(ran_at=Now())
    watched._said = float("-inf")
    assert watched.looked() == []


def test_a_beat_that_never_began_is_silent_too() -> None:
    Period.objects.all().delete()
    watched = Watched(take)
    assert watched.looked() == []
    watched._born -= 61
    assert watched.looked() == ["beat_silent"]


def test_readiness_and_the_command_say_so_and_the_web_still_serves(born: Any) -> None:
    from io import StringIO

    from django.core.management import call_command

    born("web")
    said = Client(HTTP_HOST="localhost").get("/readyz").json()
    assert said["warnings"] == []
    Period.objects.update(ran_at=Now() - timedelta(minutes=5))
    answer = Client(HTTP_HOST="localhost").get("/readyz")
    assert len(answer.json()["warnings"]) == 1
    assert answer.json()["ready"] == said["ready"]
    printed = StringIO()
    with pytest.raises(SystemExit):
        call_command("backlog", "--json", stdout=printed)
    assert '"beat_silent": 1' in printed.getvalue()


def test_readiness_names_the_broker_where_that_is_why_nothing_runs(
    born: Any, settings_of: Any
) -> None:
    born("web")
    settings_of(BROKER_URL="redis://127.0.0.1:1/0")
    valkey.client.cache_clear()
    try:
        Period.objects.update(ran_at=Now())
        client = Client(HTTP_HOST="localhost")
        assert client.get("/readyz").json()["warnings"] == [], "a probe waits for no broker"
        Period.objects.update(ran_at=Now() - timedelta(minutes=5))
        said = client.get("/readyz").json()["warnings"]
    finally:
        valkey.client.cache_clear()
    assert len(said) == 2
    assert "SITTER_BROKER_URL" in said[1]


# --- The thread -----------------------------------------------------------------------------------


def test_it_outlives_a_database_that_is_away_and_leaves_with_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        raise OperationalError

    monkeypatch.setattr(watch, "LOOK_EVERY", 0.01)
    watched = Watched(take)
    monkeypatch.setattr(watched, "look", look)
    thread = threading.Thread(target=watched.run)
    thread.start()
    while len(looks) < 3:
        time.sleep(0.01)
    watched.leave()
    thread.join(5)
    assert not thread.is_alive()


def test_each_role_watches_the_work_that_its_queue_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch.Watch, "run", lambda self: None)
    monkeypatch.setattr(type(generate.atelier.studio), "served", ("one", "two"))
    gpu = watch.start("gpu", 1, app.tasks)
    assert gpu is not None
    assert gpu.queues is not None
    assert gpu.busy is not None
    assert ("item" in gpu.kinds, gpu.queues(), gpu.room) == (True, ["one", "two"], hands.COUNT)
    assert gpu.busy() == 0
    intake = watch.start("intake", 2, app.tasks)
    assert intake is not None
    assert {"reference", "export"} <= set(intake.kinds)
    assert intake.queues is None
    assert watch.start("courier", 4, app.tasks) is None
    ran: list[str] = []
    monkeypatch.setattr(app.tasks["intake.export"], "run", ran.append)
    intake.drain("export")
    assert ran == [""]
