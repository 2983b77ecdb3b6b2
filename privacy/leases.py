"""The one pattern for background work: open, claim, renew, hold, close, requeue.

The row is the truth and Celery's message only a nudge: messages may be lost, doubled or late.
All times are the database's, so that no worker's clock decides. A claim carries a fencing token;
whoever was taken for dead finds the token moved on and cannot commit.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final

from django.db import close_old_connections, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from privacy.models import Lease

log = logging.getLogger(__name__)

HELD_FOR: Final = timedelta(seconds=15)
RENEW_EVERY: Final = timedelta(seconds=5)
NUDGE_AGAIN_AFTER: Final = timedelta(seconds=10)
MAX_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class Claim:
    """The right to work on something until the lease runs out."""

    kind: str
    work_id: uuid.UUID
    owner_id: uuid.UUID
    token: int
    attempts: int


def open_work(
    kind: str,
    work_id: uuid.UUID,
    owner_id: uuid.UUID,
    *,
    queue: str = "",
    lane: str = "",
    turn: float = 0,
    cost: float = 0,
) -> None:
    """Announce work, in the transaction that creates it."""
    Lease.objects.create(
        kind=kind,
        work_id=work_id,
        owner_id=owner_id,
        queue=queue,
        lane=lane,
        turn=turn,
        cost=cost,
    )


def claim(kind: str, *, among: QuerySet[Any, Any] | None = None) -> Claim | None:
    """Take one piece of waiting work, or None. Two claimants never get the same one."""
    free = Q(held_until=None) | Q(held_until__lt=Now())
    with transaction.atomic():
        rows = Lease.objects.filter(free, kind=kind, ready_at__lte=Now())
        if among is not None:
            rows = rows.filter(work_id__in=among)
        row = (
            rows.order_by("ready_at", "pk")
            .select_for_update(of=("self",), skip_locked=True)
            .first()
        )
        if row is None:
            return None
        Lease.objects.filter(pk=row.pk).update(
            token=F("token") + 1,
            attempts=F("attempts") + 1,
            held_until=Now() + HELD_FOR,
            progressed_at=Now(),
        )
        return Claim(kind, row.work_id, row.owner_id, row.token + 1, row.attempts + 1)


def renew(held: Claim, *, progressed: bool = False) -> bool:
    """Keep the claim alive. False: it was revoked, or somebody else holds it now.

    `progressed`: the work itself has come further, which a thread that only beats cannot say.
    """
    more = {"progressed_at": Now()} if progressed else {}
    return bool(_mine(held).update(held_until=Now() + HELD_FOR, **more))


def still_held(held: Claim) -> bool:
    """Lock the lease and check the token, in the transaction that commits the result."""
    return _mine(held).filter(held_until__gte=Now()).select_for_update().exists()


def is_held(kind: str, work_id: uuid.UUID) -> bool:
    """Whether somebody is working on it right now."""
    return Lease.objects.filter(kind=kind, work_id=work_id, held_until__gte=Now()).exists()


def close(held: Claim) -> bool:
    """The work is done; the row goes."""
    return bool(_mine(held).delete()[0])


def give_back(held: Claim, *, after: timedelta = timedelta(0), forgiven: bool = False) -> None:
    """Stop without an end: somebody may take it again after a while.

    `forgiven`: the fault lay outside the work, so the attempt is not counted.
    """
    _mine(held).update(
        held_until=None,
        ready_at=Now() + after,
        nudged_at=Now(),
        attempts=F("attempts") - (1 if forgiven else 0),
    )


def revoke(kind: str | None = None, **which: object) -> int:
    """Take work away from whoever holds it: cancelled, withdrawn, erased."""
    rows = Lease.objects.filter(**which)
    return rows.filter(kind=kind).delete()[0] if kind else rows.delete()[0]


def stalled(limit: int = 500) -> list[tuple[str, uuid.UUID]]:
    """(kind, work) that waits although nobody holds it; counted as nudged from now."""
    free = Q(held_until=None) | Q(held_until__lt=Now())
    with transaction.atomic():
        rows = list(
            Lease.objects.filter(free, ready_at__lte=Now(), nudged_at__lt=Now() - NUDGE_AGAIN_AFTER)
            .order_by("nudged_at")
            .select_for_update(skip_locked=True)[:limit]
        )
        Lease.objects.filter(pk__in=[row.pk for row in rows]).update(nudged_at=Now())
    return [(row.kind, row.work_id) for row in rows]


@contextmanager
def heartbeat(held: Claim) -> Iterator[Event]:
    """Renew in a thread while the block runs. The event is set when the lease is lost."""
    done, lost = Event(), Event()

    def beat() -> None:
        while not done.wait(RENEW_EVERY.total_seconds()):
            try:
                if not renew(held):
                    lost.set()
                    return
            except Exception as error:  # noqa: BLE001 - the database may come back in time
                log.warning("lease_not_renewed", extra={"error": type(error).__name__})
            finally:
                close_old_connections()

    thread = Thread(target=beat, name=f"lease-{held.kind}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()


def _mine(held: Claim) -> QuerySet[Lease]:
    return Lease.objects.filter(kind=held.kind, work_id=held.work_id, token=held.token)
