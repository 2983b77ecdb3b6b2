"""How many portraits a person may have in a day and in a month, counted in the database.

An item counts from the moment it is ordered, in the transaction that creates it. When its job ends
without its portrait, it is taken off again, in the day and the month in which it was counted; until
then it may be tried once more, so its place is kept. What was stopped while a worker painted it
stays counted, and a re-roll never counts.

The rows of `Allowance` are locked behind everything else, the day's before the month's:
owner → lease → job → item → reference set → allowance.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from portraits.errors import AllowanceUsed, DailyAllowanceUsed, MonthlyAllowanceUsed
from portraits.models import Allowance, Item

Period = Allowance.Period

# One statement, so that of any number of requests at once only those pass that fit. The month is
# counted only behind a day that fitted, which also keeps their rows in order.
_TAKE: Final = """
    WITH day AS (
        INSERT INTO portraits_allowance AS held (owner_id, period, starts, used)
        SELECT %(owner)s, 'day', %(day)s, %(count)s WHERE %(count)s <= %(a_day)s
        ON CONFLICT (owner_id, period, starts) DO UPDATE SET used = held.used + excluded.used
        WHERE excluded.used = 0 OR held.used + excluded.used <= %(a_day)s
        RETURNING used
    ), month AS (
        INSERT INTO portraits_allowance AS held (owner_id, period, starts, used)
        SELECT %(owner)s, 'month', %(month)s, %(count)s FROM day WHERE %(count)s <= %(a_month)s
        ON CONFLICT (owner_id, period, starts) DO UPDATE SET used = held.used + excluded.used
        WHERE excluded.used = 0 OR held.used + excluded.used <= %(a_month)s
        RETURNING used
    )
    SELECT (SELECT count(*) FROM day), (SELECT count(*) FROM month)
"""
# What ended without a portrait and owes nothing: it was not painted, or not to an end.
_UNSERVED: Final = Q(state__in=[Item.State.FAILED, Item.State.BLOCKED, Item.State.EXPIRED]) | Q(
    state=Item.State.CANCELLED, started_at=None
)


@dataclass(frozen=True)
class Share:
    """What a person has had of one period."""

    limit: int
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """How many more they get before it starts anew."""
        return max(0, self.limit - self.used)


def charge(owner_id: uuid.UUID, count: int, now: datetime) -> None:
    """Count so many portraits, or raise DailyAllowanceUsed or MonthlyAllowanceUsed.

    The caller's transaction must then end without a change. Two orders of one person wait for each
    other here until the first has committed, even with a count of 0, so whoever counts what a
    person has open after this counts right.
    """
    values: dict[str, Any] = {
        "owner": owner_id, "count": count,
        "day": starts(Period.DAY, now), "a_day": _limit(Period.DAY),
        "month": starts(Period.MONTH, now), "a_month": _limit(Period.MONTH),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        taken = cursor.fetchone()
    for (period, refusal), fitted in zip(_REFUSALS.items(), taken, strict=True):
        if not fitted:
            refused = refusal()
            refused.retry_after = _seconds(ends(period, now) - now)
            raise refused


def refund(job_id: uuid.UUID, owner_id: uuid.UUID, ordered_at: datetime) -> int:
    """Take off what a job that has just ended owes no portrait for; returns how many.

    Each item at most once, because its mark is taken with it. Whose free re-roll came to nothing
    has it still.
    """
    unserved = Item.objects.filter(_UNSERVED, job_id=job_id)
    unserved.exclude(reroll_of=None).update(reroll_of=None)
    count = unserved.filter(charged=True).update(charged=False)
    if count:
        for period in _REFUSALS:
            held = Allowance.objects.filter(owner_id=owner_id, period=period)
            held.filter(starts=starts(period, ordered_at)).update(used=F("used") - count)
    return count


def shares(owner_id: uuid.UUID, now: datetime) -> dict[str, Share]:
    """The person's day and month, as they stand."""
    found = {
        (row.period, row.starts): row.used for row in Allowance.objects.filter(owner_id=owner_id)
    }
    return {
        str(period): Share(
            _limit(period), found.get((period, starts(period, now)), 0), ends(period, now)
        )
        for period in _REFUSALS
    }


def starts(period: Period, at: datetime) -> date:
    """The first day of the period that a moment lies in."""
    today = at.astimezone(UTC).date()
    return today if period is Period.DAY else today.replace(day=1)


def ends(period: Period, at: datetime) -> datetime:
    """When the next one begins."""
    first = starts(period, at)
    if period is Period.DAY:
        following = first + timedelta(days=1)
    else:
        following = (first + timedelta(days=31)).replace(day=1)
    return datetime.combine(following, time(), UTC)


# In the order in which their rows are locked.
_REFUSALS: Final[dict[Period, type[AllowanceUsed]]] = {
    Period.DAY: DailyAllowanceUsed,
    Period.MONTH: MonthlyAllowanceUsed,
}


def _limit(period: Period) -> int:
    return settings.DAILY_PORTRAITS if period is Period.DAY else settings.MONTHLY_PORTRAITS


def _seconds(left: timedelta) -> int:
    """Rounded up: whoever waits so long is not refused for coming a moment early."""
    return int(left.total_seconds()) + 1
