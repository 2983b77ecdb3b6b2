"""The courier's side of an event: claim it, and say how the endpoint took it.

Tried ten times over a day, then given up. Two couriers never hold the same event; one that died
after the endpoint had answered leaves it to be told again, under the same id.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from portraits.events import LEASE
from portraits.models import Event
from privacy import leases
from privacy.models import Lease, Pulse

# The pause behind each failed try; behind the last of them it is tried once more and given up.
PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
# Drawn out by up to so much, so that what failed together does not come back together.
JITTER: Final = 0.25
# Upkeep's pulse beats once a minute. One that is older is that of a restored database, whose
# erasures have not been done again, or nobody does any erasure at all.
PULSE_FRESH: Final = timedelta(minutes=5)
BATCH: Final = 5000


@dataclass(frozen=True)
class Errand:
    """One event, held."""

    held: leases.Claim
    event: Event


def may_begin(now: datetime) -> bool:
    """Whether this database is the one in which people's erasures are carried out."""
    return Pulse.objects.filter(at__gt=now - PULSE_FRESH).exists()


def claim() -> Errand | None:
    """Take the event that has waited longest, or None."""
    while True:
        with transaction.atomic():
            held = leases.claim(LEASE)
            if held is None:
                return None
            event = Event.objects.filter(pk=held.work_id, state=Event.State.WAITING).first()
            if event is not None:
                return Errand(held, event)
            leases.close(held)


def delivered(held: leases.Claim, status: int, now: datetime) -> bool:
    """The endpoint has it. False: erased meanwhile, or somebody else holds it now."""
    return _end(held, Event.State.DELIVERED, status, now)


def give_up(held: leases.Claim, status: int | None, now: datetime) -> bool:
    """It will not be tried again."""
    return _end(held, Event.State.GIVEN_UP, status, now)


def again(
    held: leases.Claim, status: int | None, now: datetime, *, at_least: timedelta = timedelta(0)
) -> bool:
    """Try it later. False: that was the last try, and it is given up."""
    if held.attempts > len(PAUSES):
        give_up(held, status, now)
        return False
    pause = PAUSES[held.attempts - 1] * random.uniform(1, 1 + JITTER)
    with transaction.atomic():
        if leases.still_held(held):
            Event.objects.filter(pk=held.work_id).update(status=status)
            leases.give_back(held, after=max(pause, at_least))
    return True


def rest(pause: timedelta) -> int:
    """Put off all that could be told now: the endpoint is left alone for a while."""
    return _move(Q(ready_at__lte=Now()), pause)


def hurry() -> int:
    """The endpoint is back: what it failed to take may be told at once."""
    return _move(Q(ready_at__gt=Now()), timedelta(0))


def _move(which: Q, pause: timedelta) -> int:
    free = Q(held_until=None) | Q(held_until__lt=Now())
    with transaction.atomic():
        rows = Lease.objects.filter(which, free, kind=LEASE).order_by("pk")
        ids = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        return Lease.objects.filter(pk__in=ids).update(ready_at=Now() + pause)


def _end(held: leases.Claim, state: Event.State, status: int | None, now: datetime) -> bool:
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        moved = Event.objects.filter(pk=held.work_id, state=Event.State.WAITING).update(
            state=state, status=status, ended_at=now
        )
        leases.close(held)
    return bool(moved)
