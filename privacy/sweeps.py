"""What time does to blobs, and whether everything that ends has ended.

Each sweep is idempotent, takes a batch at a time, may run twice at once and catches up after any
pause. The rows that are not blobs end in terms.py.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from privacy import (
    audit,
    bucket,
    claims,
    dispatch,
    erasure,
    leases,
    notices,
    periods,
    retention,
    rows,
    storage,
    terms,
    vault,
)
from privacy.desk import cases
from privacy.errors import StorageDown
from privacy.models import Blob, Erasure, Lease

log = logging.getLogger(__name__)

BATCH: Final = 1000
# Shredding touches no object; what costs is the commit, so a batch of it is larger.
SHRED_BATCH: Final = 5000
NUDGES_A_KIND: Final = 4
# The entry of the beat table that counts the backlog.
BACKLOG: Final = "backlog"
# Requeueing looks at all waiting work again and again; what it has not seen for this long is lost.
UNATTENDED: Final = timedelta(minutes=5)
WAITING: Final = timedelta(days=1)
# Kinds of work that are tried more often than others, on purpose.
patient: set[str] = {erasure.LEASE}
# What the rooms above count into the backlog; filled in their AppConfig.
counted: list[Callable[[datetime], dict[str, int]]] = []

# One statement a batch, by the partial index blob_due: the cost follows what is due and not what
# exists. A row that somebody holds, such as an owner who is moving its deadline, is left to the
# next run. Stored and registered rows go apart, because a statement does not see a capsule that
# was committed after it began: a row that was stored meanwhile no longer matches "registered", and
# one that matches "stored" was stored, capsule and all, when the statement began.
# A row is found again by its place: looking up its id anew would nearly double the cost. One that
# moved before it was locked is at another place by then, and is left to the next run as well.
_DUE = """
WITH due AS (
    SELECT ctid AS place FROM privacy_blob
    WHERE expires_at BETWEEN %s AND %s AND state <> 'shredded' AND state = %s
    ORDER BY expires_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
), shredded AS (
    UPDATE privacy_blob SET state = 'shredded' FROM due WHERE privacy_blob.ctid = due.place
    RETURNING privacy_blob.id, privacy_blob.expires_at
), capsules AS (
    DELETE FROM privacy_capsule USING shredded WHERE blob_id = shredded.id
)
SELECT count(*), max(expires_at) FROM shredded
"""
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


def expire(now: datetime) -> int:
    """Destroy what has reached its deadline, in batches, until nothing is due; then reap."""
    total, after = 0, LONG_AGO
    while True:
        found, after = expire_batch(now, after=after)
        if not found:
            break
        total += found
    with suppress(StorageDown):
        reap()
    return total


def expire_batch(
    now: datetime, limit: int = SHRED_BATCH, *, after: datetime = LONG_AGO
) -> tuple[int, datetime]:
    """Shred at most so many due blobs; returns how many, and where the next batch begins.

    Beginning anew each time would pass by all that the batches before have left behind.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, [after, now, str(Blob.State.STORED), limit])
        total, last = cursor.fetchone()
        # Looking for the few registered ones passes by every stored one that is still due.
        if total < limit:
            cursor.execute(_DUE, [LONG_AGO, now, str(Blob.State.REGISTERED), limit - total])
            total += cursor.fetchone()[0]
        if total:
            audit.record(audit.Verb.BLOBS_EXPIRED, count=total, reason=audit.Reason.DEADLINE)
    return total, last or after


def reap() -> int:
    """Delete the bodies and rows of shredded blobs. A bucket that is down only delays this.

    Where the bucket keeps versions, deleting a body means all of them and their markers.
    """
    total = 0
    while True:
        with transaction.atomic():
            found = list(
                Blob.objects.filter(state=Blob.State.SHREDDED)
                .order_by("pk")
                .select_for_update(skip_locked=True)
                .values_list("pk", "name")[:BATCH]
            )
            names = [name for _, name in found]
            if names and bucket.versioned():
                storage.purge_names(names)
            elif names:
                storage.delete(names)
            rows.drop(Blob, [pk for pk, _ in found])
        total += len(found)
        if len(found) < BATCH:
            return total


def reap_orphans(now: datetime) -> int:
    """Shred what was registered and never confirmed, and delete objects that no row knows."""
    old = now - retention.ORPHAN_GRACE
    stale = Blob.objects.filter(state=Blob.State.REGISTERED, created_at__lt=old)
    total = vault.destroy(stale, verb=audit.Verb.BLOBS_EXPIRED, why=audit.Reason.UNFINISHED)
    total += reap()
    for kind in retention.Kind:
        seen = storage.names_older_than(f"{kind.name.lower()}/", old)
        for start in range(0, len(seen), BATCH):
            batch = seen[start : start + BATCH]
            known = set(Blob.named(batch).values_list("name", flat=True))
            lost = [name for name in batch if name not in known]
            storage.delete(lost)
            total += len(lost)
    # A body that a dying worker put after the proof is gone now, so the prefix can go too.
    Erasure.objects.filter(stage=Erasure.Stage.PROVED, proved_at__lt=old).update(prefix="")
    return total


def requeue() -> int:
    """Nudge again for work that waits: its message was lost, or its worker died or hangs.

    Every task drains its queue, so a few nudges a kind wake everybody; one for each waiting item
    would fill the broker while the workers are busy.
    """
    waiting = [*leases.take_back(), *leases.stalled()]
    sent: Counter[str] = Counter()
    for kind, work_id in waiting:
        if sent[kind] < NUDGES_A_KIND:
            dispatch.nudge(kind, work_id)
        sent[kind] += 1
    return len(waiting)


# --- The backlog ---------------------------------------------------------------------------------


def overdue(now: datetime) -> dict[str, int]:
    """What exists past its end by more than its sweeps' grace, by sort."""
    missed = now - retention.BLOB_GRACE
    over = now - retention.ROW_GRACE
    late = Blob.objects.filter(expires_at__lte=missed).exclude(state=Blob.State.SHREDDED)
    bodies = Blob.objects.filter(expires_at__lte=over, state=Blob.State.SHREDDED)
    return {
        "past_deadline": late.count(),
        "bodies_not_deleted": bodies.count(),
        "face_claims_overdue": claims.overdue(now),
        "accounts_late": notices.late(over),
        "orders_untold": notices.orders_late(over),
        **{f"{name}_past_term": count for name, count in terms.late(over).items()},
    }


def backlog(now: datetime) -> dict[str, int]:
    """What is overdue, and work that nobody gets on with. All of them must be 0."""
    free = Lease.objects.filter(Q(held_until=None) | Q(held_until__lt=now), ready_at__lte=now)
    tired = Lease.objects.filter(attempts__gt=leases.MAX_ATTEMPTS)
    return {
        **overdue(now),
        "work_unattended": free.filter(nudged_at__lt=now - UNATTENDED).count(),
        "work_waiting_too_long": free.filter(ready_at__lt=now - WAITING).count(),
        "attempts_exhausted": tired.exclude(kind__in=patient).count(),
        "beat_silent": int(periods.silent()),
        "erasures_late": erasure.late(now),
        **cases.backlog(now),
        **{name: count for counts in counted for name, count in counts(now).items()},
    }


def watch(now: datetime) -> dict[str, int]:
    """Log the backlog as one event, a warning when it is not empty, and keep it for the metrics."""
    counts = backlog(now)
    periods.note(BACKLOG, counts, now)
    total = sum(counts.values())
    level = logging.WARNING if total else logging.INFO
    log.log(level, "backlog", extra={"count": total, "backlog": counts})
    return counts
