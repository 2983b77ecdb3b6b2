"""How much may wait: for one person, and in all. Whoever is refused has lost nothing."""

import math
import uuid
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection

from portraits import queue
from portraits.endings import LEASE
from portraits.errors import QueueFull, TooManyOpen
from portraits.models import Job

# Seconds after which asking again is worth while where nobody can say when something will end:
# of one person's, and of everybody's.
SOME_TIME: Final = 30
A_WHILE: Final = 120
LONGEST: Final = 600

# One's own, and everybody's, which are counted no further than it takes to know.
_OPEN: Final = """
    SELECT (SELECT count(*) FROM privacy_lease WHERE kind = %s AND owner_id = %s),
           (SELECT count(*) FROM (SELECT 1 FROM privacy_lease WHERE kind = %s LIMIT %s) AS lease)
"""


def check(owner_id: uuid.UUID, count: int, now: datetime) -> None:
    """Raise TooManyOpen or QueueFull where so many more would be too many.

    The cap of a person is exact: the caller's other orders wait behind their allowance's row. That
    of the queue is looked at without a lock on everybody, so orders of the same moment may pass it
    together; the next one does not.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [LEASE, owner_id, LEASE, settings.QUEUE_LIMIT + 1])
        own, all_of_them = cursor.fetchone()
    if own + count > settings.OPEN_ITEMS:
        refused = TooManyOpen()
        refused.retry_after = _until_the_first_has_ended(owner_id, now)
        raise refused
    if all_of_them + count > settings.QUEUE_LIMIT:
        full = QueueFull()
        full.retry_after = A_WHILE
        raise full


def _until_the_first_has_ended(owner_id: uuid.UUID, now: datetime) -> int:
    first = Job.objects.filter(owner_id=owner_id, state__in=Job.OPEN).order_by("created_at").first()
    found = queue.standing(first.pk, now) if first else None
    if found is None or found.eta_seconds is None:
        return SOME_TIME
    return max(1, min(LONGEST, math.ceil(found.eta_seconds)))
