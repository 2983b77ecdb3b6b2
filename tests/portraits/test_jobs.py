"""Jobs: what starts one, what ends it, and what becomes of its photos."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings

from portraits import endings, jobs, painting, references
from portraits.errors import (
    AlreadyEnded,
    NoPhotos,
    PhotosChecking,
    ReferencesInUse,
    UnknownReferences,
    UnknownStyle,
)
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet, Rendition
from privacy import leases, vault
from privacy.audit import Reason
from privacy.errors import BlobGone
from privacy.models import Blob, Lease
from privacy.plain import Plain
from tests.portraits.making import (
    claimed,
    consenting,
    item_of,
    lapse,
    now,
    ready,
    set_with_photo,
    sizes,
    style,
    submitted,
)


def refused(who: uuid.UUID, set_id: uuid.UUID, slug: str, error: type[Exception]) -> None:
    """It says no, and nothing has changed."""
    before = Job.objects.count(), Lease.objects.count()
    with pytest.raises(error):
        jobs.submit(who, set_id, [jobs.Order(slug)], uuid.uuid4().hex, now())
    assert before == (Job.objects.count(), Lease.objects.count())


# --- Submitting ---------------------------------------------------------------------------------


def test_a_set_without_photos_starts_nothing() -> None:
    who = consenting()
    refused(who, references.create(who, None, now()).pk, style().slug, NoPhotos)


def test_a_set_with_only_refused_photos_starts_nothing() -> None:
    who = consenting()
    made = references.create(who, None, now())
    Photo.objects.create(set=made, slot="front", state=Photo.State.REFUSED, created_at=now())
    refused(who, made.pk, style().slug, NoPhotos)


def test_a_photo_that_is_being_checked_holds_the_job_back() -> None:
    who = consenting()
    made = set_with_photo(who)
    references.add(who, made.pk, "half_body", Plain(b"x"), now())
    refused(who, made.pk, style().slug, PhotosChecking)


def test_somebody_elses_set_does_not_exist() -> None:
    refused(consenting(), set_with_photo(consenting()).pk, style().slug, UnknownReferences)


def test_a_set_past_its_time_does_not_exist() -> None:
    who = consenting()
    made = set_with_photo(who)
    ReferenceSet.objects.filter(pk=made.pk).update(expires_at=now())
    refused(who, made.pk, style().slug, UnknownReferences)


def test_an_unknown_style_starts_nothing_and_leaves_the_set_open() -> None:
    who = consenting()
    made = set_with_photo(who)
    refused(who, made.pk, "nothing-like-it", UnknownStyle)
    made.refresh_from_db()
    assert made.state == ReferenceSet.State.OPEN


def test_a_retired_style_starts_nothing() -> None:
    painted, who = style(), consenting()
    painted.retired_at = now()
    painted.save()
    refused(who, set_with_photo(who).pk, painted.slug, UnknownStyle)


def test_photos_of_an_open_job_cannot_be_changed() -> None:
    who = consenting()
    made = submitted(who, style()).references
    assert made is not None
    refused(who, made.pk, style().slug, ReferencesInUse)
    for act in (
        lambda: references.add(who, made.pk, "front", Plain(b"x"), now()),
        lambda: references.remove(who, made.pk, "front", now()),
        lambda: references.discard(who, made.pk, now()),
    ):
        with pytest.raises(ReferencesInUse):
            act()


def test_a_seed_is_drawn_or_kept_as_asked() -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    orders = [jobs.Order(painted.slug, 7), jobs.Order(painted.slug), jobs.Order(painted.slug)]
    job, _ = jobs.submit(who, made.pk, orders, "k", now())
    first, second, third = job.items.all()
    assert first.seed == 7
    assert second.seed != third.seed


# --- Painting -----------------------------------------------------------------------------------


def test_a_worker_gets_items_of_its_engines_only() -> None:
    painted = style()
    submitted(consenting(), painted)
    assert painting.claim((style().engine,), now()) is None
    work = claimed(painted)
    assert work.recipe.style == painted.slug
    assert [photo.slot for photo in work.photos] == ["front"]


def test_a_finished_item_has_its_portrait_in_every_size() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    job.refresh_from_db()
    assert (job.state, item_of(work).state, item_of(work).percent) == ("done", "done", 100)
    portrait = Portrait.objects.get(item=work.held.work_id)
    names = Rendition.objects.filter(portrait=portrait).values_list("name", flat=True)
    assert sorted(names) == ["full", "thumb"]
    assert vault.read(portrait.blob_id, now(), why=Reason.OWNER).reveal()
    assert not Lease.objects.filter(work_id=work.held.work_id).exists()


def test_the_photos_go_with_the_last_item_and_not_before() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, count=2)
    reference = Photo.objects.get(set=job.references_id).reference_id
    assert reference is not None
    assert painting.finish(claimed(painted).held, sizes(who), now())
    assert Blob.objects.get(pk=reference).state == Blob.State.STORED
    assert painting.fail(claimed(painted).held, "engine_refused", now())
    assert not Blob.objects.filter(pk=reference, state=Blob.State.STORED).exists()
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_progress_is_told_and_keeps_the_lease() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    work = claimed(painted)
    assert painting.progress(work.held, Item.Phase.PAINTING, 40)
    assert (item_of(work).phase, item_of(work).percent) == ("painting", 40)


def test_finishing_twice_makes_one_portrait() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    assert not painting.finish(work.held, sizes(who), now())
    assert Portrait.objects.filter(owner_id=who).count() == 1


def test_who_was_taken_for_dead_commits_nothing() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    stale = claimed(painted)
    late = sizes(who)
    lapse(stale.held)
    fresh = claimed(painted)
    assert not painting.finish(stale.held, late, now())
    assert not painting.progress(stale.held, Item.Phase.STORING, 99)
    assert not painting.fail(stale.held, "engine_refused", now())
    assert not painting.again(stale.held, "engine_failed", now())
    assert painting.finish(fresh.held, sizes(who), now())
    assert Portrait.objects.filter(owner_id=who).count() == 1


def test_a_size_that_was_destroyed_meanwhile_spoils_the_whole_commit() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    work, made = claimed(painted), sizes(who)
    vault.destroy(Blob.objects.filter(pk=made[1].draft.blob_id))
    assert not painting.finish(work.held, made, now())
    assert item_of(work).state == Item.State.RUNNING
    assert not Portrait.objects.filter(owner_id=who).exists()
    with pytest.raises(BlobGone):
        vault.read(made[0].draft.blob_id, now(), why=Reason.OWNER)
    assert painting.finish(work.held, sizes(who), now())


# --- Failing ------------------------------------------------------------------------------------


def test_a_fault_is_tried_three_times() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    for attempt in (1, 2, 3):
        work = claimed(painted)
        assert work.held.attempts == attempt
        assert painting.again(work.held, "engine_failed", now())
        assert painting.claim((painted.engine,), now()) is None
        ready(work)
    job.refresh_from_db()
    item = job.items.get()
    assert (job.state, item.state, item.code) == ("failed", "failed", "engine_failed")


def test_a_fault_outside_the_work_is_not_counted() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    for _ in range(5):
        work = claimed(painted)
        assert work.held.attempts == 1
        assert painting.again(work.held, "storage_unavailable", now(), outside=True)
        ready(work)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def test_a_worker_that_dies_three_times_over_an_item_ends_it() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    for _ in range(leases.MAX_ATTEMPTS):
        held = claimed(painted).held
        assert painting.progress(held, Item.Phase.PAINTING, 5)
        lapse(held)
    assert painting.claim((painted.engine,), now()) is None
    job.refresh_from_db()
    item = job.items.get()
    assert (job.state, item.state, item.code) == ("failed", "failed", "attempts_exhausted")
    assert not Lease.objects.filter(work_id=item.pk).exists()


def test_who_only_waited_in_a_worker_that_died_loses_no_attempt_until_it_is_suspected() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    counted = []
    while (work := painting.claim((painted.engine,), now())) is not None:
        counted.append(work.held.attempts)
        lapse(work.held)
    assert counted == [*[1] * leases.MAX_SPARED, *range(1, leases.MAX_ATTEMPTS + 1)]
    job.refresh_from_db()
    assert (job.state, job.items.get().code) == ("failed", "attempts_exhausted")


def test_an_item_given_back_waits_again() -> None:
    painted = style()
    submitted(consenting(), painted)
    work = claimed(painted)
    painting.progress(work.held, Item.Phase.PAINTING, 60)
    assert painting.again(work.held, "engine_failed", now())
    item = item_of(work)
    assert (item.state, item.phase, item.percent) == ("queued", "waiting", 0)


# --- Cancelling ---------------------------------------------------------------------------------


def test_cancelling_while_it_runs_wins() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    work, late = claimed(painted), sizes(who)
    assert jobs.cancel(who, job.pk, now()).state == Job.State.CANCELLED
    assert not painting.progress(work.held, Item.Phase.PAINTING, 50)
    assert not painting.finish(work.held, late, now())
    assert item_of(work).state == Item.State.CANCELLED
    assert not Portrait.objects.filter(owner_id=who).exists()
    assert not ReferenceSet.objects.filter(owner_id=who).exists()


def test_what_was_finished_before_a_cancel_stays() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, count=2)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    jobs.cancel(who, job.pk, now())
    assert Portrait.objects.filter(owner_id=who).count() == 1
    assert [item.state for item in job.items.all()] == ["done", "cancelled"]


def test_what_has_ended_cannot_be_cancelled() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    jobs.cancel(who, job.pk, now())
    with pytest.raises(AlreadyEnded):
        jobs.cancel(who, job.pk, now())


def test_nobody_cancels_somebody_elses_job() -> None:
    job = submitted(consenting(), style())
    with pytest.raises(Job.DoesNotExist):
        jobs.cancel(consenting(), job.pk, now())


# --- Expiring -----------------------------------------------------------------------------------


def test_a_job_that_nobody_starts_ends_with_its_photos() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, at=at)
    end = at + settings.JOB_START_LIMIT
    endings.expire(end - timedelta(seconds=1))
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    endings.expire(end)
    job.refresh_from_db()
    item = job.items.get()
    assert (job.state, item.state, item.code) == ("expired", "expired", "not_started_in_time")
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert painting.claim((painted.engine,), now()) is None


def test_a_job_that_was_started_does_not_expire() -> None:
    painted, at = style(), now()
    job = submitted(consenting(), painted, at=at)
    claimed(painted)
    endings.expire(at + settings.JOB_START_LIMIT)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def test_a_job_whose_painters_are_gone_for_good_ends_with_what_it_has() -> None:
    painted, at, who = style(), now(), consenting()
    job = submitted(who, painted, count=3, at=at)
    finished = claimed(painted)
    assert painting.finish(finished.held, sizes(who), now())
    lapse(claimed(painted).held)
    endings.expire(at + settings.JOB_START_LIMIT)
    job.refresh_from_db()
    states = sorted(job.items.values_list("state", flat=True))
    assert (job.state, states) == ("running", ["done", "expired", "running"])
    endings.expire(at + settings.JOB_END_LIMIT)
    job.refresh_from_db()
    states = sorted(job.items.values_list("state", flat=True))
    assert (job.state, states) == ("done", ["done", "expired", "failed"])
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
