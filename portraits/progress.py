"""What a painter says while it paints, and asks at each step: one statement each, by primary key.

Both are called many times a portrait, so neither opens a transaction of several round trips.
"""

from typing import Any, Final

from django.db import connection

from portraits import live
from portraits.models import Item
from privacy import leases

# The rows are locked in the usual order, lease → job → item, because each part needs the one
# before it; where the lease is no longer ours, nothing moves.
_PROGRESS: Final = """
WITH held AS (
    UPDATE privacy_lease
    SET held_until = statement_timestamp() + %(held_for)s, progressed_at = statement_timestamp()
    WHERE kind = %(kind)s AND work_id = %(work_id)s AND token = %(token)s
      AND held_until IS NOT NULL
    RETURNING work_id
), job AS (
    UPDATE portraits_job SET sequence = portraits_job.sequence + 1
    FROM held JOIN portraits_item AS item ON item.id = held.work_id
    WHERE portraits_job.id = item.job_id
    RETURNING portraits_job.id, portraits_job.sequence, held.work_id
)
UPDATE portraits_item SET phase = %(phase)s, percent = %(percent)s, sequence = job.sequence
FROM job WHERE portraits_item.id = job.work_id AND portraits_item.state = %(running)s
RETURNING job.id
"""
_WANTED: Final = """
    SELECT 1 FROM privacy_lease
    WHERE kind = %s AND work_id = %s AND token = %s AND held_until IS NOT NULL
"""


def progress(held: leases.Claim, phase: Item.Phase, percent: int) -> bool:
    """Note how far it is, and keep the lease. False: stop, the item is no longer ours."""
    values: dict[str, Any] = {
        "held_for": leases.HELD_FOR,
        "kind": held.kind,
        "work_id": held.work_id,
        "token": held.token,
        "phase": str(phase),
        "percent": percent,
        "running": str(Item.State.RUNNING),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, values)
        row = cursor.fetchone()
    if row is None:
        return False
    live.tell(row[0])
    return True


def wanted(held: leases.Claim) -> bool:
    """Whether the item is still ours: neither cancelled, nor ended by time, nor taken back."""
    with connection.cursor() as cursor:
        cursor.execute(_WANTED, [held.kind, held.work_id, held.token])
        return cursor.fetchone() is not None
