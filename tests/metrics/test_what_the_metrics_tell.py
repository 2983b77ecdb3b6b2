"""Each number is what the database says at that moment."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy import health
from deploy.metrics import ended, machinery
from portraits import demand, painters
from portraits.models import Painter, Photo, ReferenceSet
from privacy.models import Blob, Lease
from privacy.retention import Kind
from tests.metrics import scrape
from tests.metrics.rows import done, paints
from tests.portraits import making
from tests.portraits.making import now
from workers import outlet


def waiting(engine: str, *, lane: str = "interactive", cost: float = 1, **more: object) -> Lease:
    """An open portrait that somebody could take."""
    row = {"kind": "item", "work_id": uuid.uuid4(), "owner_id": uuid.uuid4(), **more}
    return Lease.objects.create(queue=engine, lane=lane, cost=cost, **row)


@pytest.fixture
def engine() -> Iterator[str]:
    """One of this test alone; its work goes with it."""
    name = making.style().engine
    yield name
    Lease.objects.filter(queue=name).delete()


def test_open_portraits_are_counted_by_engine_lane_and_state(engine: str) -> None:
    waiting(engine)
    waiting(engine, lane="pack")
    waiting(engine, lane="pack", held_until=now() + timedelta(minutes=1))
    waiting(engine, held_until=now() - timedelta(minutes=1))
    waiting(engine, ready_at=now() + timedelta(minutes=1))
    told = scrape.here()

    def count(lane: str, state: str) -> float | None:
        return told.value("items_open", engine=engine, lane=lane, state=state)

    assert [count("interactive", state) for state in ("waiting", "held", "expired", "resting")] == [
        *(1, 0, 1, 1)
    ]
    assert [count("pack", state) for state in ("waiting", "held")] == [1, 1]


def test_an_engine_without_work_or_worker_is_told_as_zero(engine: str) -> None:
    told = scrape.here()
    assert told.value("gpu_seconds_waiting", engine=engine) == 0
    assert told.value("painters", engine=engine, state="ready") == 0


def test_gpu_seconds_are_costs_by_the_rate_that_the_workers_measured(engine: str) -> None:
    waiting(engine, cost=30)
    waiting(engine, cost=12)
    waiting(engine, cost=10, held_until=now() + timedelta(minutes=1))
    paints(engine, rate=6)
    told = scrape.here()
    assert told.value("gpu_seconds_waiting", engine=engine) == pytest.approx(7)
    assert told.value("gpu_seconds_painting", engine=engine) == pytest.approx(5 / 6)
    assert told.value("painters", engine=engine, state="ready") == 1


def test_work_for_an_engine_that_nobody_has_measured_calls_for_a_worker(engine: str) -> None:
    waiting(engine, cost=2 * demand.ASSUMED_RATE)
    assert scrape.here().value("gpu_seconds_waiting", engine=engine) == pytest.approx(2)


def test_a_worker_that_has_not_spoken_for_long_is_not_counted(engine: str) -> None:
    paints(engine, rate=1)
    Painter.objects.filter(engine=engine).update(seen_at=now() - 2 * painters.ALIVE_FOR)
    assert scrape.here().value("painters", engine=engine, state="ready") == 0


def test_the_oldest_is_the_one_that_could_have_been_taken_longest(engine: str) -> None:
    waiting(engine, lane="pack", ready_at=now() - timedelta(days=400))
    oldest = scrape.here().value("item_oldest_waiting_seconds", lane="pack")
    assert oldest is not None
    assert 400 * 86400 <= oldest < 400 * 86400 + 60


def test_work_that_has_failed_once_is_told_apart(engine: str) -> None:
    before = scrape.here().value("leases_tried_before", kind="item")
    assert before is not None
    waiting(engine, attempts=1)
    waiting(engine, attempts=1, held_until=now() + timedelta(minutes=1))
    waiting(engine, attempts=2, held_until=now() + timedelta(minutes=1))
    assert scrape.here().value("leases_tried_before", kind="item") == before + 2


def test_the_portraits_of_the_last_minutes_are_told_with_their_waits(engine: str) -> None:
    done(engine)
    done(engine, state="failed", code="engine_failed")
    told = scrape.here()
    assert told.value("items_ended_lately", engine=engine, outcome="done") == 1
    assert told.value("items_ended_lately", engine=engine, outcome="failed") == 1
    for name, seconds in (("item_wait_seconds_lately", 10), ("item_paint_seconds_lately", 2)):
        assert told.value(name, engine=engine, quantile="0.95") == pytest.approx(seconds, abs=0.01)


def test_what_a_gate_held_back_is_told_by_its_reason(engine: str) -> None:
    codes = (outlet.UNSAFE, outlet.NO_FACE, outlet.INPUT)
    before = scrape.here()
    for code in (*codes, "a_code_of_tomorrow"):
        done(engine, state="blocked", code=code)
    told = scrape.here()
    for code in (*codes, "other"):
        was = before.value("items_blocked_lately", code=code)
        assert was is not None
        assert told.value("items_blocked_lately", code=code) == was + 1


def test_refused_photos_are_told_by_reason_and_only_recent_ones() -> None:
    kept = making.owner()
    found = scrape.here().value("photos_refused_lately", code="too_dark")
    assert found is not None
    set_id = ReferenceSet.objects.create(
        owner_id=kept, keep=False, created_at=now(), expires_at=now() + timedelta(hours=1)
    ).pk
    old = ended.first_id(now() - timedelta(hours=2))
    for pk, slot in ((None, "front"), (old, "half_body")):
        more = {"pk": pk} if pk else {}
        Photo.objects.create(
            set_id=set_id, slot=slot, state="refused", code="too_dark", created_at=now(), **more
        )
    told = scrape.here()
    assert told.value("photos_refused_lately", code="too_dark") == found + 1


def test_what_outlives_its_deadline_shows_although_upkeep_is_dead() -> None:
    before = scrape.here().value("blobs_past_deadline")
    assert before is not None
    blob = making.written(Kind.REFERENCE, making.owner(), b"x")
    Blob.objects.filter(pk=blob.pk).update(
        created_at=now() - timedelta(days=2), expires_at=now() - timedelta(minutes=3)
    )
    assert scrape.here().value("blobs_past_deadline") == before + 1
    Blob.objects.filter(pk=blob.pk).delete()


@pytest.mark.usefixtures("something_of_everything")
def test_promises_are_told() -> None:
    told = scrape.here()
    assert told.value("backlog", sort="sessions_past_term") == 3
    assert told.value("face_claims_open") == 1
    assert told.value("face_claim_oldest_seconds") == pytest.approx(5 * 3600, abs=60)
    assert (told.value("requests_open", kind="access") or 0) >= 1
    assert (told.value("request_unanswered_seconds", kind="access") or 0) >= 7 * 3600
    assert told.value("request_due_seconds") is not None
    assert (told.value("erasures_open", stage="shredded") or 0) >= 1
    assert (told.value("erasure_oldest_seconds") or 0) >= 119
    assert told.value("proof_check_holds", check="facts") == 0
    assert told.value("proof_checks_failing") == 1


def test_keys_are_told() -> None:
    told = scrape.here()
    assert told.value("fleet_key_days_ahead") == 2
    assert (told.value("evidence_key_days_left") or 0) >= 0
    assert told.value("root_keys_late") == 0
    assert (told.value("root_key_age_seconds") or -1) >= 0


@pytest.mark.parametrize("hangs", ["bucket", "database"])
def test_what_hangs_does_not_hang_the_scrape(hangs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(machinery, "ANSWERS_IN", 0.1)
    monkeypatch.setattr(health, "met", lambda need: need.name != hangs or stuck.wait())
    began = time.monotonic()
    first, second = scrape.here(), scrape.here()
    assert time.monotonic() - began < 2
    stuck.set()
    for told in (first, second):
        assert told.value("need_met", need=hangs) == 0
        assert told.value("ready") == 0
    other = {"bucket": "database", "database": "bucket"}[hangs]
    assert first.value("need_met", need=other) == 1
