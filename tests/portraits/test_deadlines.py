"""What is out of time ends, says why, and lets its photos go."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from portraits import endings, jobs, painting
from portraits.models import Item, Job, Portrait, ReferenceSet
from privacy import leases
from privacy.models import Lease
from tests.portraits.making import (
    claimed,
    consenting,
    item_of,
    now,
    sizes,
    style,
    submitted,
)

SOON = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def web(born: Any) -> None:
    """Everything here runs as the web."""


def ends(job: Job) -> list[tuple[str, str]]:
    """(state, code) of each item."""
    return sorted(job.items.values_list("state", "code"))


def state(job: Job) -> str:
    """The job as it is now."""
    job.refresh_from_db()
    return job.state


def test_a_portrait_that_takes_too_long_fails_and_its_painter_must_stop() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, at=at)
    work = claimed(painted)
    endings.expire(at + settings.JOB_END_LIMIT - SOON)
    assert state(job) == "running"
    drafted = sizes(who)
    endings.expire(at + settings.JOB_END_LIMIT)
    assert (state(job), ends(job)) == ("failed", [("failed", "took_too_long")])
    assert not painting.progress(work.held, Item.Phase.PAINTING, 50)
    assert not painting.finish(work.held, drafted, now())
    assert not Portrait.objects.filter(owner_id=who).exists()
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert not Lease.objects.filter(owner_id=who).exists()


def test_a_mixed_job_says_of_each_item_what_became_of_it() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, count=4, at=at)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    claimed(painted)
    tried = claimed(painted)
    assert painting.again(tried.held, "engine_failed", now())
    before = job.sequence
    endings.expire(at + settings.JOB_END_LIMIT)
    assert state(job) == "done"
    assert ends(job) == [
        ("done", ""),
        ("expired", "not_started_in_time"),
        ("failed", "took_too_long"),
        ("failed", "took_too_long"),
    ]
    assert job.sequence > before
    assert not ReferenceSet.objects.filter(owner_id=who).exists()


def test_what_was_started_and_waits_again_does_not_expire() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, at=at)
    assert painting.again(claimed(painted).held, "engine_failed", now())
    endings.expire(at + settings.JOB_START_LIMIT)
    assert (state(job), ends(job)) == ("running", [("queued", "")])


def test_kept_photos_are_open_again_for_another_job() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, keep_hours=48, at=at)
    claimed(painted)
    endings.expire(at + settings.JOB_END_LIMIT)
    assert state(job) == "failed"
    assert ReferenceSet.objects.get(owner_id=who).state == ReferenceSet.State.OPEN


def test_photos_that_expire_in_the_queue_end_what_waits_for_them_and_say_so() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, count=2, at=at)
    begun = claimed(painted)
    ReferenceSet.objects.filter(owner_id=who).update(expires_at=at + SOON)
    endings.expire(at)
    assert ends(job) == [("queued", ""), ("running", "")]
    endings.expire(at + 2 * SOON)
    # Whoever paints already has opened them.
    assert ends(job) == [("failed", "references_gone"), ("running", "")]
    assert painting.finish(begun.held, sizes(who), now())
    assert state(job) == "done"
    assert not ReferenceSet.objects.filter(owner_id=who).exists()


def test_an_item_that_is_claimed_at_the_last_moment_is_not_taken_for_never_started() -> None:
    """Upkeep waits for the claim that is under way, and then looks at the item again."""
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, at=at)
    held: list[Any] = []

    def claim_first(kind: str, work_ids: Any) -> None:
        held.append(claimed(painted))

    patch = pytest.MonkeyPatch()
    with patch.context() as changing:
        changing.setattr(leases, "hold", claim_first)
        endings.expire(at + settings.JOB_START_LIMIT)
    assert item_of(held[0]).state == Item.State.RUNNING
    assert state(job) == "running"


def test_nobody_claims_what_is_being_ended() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    with transaction.atomic():
        leases.hold(endings.LEASE, list(job.items.values_list("pk", flat=True)))
        assert _in_another_session(painted.engine) is None
    assert claimed(painted)


def _in_another_session(engine: str) -> object:
    from concurrent.futures import ThreadPoolExecutor

    def ask() -> object:
        try:
            return painting.claim((engine,), now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def test_of_somebody_who_is_erased_nothing_is_left_to_end(born: Any) -> None:
    from privacy import erasure

    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, at=at)
    erasure.request(who, at)
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, ended_at=None)
    assert _expired_of(who, at) == [("cancelled", "stopped_by_owner")]


def _expired_of(who: uuid.UUID, at: datetime) -> list[tuple[str, str]]:
    endings.expire(at + settings.JOB_END_LIMIT)
    return list(Item.objects.filter(job__owner_id=who).values_list("state", "code"))


def test_two_sweeps_and_a_cancel_end_a_job_once() -> None:
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import suppress

    from portraits.errors import AlreadyEnded

    who, painted, at = consenting(), style(), now()
    for _ in range(5):
        job = submitted(who, painted, count=3, at=at)
        claimed(painted)

        def end(number: int, job: Job = job) -> int:
            try:
                if number % 3:
                    return endings.expire(at + settings.JOB_END_LIMIT)
                with suppress(AlreadyEnded):
                    jobs.cancel(who, job.pk, now())
                return 0
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(end, range(6)))
        assert state(job) in ("cancelled", "failed")
        assert not job.items.filter(state__in=Item.OPEN).exists()
        assert not Lease.objects.filter(owner_id=who, kind=endings.LEASE).exists()
