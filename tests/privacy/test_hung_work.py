"""Whoever holds work and does not get on loses it, however lively it renews its lease."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from portraits import painting, references
from portraits.models import Event, Item, Photo
from privacy import copies, dispatch, erasure, export, heartbeats, leases, stages, storage, sweeps
from privacy.errors import StorageDown
from privacy.models import Blob, Export, Lease
from privacy.retention import Kind
from tests.portraits.making import (
    claimed,
    consenting,
    item_of,
    lapse,
    now,
    owner,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.exporting import Sort, fetched, prepared, sitter


@pytest.fixture(autouse=True)
def web(born: Any) -> Iterator[Callable[[str], None]]:
    """Everything here begins as the web, with no work waiting."""
    Lease.objects.all().delete()
    yield born
    Lease.objects.all().delete()


def stuck_for(held: leases.Claim, age: timedelta) -> None:
    """Its holder renews, and has not got on since."""
    Lease.objects.filter(work_id=held.work_id).update(progressed_at=Now() - age)


def opened(kind: str) -> leases.Claim:
    leases.open_work(kind, uuid.uuid4(), uuid.uuid4())
    held = leases.claim(kind)
    assert held is not None
    return held


def given_up() -> list[tuple[uuid.UUID, str]]:
    """What the operator is told of: (id, kind)."""
    rows = Event.objects.filter(type=Event.Type.WORK_GIVEN_UP).order_by("created_at")
    return list(rows.values_list("object_id", "outcome"))


@pytest.fixture
def told(settings_of: Any) -> Iterator[Callable[[], list[tuple[uuid.UUID, str]]]]:
    """There is an endpoint for events."""
    Event.objects.all().delete()
    settings_of(WEBHOOK_URL="https://push.example.org/sitter")
    yield given_up
    Event.objects.all().delete()


# --- All kinds ------------------------------------------------------------------------------------


def test_a_holder_that_renews_and_does_not_get_on_loses_its_work() -> None:
    held = opened("hung")
    stuck_for(held, leases.PATIENCE + timedelta(seconds=1))
    assert leases.renew(held)
    assert leases.take_back() == [("hung", held.work_id)]
    assert not leases.renew(held)
    again = leases.claim("hung")
    assert again is not None
    assert (again.token, again.attempts) == (held.token + 2, held.attempts + 1)
    assert not leases.close(held)


def test_a_holder_that_gets_on_keeps_its_work() -> None:
    held = opened("slow")
    stuck_for(held, leases.PATIENCE + timedelta(seconds=1))
    assert leases.renew(held, progressed=True)
    assert leases.take_back() == []
    stuck_for(held, leases.PATIENCE - timedelta(seconds=5))
    assert leases.take_back() == []
    assert leases.renew(held)


def test_each_kind_is_waited_for_as_long_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(leases.patience, "long", timedelta(minutes=10))
    quick, slow = opened("quick"), opened("long")
    for held in (quick, slow):
        stuck_for(held, timedelta(minutes=5))
    assert leases.take_back() == [("quick", quick.work_id)]
    stuck_for(slow, timedelta(minutes=11))
    assert leases.take_back() == [("long", slow.work_id)]


def test_the_heartbeat_of_a_hung_holder_learns_that_it_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.1))
    held = opened("hung")
    stuck_for(held, leases.PATIENCE + timedelta(seconds=1))
    with heartbeats.during(held) as lost:
        leases.take_back()
        assert lost.wait(5)


def test_what_is_taken_back_is_nudged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, uuid.UUID]] = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work: sent.append((kind, work)))
    held = opened("item")
    stuck_for(held, timedelta(hours=1))
    assert sweeps.requeue() == 1
    assert sent == [("item", held.work_id)]
    assert sweeps.requeue() == 0


def test_two_sweeps_take_it_back_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    held = [opened("twice") for _ in range(20)]
    for one in held:
        stuck_for(one, timedelta(hours=1))

    def take(_: int) -> list[tuple[str, uuid.UUID]]:
        try:
            return leases.take_back()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [work for part in pool.map(take, range(4)) for work in part]
    assert sorted(taken) == sorted(("twice", one.work_id) for one in held)


def test_attempts_without_end_do_not_break_the_count() -> None:
    held = opened("endless")
    Lease.objects.filter(work_id=held.work_id).update(
        attempts=leases.COUNTED_UP_TO, held_until=None
    )
    assert leases.claim("endless") is not None
    assert Lease.objects.get(work_id=held.work_id).attempts == leases.COUNTED_UP_TO


def test_given_up_work_is_said_aloud_by_ids_alone(caplog: pytest.LogCaptureFixture) -> None:
    held = opened("lost")
    with caplog.at_level(logging.ERROR):
        leases.give_up(held, now())
    (record,) = [one for one in caplog.records if one.message == "work_given_up"]
    assert record.levelno == logging.ERROR
    assert getattr(record, "work_id", None) == str(held.work_id)


# --- Painting -------------------------------------------------------------------------------------


def test_a_render_that_hangs_is_painted_elsewhere_and_commits_nothing(settings_of: Any) -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    hung = claimed(painted)
    assert painting.progress(hung.held, Item.Phase.PAINTING, 5)
    drafted = sizes(who)
    stuck_for(hung.held, leases.patience["item"] + timedelta(seconds=1))
    assert leases.take_back() == [("item", hung.held.work_id)]
    other = claimed(painted)
    assert other.held.attempts == 2
    assert not painting.finish(hung.held, drafted, now())
    assert painting.finish(other.held, sizes(who), now())


def test_three_renders_that_hang_end_the_item_and_its_photos(told: Any) -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    for _ in range(leases.MAX_ATTEMPTS):
        work = claimed(painted)
        assert painting.progress(work.held, Item.Phase.PAINTING, 5)
        stuck_for(work.held, timedelta(days=1))
        leases.take_back()
    assert painting.claim((painted.engine,), now()) is None
    item = item_of(work)
    assert (item.state, item.code) == (Item.State.FAILED, "attempts_exhausted")
    job.refresh_from_db()
    assert job.references is None
    assert not Blob.objects.filter(
        owner_id=who, kind=Kind.REFERENCE, state=Blob.State.STORED
    ).exists()
    assert told() == [(item.pk, "item")]


def test_a_step_of_the_render_counts_as_getting_on() -> None:
    painted = style()
    submitted(consenting(), painted)
    work = claimed(painted)
    stuck_for(work.held, timedelta(days=1))
    assert painting.progress(work.held, Item.Phase.PAINTING, 50)
    assert leases.take_back() == []


# --- Intake ---------------------------------------------------------------------------------------


def sent() -> Photo:
    who = consenting()
    made = references.create(who, None, now())
    upload = written(Kind.UPLOAD, who, b"a photo as it was sent")
    photo = Photo.objects.create(set=made, slot="front", upload=upload, created_at=now())
    leases.open_work(references.LEASE, photo.pk, who)
    return photo


def test_an_intake_that_hangs_loses_the_photo_and_in_the_end_it_is_refused(told: Any) -> None:
    photo = sent()
    for _ in range(leases.MAX_ATTEMPTS):
        taken = references.claim(now())
        assert taken is not None
        stuck_for(taken[0], timedelta(hours=1))
        assert leases.take_back() == [(references.LEASE, photo.pk)]
        assert not references.refuse(taken[0], "too_dark")
    assert references.claim(now()) is None
    photo.refresh_from_db()
    assert (photo.state, photo.code) == (Photo.State.REFUSED, "decode_failed")
    assert photo.upload is not None
    assert photo.upload.state == Blob.State.SHREDDED
    assert told() == [(photo.pk, "reference")]
    assert not Lease.objects.filter(work_id=photo.pk).exists()


def test_a_photo_that_breaks_the_intake_does_not_keep_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from workers import intake

    first, second = sent(), sent()
    Lease.objects.filter(work_id=first.pk).update(ready_at=now() - timedelta(minutes=1))
    seen: list[uuid.UUID] = []

    def check(held: leases.Claim, photo: Photo) -> None:
        seen.append(photo.pk)
        if photo.pk == first.pk:
            raise RuntimeError
        assert references.refuse(held, "too_dark")

    monkeypatch.setattr(intake, "_check", check)
    monkeypatch.setattr(intake, "AGAIN_AFTER", timedelta(minutes=1))
    intake.run()
    assert seen == [first.pk, second.pk]
    lease = Lease.objects.get(work_id=first.pk)
    assert (lease.attempts, lease.held_until) == (1, None)
    for _ in range(leases.MAX_ATTEMPTS):
        Lease.objects.filter(work_id=first.pk).update(ready_at=now() - timedelta(minutes=1))
        intake.run()
    first.refresh_from_db()
    assert (first.state, first.code) == (Photo.State.REFUSED, "decode_failed")
    assert len(seen) == 1 + leases.MAX_ATTEMPTS


def test_a_bucket_that_is_away_costs_a_photo_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers import intake

    photo = sent()

    def check(held: leases.Claim, photo: Photo) -> None:
        raise StorageDown

    monkeypatch.setattr(intake, "_check", check)
    for _ in range(2 * leases.MAX_ATTEMPTS):
        intake.run()
        Lease.objects.filter(work_id=photo.pk).update(ready_at=now() - timedelta(minutes=1))
    photo.refresh_from_db()
    assert photo.state == Photo.State.CHECKING
    assert Lease.objects.get(work_id=photo.pk).attempts == 0


# --- Export ---------------------------------------------------------------------------------------


def broken(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def opener(*_: Any) -> Any:
        raise error

    monkeypatch.setitem(copies.OPENERS, Sort.PHOTO, opener)


def soon(asked: Export) -> None:
    Lease.objects.filter(work_id=asked.pk).update(ready_at=now() - timedelta(minutes=1))


def test_a_part_that_cannot_be_made_is_tried_three_times_and_then_left_out(
    web: Any, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = export.request(sitter(), now())
    other = export.request(sitter(), now())
    broken(monkeypatch, RuntimeError)
    web("intake")
    for attempt in range(1, leases.MAX_ATTEMPTS + 1):
        assert copies.prepare(Sort.PHOTO, now) == 2  # one does not keep the other waiting
        assert Lease.objects.get(work_id=asked.pk, kind="export").attempts == attempt
        soon(asked)
        soon(other)
    done = prepared(asked, web)
    assert done.state == Export.State.READY
    assert (asked.pk, "export") in told()
    assert not Lease.objects.filter(work_id=asked.pk).exists()
    assert fetched(done).namelist()


def test_an_export_that_kills_its_worker_is_given_up(web: Any, told: Any) -> None:
    asked = export.request(sitter(), now())
    for _ in range(leases.MAX_ATTEMPTS):
        held = leases.claim("export")
        assert held is not None
        lapse(held)
    assert prepared(asked, web).state == Export.State.READY
    assert told() == [(asked.pk, "export")]


def test_a_bucket_that_is_away_costs_an_export_no_attempt(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = export.request(sitter(), now())
    broken(monkeypatch, StorageDown)
    web("intake")
    for _ in range(2 * leases.MAX_ATTEMPTS):
        copies.prepare(Sort.PHOTO, now)
        soon(asked)
    assert Lease.objects.get(work_id=asked.pk, kind="export").attempts == 0


def test_each_part_of_an_export_counts_as_getting_on_and_who_lost_it_stops(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = sitter()
    written(Kind.REFERENCE, who, b"another photo")
    asked = export.request(who, now())
    made: list[uuid.UUID] = []
    real = copies._put

    def put(held: leases.Claim, *rest: Any) -> None:
        real(held, *rest)
        made.append(held.work_id)
        stuck_for(held, timedelta(hours=1))
        leases.take_back()

    monkeypatch.setattr(copies, "_put", put)
    web("intake")
    held = leases.claim("export")
    assert held is not None
    copies._fill(held, Sort.PHOTO, now, threading.Event())
    assert made == [asked.pk]
    monkeypatch.undo()
    assert prepared(asked, web).state == Export.State.READY
    assert asked.parts.filter(sort=Sort.PHOTO).exclude(blob=None).count() == 2


# --- Erasure --------------------------------------------------------------------------------------


def test_an_erasure_that_hangs_is_taken_back_and_never_given_up(web: Any, told: Any) -> None:
    begun = erasure.request(owner(), now())
    for _ in range(3 * leases.MAX_ATTEMPTS):
        held = leases.claim(erasure.LEASE)
        assert held is not None
        stuck_for(held, erasure.STEP_LIMIT - timedelta(minutes=1))
        assert leases.take_back() == []
        stuck_for(held, erasure.STEP_LIMIT + timedelta(seconds=1))
        assert leases.take_back() == [(erasure.LEASE, begun.pk)]
    web("upkeep")
    stages.work(now)
    begun.refresh_from_db()
    assert begun.stage == "proved"
    assert told() == []


def test_each_stage_counts_as_getting_on_and_who_lost_it_stops(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = erasure.request(owner(), now())
    web("upkeep")
    real = storage.purge_names
    held = leases.claim(erasure.LEASE)
    assert held is not None

    def purge(names: Any) -> storage.Traces:
        stuck_for(held, timedelta(hours=1))
        return real(names)

    monkeypatch.setattr(storage, "purge_names", purge)
    assert stages.advance(held, now)
    begun.refresh_from_db()
    assert begun.stage == "proved"

    web("web")
    other = erasure.request(owner(), now())
    web("upkeep")
    lost = leases.claim(erasure.LEASE)
    assert lost is not None

    def take_away(names: Any) -> storage.Traces:
        stuck_for(lost, timedelta(hours=1))
        leases.take_back()
        return real(names)

    monkeypatch.setattr(storage, "purge_names", take_away)
    assert not stages.advance(lost, now)
    other.refresh_from_db()
    assert other.stage == "objects"
    monkeypatch.undo()
    stages.work(now)
    other.refresh_from_db()
    assert other.stage == "proved"


# --- A database that is away ----------------------------------------------------------------------


class Cut:
    """The database's answers: away for the first so many times that a lease is given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.left, self._real = times, leases.give_back
        monkeypatch.setattr(leases, "give_back", self)
        monkeypatch.setattr(leases, "ASK_AGAIN_AFTER", 0.02)

    def __call__(self, held: leases.Claim, **options: Any) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OperationalError
        self._real(held, **options)


def test_a_database_that_comes_back_in_time_costs_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = opened("cut")
    Cut(monkeypatch, 3)
    assert leases.forgive(held)
    lease = Lease.objects.get(work_id=held.work_id)
    assert (lease.attempts, lease.held_until) == (0, None)


def test_a_database_that_stays_away_costs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    held = opened("cut")
    monkeypatch.setattr(leases, "HELD_FOR", timedelta(seconds=0.2))
    Cut(monkeypatch, 10**6)
    assert not leases.forgive(held)
    assert Lease.objects.get(work_id=held.work_id).attempts == 1


@pytest.mark.parametrize("kind", ["reference", "export"])
def test_a_worker_that_loses_the_database_gives_its_work_back(
    kind: str, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers import intake

    def away(*_: Any) -> Any:
        raise OperationalError

    work = sent().pk if kind == "reference" else export.request(sitter(), now()).pk
    monkeypatch.setattr(intake, "_check", away)
    monkeypatch.setitem(copies.OPENERS, Sort.PHOTO, away)
    Cut(monkeypatch, 2)
    web("intake")
    run = intake.run if kind == "reference" else partial(copies.prepare, Sort.PHOTO, now)
    with pytest.raises(OperationalError):
        run()
    lease = Lease.objects.get(work_id=work, kind=kind)
    assert (lease.attempts, lease.held_until) == (0, None)
