"""The one pattern for background work: open, claim, renew, hold, close, requeue.

The row is the truth and Celery's message only a nudge: messages may be lost, doubled or late.
All times are the database's, so that no worker's clock decides. A claim carries a fencing token;
whoever was taken for dead finds the token moved on and cannot commit.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now

from privacy.models import Lease

log = logging.getLogger(__name__)

HELD_FOR: Final = timedelta(seconds=15)
# The channel on which a holder hears that its work was taken away: the work's id.
REVOKED: Final = "sitter_lease_revoked"
RENEW_EVERY: Final = timedelta(seconds=5)
NUDGE_AGAIN_AFTER: Final = timedelta(seconds=10)
MAX_ATTEMPTS: Final = 3
# So often it is believed that a process died of something else than what waited in it.
MAX_SPARED: Final = 3
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

    queue: str = ""
    lane: str = ""
    turn: float = 0
    cost: float = 0


_HEADS: Final = """
    SELECT queue, (
        SELECT cost FROM privacy_lease AS lease
        WHERE lease.kind = %s AND lease.queue = asked.queue
          AND lease.ready_at <= statement_timestamp()
          AND (lease.held_until IS NULL OR lease.held_until < statement_timestamp())
        ORDER BY turn, ready_at LIMIT 1)
    FROM unnest(%s::text[]) AS asked (queue)
"""
_OPEN: Final = """
    INSERT INTO privacy_lease (kind, owner_id, token, attempts, ready_at, nudged_at,
        work_id, queue, lane, turn, cost)
    SELECT %s, %s, %s, 0, statement_timestamp(), statement_timestamp(), place.*
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::float8[], %s::float8[]) AS place
"""
# Written out, like what closes a lease, because a worker asks it before and after all that it does.
_CLAIM: Final = """
    WITH free AS (
        SELECT id, held_until IS NOT NULL AS was_held FROM privacy_lease
        WHERE kind = %s AND ready_at <= statement_timestamp()
          AND (held_until IS NULL OR held_until < statement_timestamp()) {narrowed}
        ORDER BY {order} LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE privacy_lease AS lease
    SET token = token + 1, attempts = least(attempts + 1, %s),
        held_until = statement_timestamp() + %s, progressed_at = statement_timestamp()
    FROM free WHERE lease.id = free.id
    RETURNING work_id, owner_id, token, attempts, cost, was_held
"""
_CLOSE: Final = "DELETE FROM privacy_lease WHERE kind = %s AND work_id = %s AND token = %s"
_REVOKE: Final = """
    WITH doomed AS (
        SELECT id, held_until IS NOT NULL AS was_held FROM privacy_lease
        WHERE {which} ORDER BY id FOR UPDATE
    )
    DELETE FROM privacy_lease AS lease USING doomed WHERE lease.id = doomed.id
    RETURNING work_id, was_held
"""
_IN_TIME: Final = f"{_CLOSE} AND held_until >= statement_timestamp()"
_HELD: Final = """
    SELECT 1 FROM privacy_lease
    WHERE kind = %s AND work_id = %s AND token = %s AND held_until >= statement_timestamp()
    FOR UPDATE
"""


def open_work(kind: str, work_id: uuid.UUID, owner_id: uuid.UUID, **place: Any) -> None:
    """Announce work, in the transaction that creates it. `place`: fields of Place."""
    open_all(kind, owner_id, {work_id: Place(**place)})


def open_all(
    kind: str, owner_id: uuid.UUID, places: Mapping[uuid.UUID, Place], *, token: int = 0
) -> None:
    """Announce many pieces of one person's work, each at its place in a queue.

    `token`: for work that had a lease before, a number that none of its claims can have reached;
    counting from 0 again would let a holder in who was taken for dead in its first life.
    """
    columns = zip(*((pk, *astuple(place)) for pk, place in places.items()), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [kind, owner_id, token, *map(list, columns)])


def heads(kind: str, queues: Sequence[str]) -> dict[str, float]:
    """What the next piece costs, for each of these queues where one waits."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [kind, list(queues)])
        return {queue: cost for queue, cost in cursor.fetchall() if cost is not None}


def claim(
    kind: str,
    *,
    queues: Sequence[str] | None = None,
    among: Iterable[uuid.UUID] | None = None,
) -> Claim | None:
    """Take one piece of waiting work, or None. Two claimants never get the same one.

    From `queues` the smallest turn comes first, without them what has waited longest. One queue a
    call reads a few rows of an index; of several at once all that waits is sorted.
    """
    order = "ready_at, id" if queues is None else "turn, ready_at, id"
    narrowed = ""
    given: list[Any] = [kind]
    if queues is not None:
        # One name is compared and not looked up in a list, for the index that is sorted by turns.
        narrowed += " AND queue = %s" if len(queues) == 1 else " AND queue = ANY(%s)"
        given.append(queues[0] if len(queues) == 1 else list(queues))
    if among is not None:
        narrowed += " AND work_id = ANY(%s::uuid[])"
        given.append(list(among))
    # Most callers have a transaction of their own, which needs no second one inside it.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        given += [COUNTED_UP_TO, HELD_FOR]
        cursor.execute(_CLAIM.format(narrowed=narrowed, order=order), given)
        row = cursor.fetchone()
        if row is None:
            return None
        work_id, owner_id, token, attempts, cost, was_held = row
        if was_held:
            _say_revoked([work_id])
    _claimed_at[kind] = time.monotonic()
    return Claim(kind, work_id, owner_id, token, attempts, cost)


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
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [held.kind, held.work_id, held.token])
        return cursor.fetchone() is not None


def close(held: Claim, *, in_time: bool = False) -> bool:
    """The work is done; the row goes.

    `in_time`: only while it is held, for whoever commits a result behind this: `still_held` and the
    end in one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_TIME if in_time else _CLOSE, [held.kind, held.work_id, held.token])
        return bool(cursor.rowcount)


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
    """Whoever held it before had not begun when it was lost: that attempt is not counted.

    Only so often: what is always there when a process dies may be why.
    """
    spared = _mine(held).filter(spared__lt=MAX_SPARED)
    if not spared.update(attempts=F("attempts") - 1, spared=F("spared") + 1):
        return held
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


def revoke(
    kind: str | None = None,
    work_ids: Sequence[uuid.UUID] | None = None,
    *,
    owner_id: uuid.UUID | None = None,
    but: str | None = None,
) -> int:
    """Take work away from whoever holds it: cancelled, withdrawn, erased. `but`: not this kind.

    All that is named must fit. Returns how much that was.
    """
    named: dict[str, Any] = {"kind = %s": kind, "owner_id = %s": owner_id, "kind <> %s": but}
    given = {condition: value for condition, value in named.items() if value is not None}
    if work_ids is not None:
        if not work_ids:
            return 0
        given["work_id = ANY(%s::uuid[])"] = list(work_ids)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_REVOKE.format(which=" AND ".join(given)), list(given.values()))
        gone = cursor.fetchall()
        _say_revoked([work_id for work_id, was_held in gone if was_held])
        return len(gone)


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


def take_from(kind: str, work_id: uuid.UUID) -> bool:
    """Take one piece of work from whoever holds it, for others to claim now. False: none is open.

    As `take_back` does, but whether it hangs was decided by somebody who has looked.
    """
    with transaction.atomic(savepoint=False):
        mine = Lease.objects.filter(kind=kind, work_id=work_id)
        found = mine.update(token=F("token") + 1, held_until=None, ready_at=Now(), nudged_at=Now())
        _say_revoked([work_id] if found else [])
    return bool(found)


def give_up(held: Claim, now: datetime) -> None:
    """Say that every attempt has failed, in the transaction that ends the work."""
    extra = {"kind": held.kind, "work_id": str(held.work_id), "attempts": held.attempts}
    log.error("work_given_up", extra=extra)
    for mourn in mourners:
        mourn(held, now)


def _say_revoked(work_ids: Sequence[uuid.UUID]) -> None:
    """Tell the holders once the transaction commits; who hears nothing finds out by asking."""
    if work_ids:
        with connection.cursor() as cursor:
            query = "SELECT pg_notify(%s, id::text) FROM unnest(%s::uuid[]) AS id"
            cursor.execute(query, [REVOKED, list(work_ids)])


def _mine(held: Claim) -> QuerySet[Lease]:
    return Lease.objects.filter(kind=held.kind, work_id=held.work_id, token=held.token)
