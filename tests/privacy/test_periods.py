"""One turn a period for each periodic task, whoever asks and however often."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from privacy import periods, sweeps
from privacy.models import Period
from tests.portraits.making import now

HOUR = 3600.0


@pytest.fixture
def name() -> Iterator[str]:
    """A task of this test's own; none of others is left to be taken for silent."""
    Period.objects.all().delete()
    yield f"t{uuid.uuid4().hex[:10]}"
    Period.objects.all().delete()


def current(seconds: float = HOUR) -> int:
    return int(time.time() // seconds)


def ran(name: str, slot: int, seconds: float = HOUR) -> bool:
    with periods.turn(name, slot, seconds) as ours:
        return ours


def test_a_slot_is_run_once(name: str) -> None:
    slot = current()
    assert [ran(name, slot) for _ in range(3)] == [True, False, False]
    assert ran(f"{name}2", slot)


def test_a_newer_slot_is_run_and_an_older_one_has_been_overtaken(name: str) -> None:
    slot = current()
    assert ran(name, slot - 5)
    assert ran(name, slot - 2)
    assert not ran(name, slot - 3)
    assert ran(name, slot)


def test_of_eight_that_ask_at_once_one_runs_it(name: str) -> None:
    gate = threading.Barrier(8)

    def ask(_: int) -> bool:
        try:
            gate.wait()
            return ran(name, current())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def test_two_runs_never_overlap(name: str) -> None:
    def ask(slot: int) -> bool:
        try:
            return ran(name, slot, seconds=0.4)
        finally:
            connection.close()

    slot = current(0.4)
    with periods.turn(name, slot, 0.4) as ours, ThreadPoolExecutor(1) as pool:
        assert ours
        assert not pool.submit(ask, slot + 1).result()
    assert ran(name, slot + 1, seconds=0.4)


def test_a_run_that_is_just_about_to_end_is_waited_for(name: str) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with periods.turn(name, current() - 1, HOUR):
                inside.set()
                leave.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert inside.wait(10)
        threading.Timer(0.3, leave.set).start()
        assert ran(name, current())
        holding.result()


def test_a_run_that_fails_has_had_its_turn_and_keeps_nobody_out(name: str) -> None:
    slot = current()
    with pytest.raises(ZeroDivisionError), periods.turn(name, slot - 1, HOUR):
        _ = 1 / 0
    assert not ran(name, slot - 1)
    assert ran(name, slot)


def test_a_run_whose_connection_dies_lets_go_of_the_lock(name: str) -> None:
    slot = current()
    with periods.turn(name, slot - 1, HOUR), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = %s",
            [periods.PERIODS],
        )
        assert cursor.fetchone() == (1,)
        assert ran(name, slot)
    assert not ran(name, slot)


def test_the_task_commits_by_itself_while_the_lock_is_held(name: str) -> None:
    def seen() -> bool:
        try:
            return Period.objects.filter(name=f"{name}x").exists()
        finally:
            connection.close()

    with periods.turn(name, current(), HOUR) as ours, ThreadPoolExecutor(1) as pool:
        assert ours
        Period.objects.create(name=f"{name}x")
        assert pool.submit(seen).result()


def test_a_beat_whose_clock_runs_ahead_takes_no_turn_of_the_future(name: str) -> None:
    assert ran(name, current(1) + 3600, seconds=1)
    assert Period.objects.get(name=name).slot <= current(1) + periods.AHEAD
    Period.objects.filter(name=name).update(slot=current(1) - 1)
    assert ran(name, current(1), seconds=1)


def test_a_clock_that_was_set_back_silences_nothing(name: str) -> None:
    Period.objects.create(name=name, slot=current() + 24)
    assert ran(name, current())
    assert not ran(name, current())


# --- Silence --------------------------------------------------------------------------------------


def ran_ago(name: str, age: timedelta) -> None:
    Period.objects.filter(name=name).update(ran_at=Now() - age)


def test_a_new_installation_is_not_silent(name: str) -> None:
    assert periods.silent_for() is None
    assert not periods.silent()


def test_it_is_silent_when_nothing_has_run_for_a_minute(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for one in (name, f"{name}2"):
        assert ran(one, current())
        ran_ago(one, periods.SILENT_AFTER + timedelta(seconds=5))
    found = periods.silent_for()
    assert found is not None
    assert timedelta(seconds=65) <= found < timedelta(seconds=95)
    with caplog.at_level(logging.INFO):
        assert sweeps.watch(now())["beat_silent"] == 1
    ran_ago(name, timedelta(seconds=5))
    assert sweeps.backlog(now())["beat_silent"] == 0


def test_what_a_task_has_counted_last_is_kept(name: str) -> None:
    assert periods.noted(name) is None
    periods.note(name, {"gone": 3}, now())
    later = now()
    periods.note(name, {"gone": 0}, later)
    assert periods.noted(name) == ({"gone": 0}, later)
