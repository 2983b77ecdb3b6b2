"""How jobs end: by their last item, by their owner, by time. Whatever ends one lets its photos go.

Locks are taken in the order owner → lease → job → item → reference set → allowance.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from portraits import events, quota, references
from portraits.models import Event, Item, Job, Portrait, ReferenceSet
from portraits.sequence import stamp
from privacy import keys, leases, retention, vault
from privacy.audit import Reason
from privacy.errors import OwnerErased
from privacy.models import Blob
from privacy.retention import Kind

LEASE = "item"
AT_ONCE: Final = 500
_NEVER_STARTED: Final = Q(state=Item.State.QUEUED, started_at=None)


def stop_person(owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None:
    """Halt everything of one person: privacy calls this on withdrawal and erasure."""
    leases.revoke(LEASE, owner_id=owner_id)
    leases.revoke(references.LEASE, owner_id=owner_id)
    for job in Job.objects.filter(owner_id=owner_id, state__in=Job.OPEN):
        end_open(job, Item.State.CANCELLED, "stopped_by_owner", now)
    inputs = [Kind.UPLOAD, Kind.REFERENCE, Kind.PROMPT, Kind.SOURCE]
    why = Reason.WITHDRAWAL
    vault.destroy(Blob.objects.filter(owner_id=owner_id, kind__in=inputs), why=why)
    ReferenceSet.objects.filter(owner_id=owner_id).delete()
    if erase_results:
        results = [Kind.PORTRAIT, Kind.RENDITION]
        vault.destroy(Blob.objects.filter(owner_id=owner_id, kind__in=results), why=why)
        Portrait.objects.filter(owner_id=owner_id).delete()


def expire(now: datetime) -> int:
    """End what is out of time; the photos go with the job.

    By `start_by` what was never started ends as EXPIRED. What was never started and whose photos
    have expired on the way ends as FAILED. By `end_by` all that is open ends: what was started as
    FAILED, and its painter loses the lease.
    """
    waits = Item.objects.filter(_NEVER_STARTED, job=OuterRef("pk"))
    unseen = Q(start_by__lte=now) | Q(references__expires_at__lte=now)
    late = Job.objects.filter(Q(end_by__lte=now) | unseen & Exists(waits), state__in=Job.OPEN)
    total = 0
    for job in late.select_related("references").order_by("start_by")[:AT_ONCE]:
        with transaction.atomic():
            try:
                keys.hold_owner(job.owner_id, exclusive=True)
            except OwnerErased:
                continue
            total += _end_late(job, now)
    return total


def _end_late(job: Job, now: datetime) -> int:
    """The caller holds the owner alone; held back here as well is whoever would claim an item."""
    leases.hold(LEASE, _open_items(job))
    waiting = list(job.items.filter(_NEVER_STARTED).values_list("pk", flat=True))
    state, code = Item.State.EXPIRED, "not_started_in_time"
    if job.start_by > now and not _out_of_time(job, now):
        state, code = Item.State.FAILED, "references_gone"
    total = _end(waiting, state, code, now)
    if _out_of_time(job, now):
        total += _end(_open_items(job), Item.State.FAILED, "took_too_long", now)
    return total


def _out_of_time(job: Job, now: datetime) -> bool:
    return job.end_by is not None and job.end_by <= now


def cancel_restored(now: datetime) -> int:
    """End every open job: a backup brought it back, and nobody asks for it any more."""
    total = 0
    for job in Job.objects.filter(state__in=Job.OPEN).order_by("pk").iterator():
        with transaction.atomic():
            try:
                keys.hold_owner(job.owner_id, exclusive=True)
            except OwnerErased:
                continue
            total += bool(end_open(job, Item.State.CANCELLED, "restored", now))
    return total


def mourn(held: leases.Claim, now: datetime) -> None:
    """Tell the operator's endpoint of work that was given up; its outcome is the kind of work."""
    kind = Event.Type.WORK_GIVEN_UP
    events.note(kind, held.owner_id, held.work_id, now, outcome=held.kind)


def forgotten(now: datetime) -> QuerySet[Job]:
    """Jobs whose rows may go: ended for their term, and no portrait of them is left."""
    old = now - retention.term(retention.Term.JOB)
    left = Portrait.objects.filter(item__job=OuterRef("pk"))
    return Job.objects.filter(~Exists(left), ended_at__lte=old).exclude(state__in=Job.OPEN)


def end_open(job: Job, state: Item.State, code: str, now: datetime) -> int:
    """End every open item of a job; returns how many. The caller holds the owner alone."""
    return _end(_open_items(job), state, code, now)


def end_made_from(portrait_id: uuid.UUID, now: datetime) -> None:
    """A portrait goes: what is being made from it ends, and its copies go with it.

    The caller holds the owner alone.
    """
    made = Item.objects.filter(made_from=portrait_id)
    copies = list(made.exclude(source=None).values_list("source_id", flat=True))
    vault.destroy(Blob.objects.filter(pk__in=copies), why=Reason.OWNER)
    lent = made.filter(state__in=Item.OPEN).exclude(source=None)
    for job_id in set(lent.values_list("job_id", flat=True)):
        ids = list(lent.filter(job_id=job_id).values_list("pk", flat=True))
        _end(ids, Item.State.CANCELLED, "portrait_erased", now)


def _open_items(job: Job) -> list[uuid.UUID]:
    return list(job.items.filter(state__in=Item.OPEN).values_list("pk", flat=True))


def _end(ids: Sequence[uuid.UUID], state: Item.State, code: str, now: datetime) -> int:
    if not ids:
        return 0
    leases.revoke(LEASE, ids)
    number = stamp(ids[0])
    ended = Item.objects.filter(pk__in=ids, state__in=Item.OPEN).update(
        state=state,
        phase=Item.Phase.ENDED,
        code=code,
        sequence=number,
        # Whatever was tried before: it was waiting, and what only waited is not counted.
        started_at=Case(When(state=Item.State.QUEUED, then=None), default=F("started_at")),
        ended_at=now,
    )
    if ended:
        events.items_ended(ids, number, now)
        settle(ids[0], now)
    return ended


_SETTLE: Final = """
    SELECT job.id, job.owner_id, job.state, job.references_id, job.created_at,
           item.state, item.prompt_id, item.source_id
    FROM portraits_item AS ended
    JOIN portraits_job AS job ON job.id = ended.job_id
    JOIN portraits_item AS item ON item.job_id = job.id
    WHERE ended.id = %s
"""
_HEAD: Final = 5
_ENDED: Final = "UPDATE portraits_job SET state = %s, ended_at = %s WHERE id = %s"
_LET_GO: Final = "SELECT keep, expires_at FROM portraits_referenceset WHERE id = %s FOR UPDATE"
_OUTCOMES: Final = (
    # A cancelled job says so, even if portraits were finished before.
    (Item.State.CANCELLED, Job.State.CANCELLED),
    (Item.State.DONE, Job.State.DONE),
    (Item.State.FAILED, Job.State.FAILED),
    (Item.State.BLOCKED, Job.State.BLOCKED),
    (Item.State.EXPIRED, Job.State.EXPIRED),
)


def settle(item_id: uuid.UUID, now: datetime) -> None:
    """End the job when its last item has ended; its references go, and what is not owed.

    The caller has stamped the item's change, and so holds the job's row.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [item_id])
        rows = cursor.fetchall()
    job_id, owner_id, state, set_id, created_at = rows[0][:_HEAD]
    states = {row[_HEAD] for row in rows}
    if state not in Job.OPEN:
        return
    still = bool(states & set(Item.OPEN))
    # What has failed can be tried once more while its job is open, and needs all this for that.
    kept = {*Item.OPEN, Item.State.FAILED} if still else set()
    along = [
        blob for *_, ended, prompt, source in rows if ended not in kept for blob in (prompt, source)
    ]
    vault.shred([blob for blob in along if blob], why=Reason.SERVED)
    if still:
        return
    end = next(state for found, state in _OUTCOMES if found in states)
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [str(end), now, job_id])
    events.job_ended(job_id, now)
    if set_id is not None:
        _let_go(set_id, now)
    if states != {Item.State.DONE}:
        quota.refund(job_id, owner_id, created_at)


def _let_go(set_id: uuid.UUID, now: datetime) -> None:
    """A job's photos are destroyed, or open for another job where they are kept."""
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, [set_id])
        row = cursor.fetchone()
    if row is None:
        return
    keep, expires_at = row
    if keep and expires_at > now:
        ReferenceSet.objects.filter(pk=set_id).update(state=ReferenceSet.State.OPEN)
    else:
        references.destroy(set_id, why=Reason.SERVED)
