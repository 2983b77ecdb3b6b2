"""A failed portrait can be tried once more, as long as its job is open."""

import uuid
from contextlib import suppress
from datetime import timedelta

import pytest

from portraits import jobs, painting
from portraits.errors import AlreadyRetried, JobEnded, NotFailed
from portraits.models import Item, Job
from privacy import leases
from privacy.errors import ConsentMissing
from privacy.models import Lease
from tests.portraits.making import claimed, consenting, lapse, now, person, sizes, style, submitted
from tests.portraits.ordering import (
    charged,
    failed,
    finished,
    order,
    pack,
    together,
    used,
    words_only,
)


def test_it_is_painted_after_all_and_counted_once() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    before = item.sequence
    answered = jobs.retry(who, job.pk, item.pk, now())
    item.refresh_from_db()
    assert (item.state, item.phase, item.code, item.percent) == ("queued", "waiting", "", 0)
    assert (item.retried, item.ended_at) == (True, None)
    assert before < item.sequence <= answered.sequence
    finished(who, painted)
    finished(who, painted)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert set(job.items.values_list("state", flat=True)) == {Item.State.DONE}
    assert used(who) == (2, 2)


def test_it_stands_in_its_lane_with_all_its_attempts_before_it() -> None:
    who, painted = person(), words_only()
    job = pack(who, 6, painted)
    item = failed(painted)
    last = max(Lease.objects.filter(owner_id=who).values_list("turn", flat=True))
    jobs.retry(who, job.pk, item.pk, now())
    lease = Lease.objects.get(work_id=item.pk)
    assert (lease.lane, lease.queue, lease.attempts) == ("pack", painted.engine, 0)
    assert lease.turn > last
    assert lease.cost > 0


def test_asking_again_while_it_waits_or_runs_changes_nothing() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    first = jobs.retry(who, job.pk, item.pk, now())
    assert jobs.retry(who, job.pk, item.pk, now()).sequence == first.sequence
    assert Lease.objects.filter(owner_id=who).count() == 2
    claimed(painted)
    claimed(painted)
    jobs.retry(who, job.pk, item.pk, now())
    assert Item.objects.get(pk=item.pk).state == Item.State.RUNNING


def test_many_at_once_are_one() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    answers = together(12, lambda _: jobs.retry(who, job.pk, item.pk, now()))
    assert {answer.pk for answer in answers} == {job.pk}
    assert Lease.objects.filter(work_id=item.pk).count() == 1
    assert used(who) == (2, 2)


def test_it_is_tried_once_more_and_no_more() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    finish_later = claimed(painted)
    jobs.retry(who, job.pk, item.pk, now())
    failed(painted)
    with pytest.raises(AlreadyRetried):
        jobs.retry(who, job.pk, item.pk, now())
    assert painting.finish(finish_later.held, sizes(who), now())
    assert used(who) == (1, 1)


def test_what_was_painted_by_its_second_try_is_not_tried_again() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    other = claimed(painted)
    jobs.retry(who, job.pk, item.pk, now())
    finished(who, painted)
    with pytest.raises(AlreadyRetried):
        jobs.retry(who, job.pk, item.pk, now())
    assert painting.finish(other.held, sizes(who), now())


def test_what_has_not_failed_is_not_tried_again() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 4)
    waiting = job.items.last()
    assert waiting is not None
    done = finished(who, painted).item
    running = claimed(painted)
    held_back = claimed(painted)
    assert painting.fail(held_back.held, "gate", now(), state=Item.State.BLOCKED)
    for pk in (waiting.pk, done.pk, running.held.work_id, held_back.held.work_id):
        with pytest.raises(NotFailed):
            jobs.retry(who, job.pk, pk, now())


def test_a_job_does_not_wait_for_somebody_to_try_again() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    finished(who, painted)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    with pytest.raises(JobEnded):
        jobs.retry(who, job.pk, item.pk, now())
    assert not Lease.objects.filter(owner_id=who).exists()


def test_nobody_tries_what_belongs_to_somebody_else_or_to_another_job() -> None:
    who, painted = person(), words_only()
    job, other = order(who, painted, 2), order(who, words_only())
    item = failed(painted)
    stranger = person()
    order(stranger, words_only())
    with pytest.raises(Job.DoesNotExist):
        jobs.retry(stranger, job.pk, item.pk, now())
    for job_id, item_id in ((other.pk, item.pk), (job.pk, uuid.uuid4())):
        with pytest.raises(Item.DoesNotExist):
            jobs.retry(who, job_id, item_id, now())


def test_a_consent_that_has_run_out_is_given_anew_first() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, count=2)
    item = failed(painted)
    with pytest.raises(ConsentMissing):
        jobs.retry(who, job.pk, item.pk, now() + timedelta(days=3 * 366))
    item.refresh_from_db()
    assert (item.state, item.retried) == (Item.State.FAILED, False)
    assert jobs.retry(who, job.pk, item.pk, now()).pk == job.pk


def test_a_cancel_takes_the_second_try_with_it_and_counts_nothing_for_it() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    item = failed(painted)
    jobs.retry(who, job.pk, item.pk, now())
    jobs.cancel(who, job.pk, now())
    assert not Lease.objects.filter(owner_id=who).exists()
    assert used(who) == (0, 0)


def test_who_held_it_in_its_first_life_commits_nothing_in_its_second() -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2)
    stale, late = claimed(painted), sizes(who)
    lapse(stale.held)
    item = Item.objects.get(pk=stale.held.work_id)
    assert failed(painted).pk == item.pk
    claimed(painted)
    jobs.retry(who, job.pk, item.pk, now())
    fresh = claimed(painted)
    assert fresh.held.work_id == item.pk
    assert fresh.held.attempts == 1
    assert fresh.held.token > stale.held.token + leases.MAX_ATTEMPTS
    assert not painting.progress(stale.held, Item.Phase.STORING, 99)
    assert not painting.finish(stale.held, late, now())
    assert painting.finish(fresh.held, sizes(who), now())


def test_a_retry_and_the_last_portrait_at_the_same_moment_agree() -> None:
    """Either the job goes on with its second try, or it has ended and says so."""
    for _ in range(10):
        who, painted = person(), words_only()
        job = order(who, painted, 2)
        item = failed(painted)
        last, drafted = claimed(painted), sizes(who)

        def act(
            number: int,
            who: uuid.UUID = who,
            job: Job = job,
            item: Item = item,
            last: painting.Work = last,
            drafted: list[painting.Size] = drafted,
        ) -> None:
            if number == 0:
                assert painting.finish(last.held, drafted, now())
                return
            with suppress(JobEnded):
                jobs.retry(who, job.pk, item.pk, now())

        together(3, act)
        job.refresh_from_db()
        item.refresh_from_db()
        goes_on = item.state == Item.State.QUEUED
        assert goes_on == (job.state in Job.OPEN)
        assert Lease.objects.filter(owner_id=who).count() == goes_on
        assert used(who) == (charged(who),) * 2 == (1 + goes_on,) * 2
