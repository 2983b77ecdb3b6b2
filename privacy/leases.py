"""The one pattern for background work: open, claim, renew, hold, close, requeue.

The row is the truth and Celery's message only a nudge: messages may be lost, doubled or late.
All times are the database's, so that no worker's clock decides. A claim carries a fencing token;
whoever was taken for dead finds the token moved on and cannot commit.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from threading import Event, Thread
from typing import Any, Final

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Least, Now

from privacy.models import Lease

log = logging.getLogger(__name__)

HELD_FOR: Final = timedelta(seconds=15)
# The channel on which a holder hears that its work was taken away: the work's id.
REVOKED: Final = "sitter_lease_revoked"
RENEW_EVERY: Final = timedelta(seconds=5)
NUDGE_AGAIN_AFTER: Final = timedelta(seconds=10)
MAX_ATTEMPTS: Final = 3
# In seconds, of a database that is away.
ASK_AGAIN_AFTER: Final = 0.5
# Attempts are counted up to here: the column has an end, and an erasure's attempts have none.
COUNTED_UP_TO: Final = 30_000
# How long a holder may go without getting on, however lively it renews. A kind that needs another
# measure says so in its AppConfig.
PATIENCE: Final = timedelta(minutes=2)
patience: dict[str, timedelta] = {}
# When this process has claimed something of a kind last.
_claimed_at: dict[str, float] = {}
_BORN: Final = time.monotonic()
# When blocks that still run have lost their leases: one that goes on for long hangs.
_lost_at: dict[int, float] = {}
# Who is told of work that is given up; filled in the AppConfig of the rooms above.
mourners: list[Callable[["Claim", datetime], None]] = []
# Whether somebody is working on it, as a column.
HELD: Final = ExpressionWrapper(Q(held_until__gte=Now()), output_field=BooleanField())


@dataclass(frozen=True)
class Claim:
    """The right to work on something until the lease runs out."""

    kind: str
    work_id: uuid.UUID
    owner_id: uuid.UUID
    token: int
    attempts: int
    cost: float = 0


@dataclass(frozen=True)
class Place:
    """Where a piece of work stands in a queue, and what it costs there."""

    queue: str
    lane: str
    turn: float
    cost: float


_HEADS: Final = """
    SELECT queue, (
        SELECT cost FROM privacy_lease AS lease
        WHERE lease.kind = %s AND lease.queue = asked.queue
          AND lease.ready_at <= statement_timestamp()
          AND (lease.held_until IS NULL OR lease.held_until < statement_timestamp())
        ORDER BY turn, ready_at LIMIT 1)
    FROM unnest(%s::text[]) AS asked (queue)
"""


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


def open_all(
    kind: str, owner_id: uuid.UUID, places: Mapping[uuid.UUID, Place], *, token: int = 0
) -> None:
    """Announce many pieces of one person's work, each at its place in a queue.

    `token`: for work that had a lease before, a number that none of its claims can have reached;
    counting from 0 again would let a holder in who was taken for dead in its first life.
    """
    Lease.objects.bulk_create(
        Lease(kind=kind, work_id=work_id, owner_id=owner_id, token=token, **asdict(place))
        for work_id, place in places.items()
    )


def heads(kind: str, queues: Sequence[str]) -> dict[str, float]:
    """What the next piece costs, for each of these queues where one waits."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [kind, list(queues)])
        return {queue: cost for queue, cost in cursor.fetchall() if cost is not None}


def claim(
    kind: str,
    *,
    queues: Sequence[str] | None = None,
    among: QuerySet[Any, Any] | None = None,
) -> Claim | None:
    """Take one piece of waiting work, or None. Two claimants never get the same one.

    From `queues` the smallest turn comes first, without them what has waited longest. One queue a
    call reads a few rows of an index; of several at once all that waits is sorted.
    """
    free = Q(held_until=None) | Q(held_until__lt=Now())
    order = ("ready_at", "pk") if queues is None else ("turn", "ready_at", "pk")
    # Most callers have a transaction of their own, which needs no second one inside it.
    with transaction.atomic(savepoint=False):
        rows = Lease.objects.filter(free, kind=kind, ready_at__lte=Now())
        if queues is not None:
            rows = rows.filter(queue__in=queues)
        if among is not None:
            rows = rows.filter(work_id__in=among)
        row = rows.order_by(*order).select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        if row.held_until is not None:
            _say_revoked([row.work_id])
        Lease.objects.filter(pk=row.pk).update(
            token=F("token") + 1,
            attempts=Least(F("attempts") + 1, COUNTED_UP_TO),
            held_until=Now() + HELD_FOR,
            progressed_at=Now(),
        )
    _claimed_at[kind] = time.monotonic()
    return Claim(kind, row.work_id, row.owner_id, row.token + 1, row.attempts + 1, row.cost)


def idle_for(kinds: Sequence[str]) -> float:
    """For how many seconds this process has claimed nothing of these kinds."""
    return time.monotonic() - max(_claimed_at.get(kind, _BORN) for kind in kinds)


def renew(held: Claim, *, progressed: bool = False) -> bool:
    """Keep the claim alive. False: it was revoked, or somebody else holds it now.

    `progressed`: the work itself has come further, which a thread that only beats cannot say.
    """
    more = {"progressed_at": Now()} if progressed else {}
    return bool(_mine(held).update(held_until=Now() + HELD_FOR, **more))


def still_held(held: Claim) -> bool:
    """Lock the lease and check the token, in the transaction that commits the result."""
    return _mine(held).filter(held_until__gte=Now()).select_for_update().exists()


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


def uncount(held: Claim) -> Claim:
    """Whoever held it before had not begun when it was lost: that attempt is not counted."""
    _mine(held).update(attempts=F("attempts") - 1)
    return replace(held, attempts=held.attempts - 1)


def forgive(held: Claim) -> bool:
    """Give it back once the database is there again, if it is in time; it was no fault of the work.

    False: the lease ran out before, and the attempt is counted.
    """
    until = time.monotonic() + HELD_FOR.total_seconds()
    while time.monotonic() < until:
        try:
            give_back(held, forgiven=True)
        except DatabaseError:
            connection.close()
            time.sleep(ASK_AGAIN_AFTER)
        else:
            return True
    return False


def revoke(kind: str | None = None, *, but: str | None = None, **which: object) -> int:
    """Take work away from whoever holds it: cancelled, withdrawn, erased. `but`: not this kind."""
    rows = Lease.objects.filter(**which, **({"kind": kind} if kind else {})).exclude(kind=but)
    with transaction.atomic(savepoint=False):
        locked = rows.order_by("pk").select_for_update().values_list("work_id", "held_until")
        _say_revoked([work_id for work_id, held in locked if held is not None])
        return rows.delete()[0]


def hold(kind: str, work_ids: Sequence[uuid.UUID]) -> None:
    """Lock work in the caller's transaction: whoever wants to claim some passes it by."""
    rows = Lease.objects.filter(kind=kind, work_id__in=work_ids).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))


def waiting(
    kinds: Sequence[str], longer_than: timedelta, *, queues: Sequence[str] | None = None
) -> tuple[str, uuid.UUID] | None:
    """(kind, work) that has waited longest, if that is so long, although it is ready to be taken.

    `queues`: of these alone, where not everybody takes everything.
    """
    free = Q(held_until=None) | Q(held_until__lt=Now())
    rows = Lease.objects.filter(free, kind__in=kinds, ready_at__lt=Now() - longer_than)
    if queues is not None:
        rows = rows.filter(queue__in=queues)
    return rows.order_by("ready_at", "pk").values_list("kind", "work_id").first()


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


def take_back() -> list[tuple[str, uuid.UUID]]:
    """Take work from whoever renews its lease and does not get on: it hangs.

    The token moves on, so that a holder that wakes up commits nothing, and the attempt stays
    counted. Returns (kind, work), which others may claim now.
    """
    others = Q(progressed_at__lt=Now() - PATIENCE) & ~Q(kind__in=patience)
    slow = [Q(kind=kind, progressed_at__lt=Now() - limit) for kind, limit in patience.items()]
    with transaction.atomic():
        rows = list(
            Lease.objects.filter(reduce(or_, slow, others), held_until__gte=Now())
            .order_by("pk")
            .select_for_update(skip_locked=True)
        )
        Lease.objects.filter(pk__in=[row.pk for row in rows]).update(
            token=F("token") + 1, held_until=None, ready_at=Now(), nudged_at=Now()
        )
        _say_revoked([row.work_id for row in rows])
    for row in rows:
        extra = {"kind": row.kind, "work_id": str(row.work_id), "attempts": row.attempts}
        log.warning("lease_taken_back", extra=extra)
    return [(row.kind, row.work_id) for row in rows]


def give_up(held: Claim, now: datetime) -> None:
    """Say that every attempt has failed, in the transaction that ends the work."""
    extra = {"kind": held.kind, "work_id": str(held.work_id), "attempts": held.attempts}
    log.error("work_given_up", extra=extra)
    for mourn in mourners:
        mourn(held, now)


def overstayed() -> float:
    """For how many seconds somebody in this process has gone on with what they have lost."""
    since = list(_lost_at.values())
    return time.monotonic() - min(since) if since else 0.0


@contextmanager
def heartbeat(held: Claim) -> Iterator[Event]:
    """Renew in a thread while the block runs. The event is set when the lease is lost."""
    done, lost = Event(), Event()

    def beat() -> None:
        while not done.wait(RENEW_EVERY.total_seconds()):
            try:
                if not renew(held):
                    _lost_at[id(lost)] = time.monotonic()
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
        _lost_at.pop(id(lost), None)


def _say_revoked(work_ids: Sequence[uuid.UUID]) -> None:
    """Tell the holders once the transaction commits; who hears nothing finds out by asking."""
    if work_ids:
        with connection.cursor() as cursor:
            query = "SELECT pg_notify(%s, id::text) FROM unnest(%s::uuid[]) AS id"
            cursor.execute(query, [REVOKED, list(work_ids)])


def _mine(held: Claim) -> QuerySet[Lease]:
    return Lease.objects.filter(kind=held.kind, work_id=held.work_id, token=held.token)
