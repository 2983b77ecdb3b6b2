"""What is noted for the webhook, by whatever ends an item or a job."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from portraits import endings, events, jobs, painting
from portraits.models import Event, Item, Job
from privacy import dispatch, erasure, keys, leases, stops, sweeps
from privacy.consent import Purpose, withdraw
from privacy.models import Lease
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    ready,
    sizes,
    style,
    submitted,
)

pytestmark = pytest.mark.usefixtures("noting")


def noted(who: uuid.UUID) -> list[tuple[str, uuid.UUID, uuid.UUID | None, str, int]]:
    """What was noted of a person, in order."""
    rows = Event.objects.filter(owner_id=who).order_by("pk")
    return list(rows.values_list("type", "object_id", "job_id", "outcome", "sequence"))


def kinds(who: uuid.UUID) -> list[tuple[str, str]]:
    return [(kind, outcome) for kind, _, _, outcome, _ in noted(who)]


def waiting(who: uuid.UUID) -> int:
    return Lease.objects.filter(kind=events.LEASE, owner_id=who).count()


def test_a_finished_item_and_its_job_are_noted_with_the_commit() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    item = Item.objects.get(pk=work.held.work_id)
    sequence = Job.objects.get(pk=job.pk).sequence
    assert noted(who) == [
        ("item.ended", item.pk, job.pk, "done", item.sequence),
        ("job.ended", job.pk, None, "done", sequence),
    ]
    assert waiting(who) == 2


def test_an_item_that_ends_before_the_others_ends_no_job() -> None:
    who, painted = consenting(), style()
    submitted(who, painted, 2)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    assert kinds(who) == [("item.ended", "done")]


def test_a_commit_that_is_refused_notes_nothing() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    work = claimed(painted)
    leases.revoke("item", [work.held.work_id])
    assert not painting.finish(work.held, sizes(who), now())
    assert not painting.fail(work.held, "engine_refused", now())
    assert noted(who) == []


def test_a_failed_item_is_noted_once() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    work = claimed(painted)
    assert painting.fail(work.held, "engine_refused", now())
    assert not painting.fail(work.held, "engine_refused", now())
    assert kinds(who) == [("item.ended", "failed"), ("job.ended", "failed")]


def test_an_item_that_is_given_back_is_not_noted() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    assert painting.again(claimed(painted).held, "engine_failed", now())
    assert noted(who) == []


def test_work_that_failed_every_time_is_given_up_aloud() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    for _ in range(leases.MAX_ATTEMPTS):
        work = claimed(painted)
        assert painting.again(work.held, "engine_failed", now())
        ready(work)
    assert kinds(who) == [
        ("item.ended", "failed"),
        ("job.ended", "failed"),
        ("work.given_up", "item"),
    ]


def test_work_that_killed_its_painters_is_given_up_aloud() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    Lease.objects.filter(kind="item", owner_id=who).update(attempts=leases.MAX_ATTEMPTS)
    assert painting.claim((painted.engine,), now()) is None
    assert ("work.given_up", "item") in kinds(who)


def test_a_cancelled_job_notes_each_open_item() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, 3)
    jobs.cancel(who, job.pk, now())
    assert sorted(kinds(who)) == [*[("item.ended", "cancelled")] * 3, ("job.ended", "cancelled")]


def test_a_job_that_expires_is_noted() -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    Job.objects.filter(pk=job.pk).update(start_by=now() - timedelta(minutes=1))
    endings.expire(now())
    assert kinds(who) == [("item.ended", "expired"), ("job.ended", "expired")]


def test_a_withdrawal_ends_jobs_and_is_told() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    withdraw(who, Purpose.GENERATION, "tests/1", now(), erase_portraits=False)
    assert kinds(who) == [("item.ended", "cancelled"), ("job.ended", "cancelled")]
    assert waiting(who) == 2


def test_of_an_erased_person_nothing_is_noted_and_nothing_more_is_told() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    submitted(who, painted)
    assert waiting(who) == 2
    erasure.request(who, now())
    assert kinds(who) == [("item.ended", "done"), ("job.ended", "done")]
    assert waiting(who) == 0
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now())
    assert waiting(who) == 0


def test_what_belongs_to_no_person_is_not_noted() -> None:
    events.note(Event.Type.WORK_GIVEN_UP, keys.SYSTEM_OWNER, uuid.uuid4(), now())
    assert not Event.objects.exists()


def test_without_a_webhook_nothing_is_noted(settings_of: Any) -> None:
    settings_of(WEBHOOK_URL=None)
    who, painted = consenting(), style()
    submitted(who, painted)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now())
    assert noted(who) == []
    assert waiting(who) == 0


def test_what_is_rolled_back_was_never_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[uuid.UUID] = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work_id: sent.append(work_id))
    who = consenting()
    with transaction.atomic():
        events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now())
        transaction.set_rollback(True)
    assert noted(who) == []
    assert sent == []


def test_many_events_of_one_change_need_one_nudge(monkeypatch: pytest.MonkeyPatch) -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, 5)
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work_id: sent.append(kind))
    jobs.cancel(who, job.pk, now())
    # One for the items, one for the job.
    assert sent.count(events.LEASE) == 2


def test_what_a_backup_brought_back_is_not_told_again() -> None:
    who, painted = consenting(), style()
    submitted(who, painted)
    assert painting.finish(claimed(painted).held, sizes(who), now())
    submitted(who, painted)
    assert stops.cancel_everybody(now()) >= 1
    told = Event.objects.filter(owner_id=who, state=Event.State.WAITING)
    assert {event.outcome for event in told} == {"cancelled"}
    assert waiting(who) == 2


def test_old_news_are_given_up_and_counted() -> None:
    who, late = consenting(), now() - events.GIVE_UP_AFTER
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), late)
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now() - 2 * events.LATE)
    assert sweeps.backlog(now())["webhooks_waiting"] == 2
    assert events.expire(now()) == 1
    assert events.expire(now()) == 0
    assert waiting(who) == 1
    counted = sweeps.backlog(now())
    assert (counted["webhooks_waiting"], counted["webhooks_given_up"]) == (1, 1)
    later = sweeps.backlog(now() + 2 * events.REMEMBERED)
    assert later["webhooks_given_up"] == 0


def test_where_the_webhook_is_gone_everything_that_waits_is_given_up(settings_of: Any) -> None:
    who = consenting()
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now())
    settings_of(WEBHOOK_URL="")
    assert events.expire(now()) == 1
    assert waiting(who) == 0


def test_many_tries_of_a_webhook_are_no_exhausted_work() -> None:
    who = consenting()
    events.note(Event.Type.WORK_GIVEN_UP, who, uuid.uuid4(), now())
    before = sweeps.backlog(now())["attempts_exhausted"]
    Lease.objects.filter(kind=events.LEASE).update(attempts=9)
    assert sweeps.backlog(now())["attempts_exhausted"] == before
