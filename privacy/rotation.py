"""The keeper's turn of the portrait roots: make, rewrap, retire, destroy.

Every part may be cut off anywhere and repeated. A batch of owner keys moves in one transaction, so
that a key is wrapped under the old root or under the new one, with the epoch's name beside it, and
never half of each. A person who is erased meanwhile stays erased: their row is locked, and a key
that was destroyed is never wrapped again. A root is destroyed only after its wait, and only when no
living owner refers to it; whoever was wrapped under it late is picked up by the next turn.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from privacy import audit, crypto, epochs
from privacy.errors import SealBroken
from privacy.models import OwnerKey, RootEpoch

log = logging.getLogger(__name__)
BATCH: Final = 1000
FIRST: Final = uuid.UUID(int=0)

_CHOOSE: Final = """
SELECT owner_id, wrapped, root_epoch FROM privacy_ownerkey
WHERE owner_id {after} %s AND destroyed_at IS NULL AND wrapped IS NOT NULL AND root_epoch = ANY(%s)
ORDER BY owner_id LIMIT %s FOR NO KEY UPDATE {skip}
"""
_STORE: Final = """
UPDATE privacy_ownerkey AS k SET wrapped = new.wrapped, root_epoch = %s
FROM unnest(%s::uuid[], %s::bytea[]) AS new (owner_id, wrapped) WHERE k.owner_id = new.owner_id
"""


@dataclass(frozen=True)
class Turn:
    """What one turn did."""

    made: str | None
    rewrapped: int
    # Owner keys that do not open under the root they name; their root stays until somebody looks.
    damaged: int
    destroyed: tuple[str, ...]


def turn(
    now: datetime, *, force: bool = False, told: Callable[[int, int], None] | None = None
) -> Turn:
    """Do whatever is due; `told` hears (done, to do) behind each batch. Raises KeyNotHeld."""
    made = epochs.make(now, force=force)
    rewrapped, damaged = _rewrap(told)
    if damaged:
        log.error("owner_keys_damaged", extra={"count": damaged})
    return Turn(made, rewrapped, damaged, tuple(epochs.destroy_due(now)))


def _rewrap(told: Callable[[int, int], None] | None) -> tuple[int, int]:
    """(moved, damaged): every living owner key that an older living root wraps."""
    label = epochs.newest()
    olds = list(
        RootEpoch.objects.filter(destroyed_at=None)
        .exclude(label=label)
        .values_list("label", flat=True)
    )
    waiting = OwnerKey.objects.filter(root_epoch__in=olds, destroyed_at=None)
    total = waiting.count()
    if not total:
        return 0, 0
    roots = {old: epochs.read(old) for old in (label, *olds)}
    moved = 0
    # Those that somebody holds are left for the second round, which waits for them.
    for skip in ("SKIP LOCKED", ""):
        after: uuid.UUID | None = None
        while True:
            with transaction.atomic():
                rows = _choose(after, olds, skip)
                done = _store(rows, roots, label)
            moved += done
            if not rows:
                break
            after = rows[-1][0]
            if told:
                told(moved, max(total, moved))
    return moved, waiting.count()


Row = tuple[uuid.UUID, bytes, str]


def _choose(after: uuid.UUID | None, olds: list[str], skip: str) -> list[Row]:
    statement = _CHOOSE.format(after=">=" if after is None else ">", skip=skip)
    with connection.cursor() as cursor:
        cursor.execute(statement, [after or FIRST, olds, BATCH])
        return [(owner, bytes(wrapped), old) for owner, wrapped, old in cursor.fetchall()]


def _store(rows: list[Row], roots: dict[str, bytes], label: str) -> int:
    """Wrap a batch anew under the lock of its rows; one statement and one event."""
    owners, wrapped = [], []
    for owner, old, epoch in rows:
        try:
            seed = crypto.unwrap(old, roots[epoch], owner)
        except SealBroken:
            continue
        owners.append(owner)
        wrapped.append(crypto.wrap(seed, roots[label], owner))
    if not owners:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [label, owners, wrapped])
    audit.record(audit.Verb.OWNERS_REWRAPPED, count=len(owners))
    return len(owners)
