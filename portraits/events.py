"""What the operator's webhook will be told, written down in the transaction in which it happens.

An event is a type, ids and an end, and nothing else. It waits as a lease of the kind `webhook`
until the courier has told it (portraits/telling.py). Without a webhook nothing is noted; of a
person who is being erased nothing is noted, and what waits loses its lease to the erasure.
"""

import logging
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from portraits.models import Event, Item, Job
from privacy import dispatch, keys, leases
from privacy.models import OwnerKey

log = logging.getLogger(__name__)

LEASE: Final = "webhook"
# What an endpoint was not reached for in so long is old news, however often it was tried.
GIVE_UP_AFTER: Final = timedelta(hours=48)
# An endpoint that is away longer than this is somebody's business.
LATE: Final = timedelta(hours=1)
# So long the backlog shows what was given up.
REMEMBERED: Final = timedelta(days=1)
BATCH: Final = 1000


def note(
    kind: Event.Type,
    owner_id: uuid.UUID,
    object_id: uuid.UUID,
    now: datetime,
    *,
    job_id: uuid.UUID | None = None,
    outcome: str = "",
    sequence: int = 0,
) -> None:
    """Note one event in the caller's transaction.

    `outcome` is how it ended; of work that was given up, it is the kind of work.
    """
    if not settings.WEBHOOK_URL:
        return
    event = Event(
        type=kind,
        owner_id=owner_id,
        object_id=object_id,
        job_id=job_id,
        outcome=outcome,
        sequence=sequence,
        created_at=now,
    )
    _open(owner_id, [event])


def items_ended(item_ids: Collection[uuid.UUID], sequence: int, now: datetime) -> None:
    """Note each of these items of one job that this change has ended."""
    if not settings.WEBHOOK_URL:
        return
    items = Item.objects.filter(pk__in=item_ids, sequence=sequence).exclude(state__in=Item.OPEN)
    found = list(items.values_list("pk", "job_id", "job__owner_id", "state"))
    events = [
        Event(
            type=Event.Type.ITEM_ENDED,
            owner_id=owner_id,
            object_id=pk,
            job_id=job_id,
            outcome=state,
            sequence=sequence,
            created_at=now,
        )
        for pk, job_id, owner_id, state in found
    ]
    if events:
        _open(events[0].owner_id, events)


def job_ended(job_id: uuid.UUID, now: datetime) -> None:
    """Note that a job has ended, as its row now says."""
    if not settings.WEBHOOK_URL:
        return
    job = Job.objects.only("owner_id", "state", "sequence").get(pk=job_id)
    kind = Event.Type.JOB_ENDED
    note(kind, job.owner_id, job_id, now, outcome=job.state, sequence=job.sequence)


def _open(owner_id: uuid.UUID, events: list[Event]) -> None:
    if not _living(owner_id):
        return
    Event.objects.bulk_create(events)
    place = leases.Place()
    leases.open_all(LEASE, owner_id, {event.pk: place for event in events})
    # A courier that is awake takes all there is, so one nudge will do.
    dispatch.send(LEASE, events[0].pk)


def _living(owner_id: uuid.UUID) -> bool:
    """Somebody with an account: not erased, and not the owner of what belongs to no person."""
    alive = OwnerKey.objects.filter(owner_id=owner_id, destroyed_at=None)
    return owner_id != keys.SYSTEM_OWNER and alive.exists()


def cancel_restored(now: datetime) -> int:
    """What a backup brought back was told when it happened, or is nobody's news any more.

    Returns 0: nobody asked for an event, so none is open work.
    """
    _give_up(Event.objects.filter(state=Event.State.WAITING), now)
    return 0


def expire(now: datetime) -> int:
    """Give up what is old; and everything, where there is no webhook any more."""
    waiting = Event.objects.filter(state=Event.State.WAITING)
    if settings.WEBHOOK_URL:
        waiting = waiting.filter(created_at__lte=now - GIVE_UP_AFTER)
    total = 0
    while found := _give_up(waiting[:BATCH], now):
        total += found
    if total:
        log.warning("webhooks_given_up", extra={"count": total})
    return total


def _give_up(waiting: QuerySet[Event], now: datetime) -> int:
    ids = list(waiting.values_list("pk", flat=True))
    with transaction.atomic():
        leases.revoke(LEASE, ids)
        return Event.objects.filter(pk__in=ids, state=Event.State.WAITING).update(
            state=Event.State.GIVEN_UP, ended_at=now
        )


def backlog(now: datetime) -> dict[str, int]:
    """How many wait for an endpoint that is away, and how many were given up in the last day."""
    waiting = Event.objects.filter(state=Event.State.WAITING, created_at__lt=now - LATE)
    lost = Event.objects.filter(state=Event.State.GIVEN_UP, ended_at__gt=now - REMEMBERED)
    return {"webhooks_waiting": waiting.count(), "webhooks_given_up": lost.count()}
