"""Numbers the changes of a job that a client can see, so that a late answer rewinds nothing."""

import uuid

from django.db import connection

from portraits import live

_STAMP = """
    UPDATE portraits_job SET sequence = sequence + 1
    WHERE id = (SELECT job_id FROM portraits_item WHERE id = %s) RETURNING id, sequence
"""


def stamp(item_id: uuid.UUID) -> int:
    """Lock the item's job in the caller's transaction; returns the number of this change."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, [item_id])
        job_id, number = cursor.fetchone()
    live.tell(job_id)
    return int(number)
