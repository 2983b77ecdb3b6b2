"""Packs: many styles and variations in one request, delivered as they are finished."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portraits import jobs, orders, painting
from portraits.errors import KeyReused, ReferencesInUse, UnknownStyle
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet
from portraits.outcomes import counts, outcome
from privacy import consent, dispatch, sweeps
from privacy.errors import ConsentMissing
from privacy.models import Blob, Lease
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    person,
    set_with_photo,
    sign,
    sizes,
    style,
)
from tests.portraits.ordering import failed, finished, order, pack, used, words_only
from workers import generate


def states(job: Job) -> list[str]:
    """Of its items, in their order."""
    return list(job.items.values_list("state", flat=True))


# --- Ordering -----------------------------------------------------------------------------------


def test_a_pack_is_every_style_so_many_times_each_with_a_seed_of_its_own() -> None:
    who, one, other = person(), words_only(), words_only()
    job = pack(who, 5, one, other)
    items = list(job.items.select_related("style"))
    assert [item.style.slug for item in items] == [one.slug, other.slug] * 5
    assert len({item.seed for item in items}) == 10
    assert {item.state for item in items} == {Item.State.QUEUED}
    leased = Lease.objects.filter(owner_id=who)
    assert {lease.work_id for lease in leased} == {item.pk for item in items}
    assert {(lease.lane, lease.queue) for lease in leased} == {
        ("pack", one.engine),
        ("pack", other.engine),
    }


@pytest.mark.parametrize(
    ("count", "lane"),
    [(1, Job.Lane.INTERACTIVE), (4, Job.Lane.INTERACTIVE), (5, Job.Lane.PACK)],
)
def test_a_few_are_waited_for_and_a_long_list_is_a_pack(count: int, lane: Job.Lane) -> None:
    who = person()
    job = order(who, words_only(), count)
    assert job.lane == lane
    assert set(Lease.objects.filter(owner_id=who).values_list("lane", flat=True)) == {lane}


def test_a_pack_of_one_is_a_pack() -> None:
    assert pack(person(), 1, words_only()).lane == Job.Lane.PACK


def test_a_hundred_portraits_take_hardly_more_statements_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nudged: list[uuid.UUID] = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work_id: nudged.append(work_id))
    styles = [words_only("the-same-engine") for _ in range(10)]
    asked = []
    for variations in (1, 10):
        who = person()
        with CaptureQueriesContext(connection) as queries:
            job = pack(who, variations, *styles[:variations])
        asked.append(len(queries))
    assert job.items.count() == 100
    assert asked[1] <= asked[0] + 2
    assert len(nudged) == 1 + orders.NUDGES


def test_one_unknown_style_starts_nothing_and_is_named() -> None:
    who, good = person(), words_only()
    with pytest.raises(UnknownStyle) as refused:
        jobs.submit(who, None, jobs.Pack((good.slug, "cubism"), 2), "k", now())
    assert refused.value.field == "pack.styles.1"
    wanted = [jobs.Order(good.slug), jobs.Order("cubism")]
    with pytest.raises(UnknownStyle) as refused:
        jobs.submit(who, None, wanted, "k", now())
    assert refused.value.field == "items.1.style"
    assert not Job.objects.filter(owner_id=who).exists()
    assert used(who) == (0, 0)


def test_a_key_covers_all_of_a_pack() -> None:
    who, one, other = person(), words_only(), words_only()
    first = jobs.Pack((one.slug, other.slug), 2)
    job, _ = jobs.submit(who, None, first, "k", now())
    assert jobs.submit(who, None, first, "k", now()) == (job, False)
    for changed in (
        jobs.Pack((one.slug, other.slug), 3),
        jobs.Pack((other.slug, one.slug), 2),
        jobs.Pack((one.slug,), 4),
        first.orders,
    ):
        with pytest.raises(KeyReused):
            jobs.submit(who, None, changed, "k", now())
    assert Job.objects.filter(owner_id=who).count() == 1
    assert used(who) == (4, 4)


# --- Delivery -----------------------------------------------------------------------------------


def test_portraits_appear_as_they_are_finished() -> None:
    who, painted = person(), words_only()
    job = pack(who, 3, painted)
    portrait = finished(who, painted)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert Portrait.objects.get(item__job=job) == portrait
    assert counts(states(job)) == dict.fromkeys(Item.State.values, 0) | {"done": 1, "queued": 2}
    assert outcome(states(job)) is None


@pytest.mark.parametrize(
    ("ends", "state", "said"),
    [
        (["done", "done"], Job.State.DONE, "complete"),
        (["done", "failed"], Job.State.DONE, "partial"),
        (["done", "blocked"], Job.State.DONE, "partial"),
        (["failed", "failed"], Job.State.FAILED, "nothing"),
        (["failed", "blocked"], Job.State.FAILED, "nothing"),
        (["blocked", "blocked"], Job.State.BLOCKED, "nothing"),
        (["done", "cancelled"], Job.State.CANCELLED, "partial"),
        (["failed", "cancelled"], Job.State.CANCELLED, "nothing"),
    ],
)
def test_a_pack_says_how_it_ended(ends: list[str], state: Job.State, said: str) -> None:
    who, painted = person(), words_only()
    job = pack(who, len(ends), painted)
    for end in ends:
        if end == "cancelled":
            jobs.cancel(who, job.pk, now())
            continue
        held = claimed(painted).held
        if end == "done":
            assert painting.finish(held, sizes(who), now())
        else:
            assert painting.fail(held, "gate", now(), state=Item.State(end))
    job.refresh_from_db()
    assert (job.state, outcome(states(job))) == (state, said)
    assert job.ended_at is not None


def test_the_photos_stay_until_the_pack_has_ended_and_no_longer() -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    reference = Photo.objects.get(set=made).reference_id
    assert reference is not None
    pack(who, 3, painted, set_id=made.pk)
    finished(who, painted)
    failed(painted)
    assert Blob.objects.get(pk=reference).state == Blob.State.STORED
    with pytest.raises(ReferencesInUse):
        pack(who, 1, painted, set_id=made.pk)
    finished(who, painted)
    assert not Blob.objects.filter(pk=reference, state=Blob.State.STORED).exists()
    assert not ReferenceSet.objects.filter(pk=made.pk).exists()


# --- What happens in the middle -----------------------------------------------------------------


def test_a_cancel_keeps_what_is_finished_and_stops_the_rest() -> None:
    who, painted = consenting(), style()
    job = pack(who, 10, painted, set_id=set_with_photo(who).pk)
    kept = finished(who, painted)
    running, late = claimed(painted), sizes(who)
    jobs.cancel(who, job.pk, now())
    assert not painting.finish(running.held, late, now())
    assert counts(states(job))["cancelled"] == 9
    assert list(Portrait.objects.filter(owner_id=who)) == [kept]
    assert not Lease.objects.filter(owner_id=who).exists()
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert used(who) == (2, 2)


@pytest.mark.parametrize("erase", [True, False])
def test_a_withdrawal_stops_the_rest_and_counts_only_what_had_begun(erase: bool) -> None:
    who, painted = consenting(), style()
    job = pack(who, 10, painted, set_id=set_with_photo(who).pk)
    finished(who, painted)
    running, late = claimed(painted), sizes(who)
    purpose = consent.Purpose.GENERATION
    consent.withdraw(who, purpose, "tests/1", now(), erase_portraits=erase)
    assert not painting.finish(running.held, late, now())
    assert Portrait.objects.filter(owner_id=who).count() == (0 if erase else 1)
    assert counts(states(job))["cancelled"] == 9
    assert not Lease.objects.filter(owner_id=who).exists()
    assert used(who) == (2, 2)
    with pytest.raises(ConsentMissing):
        pack(who, 1, painted, set_id=uuid.uuid4())
    sign(who)


def test_a_style_that_is_retired_on_the_way_is_painted_as_it_was_ordered() -> None:
    who, painted = person(), words_only()
    job = pack(who, 3, painted)
    finished(who, painted)
    recipe = painted.recipe | {"prompt": "another lighthouse"}
    painted.retired_at = now()
    painted.save()
    newer = type(painted).objects.create(
        slug=painted.slug, version=2, name="New", engine=painted.engine, recipe=recipe
    )
    assert claimed(painted).recipe.prompt == "a lighthouse"
    assert set(job.items.values_list("style_id", flat=True)) == {painted.pk}
    again = pack(who, 1, newer)
    assert set(again.items.values_list("style_id", flat=True)) == {newer.pk}


def test_photos_that_expire_on_the_way_end_what_is_left_and_count_nothing(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    job = pack(who, 3, painted, set_id=made.pk)
    finished(who, painted)
    reference = Photo.objects.get(set=made).reference_id
    assert reference is not None
    Blob.objects.filter(pk=reference).update(expires_at=now())
    born("upkeep")
    sweeps.expire(now())
    monkeypatch.setitem(generate._engines, painted.engine, object())
    born("gpu")
    generate.run()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert sorted(job.items.values_list("state", "code")) == [
        ("done", ""),
        ("failed", "references_gone"),
        ("failed", "references_gone"),
    ]
    assert not ReferenceSet.objects.filter(pk=made.pk).exists()
    assert used(who) == (1, 1)
