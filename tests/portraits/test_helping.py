"""Staff stop a person's job or send a still item on; they start nothing, and it is written down."""

import uuid
from datetime import timedelta

import pytest

from portraits import helping, painting
from portraits.errors import AlreadyEnded
from portraits.models import Item, Job
from portraits.staff_errors import StillMoving
from privacy.models import AuditEvent, Lease
from tests.portraits import making, ordering
from tests.portraits.making import claimed, consenting, now, style, submitted


def noted(verb: AuditEvent.Verb, object_id: uuid.UUID) -> int:
    staff = AuditEvent.Reason.STAFF
    return AuditEvent.objects.filter(verb=verb, object_id=object_id, reason=staff).count()


def test_a_job_is_cancelled_as_its_owner_could() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, 2)
    claimed(painted)
    assert helping.cancel(job.pk, now()).state == Job.State.CANCELLED
    # What was begun counts, what only waited does not.
    assert ordering.used(who) == (1, 1)
    assert noted(AuditEvent.Verb.JOB_CANCELLED, job.pk) == 1
    with pytest.raises(AlreadyEnded):
        helping.cancel(job.pk, now())
    assert noted(AuditEvent.Verb.JOB_CANCELLED, job.pk) == 1


def test_an_item_that_hangs_goes_to_another_worker_and_the_first_commits_nothing() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    first = claimed(painted)
    assert painting.progress(first.held, Item.Phase.PAINTING, 10)
    Lease.objects.filter(work_id=first.held.work_id).update(
        progressed_at=now() - helping.STILL - timedelta(seconds=1)
    )
    helping.send_on(first.held.work_id, now())
    second = claimed(painted)
    assert second.held.work_id == first.held.work_id
    assert second.held.attempts == 2
    assert not painting.finish(first.held, making.sizes(who), now())
    assert painting.finish(second.held, making.sizes(who), now())
    assert noted(AuditEvent.Verb.ITEM_SENT_ON, first.held.work_id) == 1


def test_what_is_being_painted_is_left_alone() -> None:
    painted = style()
    submitted(consenting(), painted)
    work = claimed(painted)
    with pytest.raises(StillMoving):
        helping.send_on(work.held.work_id, now())
    assert painting.wanted(work.held)
    assert noted(AuditEvent.Verb.ITEM_SENT_ON, work.held.work_id) == 0


def test_what_rests_after_a_fault_is_tried_at_once() -> None:
    painted = style()
    submitted(consenting(), painted)
    work = claimed(painted)
    assert painting.again(work.held, "out_of_memory", now(), outside=True)
    assert painting.claim((painted.engine,), now()) is None
    helping.send_on(work.held.work_id, now())
    assert claimed(painted).held.work_id == work.held.work_id


def test_nothing_that_has_ended_is_started() -> None:
    painted, who = ordering.words_only(), making.person()
    ordering.order(who, painted)
    item = ordering.failed(painted)
    with pytest.raises(AlreadyEnded):
        helping.send_on(item.pk, now())
    with pytest.raises(Item.DoesNotExist):
        helping.send_on(uuid.uuid4(), now())
    with pytest.raises(Job.DoesNotExist):
        helping.cancel(uuid.uuid4(), now())
