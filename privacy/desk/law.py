"""By when a request has to be answered, by where the person lives. Pure data and two functions.

Engineering readings of the law, not legal advice. The first answer within 48 hours is a promise of
ours (retention.CASE_ANSWER) and the same everywhere.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from accounts.models import Region


@dataclass(frozen=True)
class Clock:
    """`days` to answer, `more` days once, if the person is told why; `source` says who says so."""

    days: int
    more: int
    source: str
    # A month is shorter than thirty days where it has a February in it.
    a_month: bool = False


_OURS: Final = "by our own choice, as in the European Union; no law of the place names a date"
CLOCKS: Final[dict[Region, Clock]] = {
    Region.EU_UK: Clock(30, 60, "GDPR and UK GDPR, article 12(3)", a_month=True),
    Region.US_CA: Clock(45, 45, "California Civil Code, section 1798.130(a)(2)"),
    Region.US_WA: Clock(45, 45, "My Health My Data Act, RCW 19.373.040"),
    Region.US_TX: Clock(45, 45, "Texas Business and Commerce Code, section 541.052"),
    Region.US_IL: Clock(30, 60, _OURS, a_month=True),
    Region.OTHER: Clock(30, 60, _OURS, a_month=True),
}


def due(region: str, received_at: datetime) -> datetime:
    """The day on which the answer is late."""
    clock = CLOCKS[Region(region)]
    end = received_at + timedelta(days=clock.days)
    return min(end, _a_month_after(received_at)) if clock.a_month else end


def extended(region: str, due_at: datetime) -> datetime:
    """The same once it is moved, which the law allows once."""
    return due_at + timedelta(days=CLOCKS[Region(region)].more)


def _a_month_after(moment: datetime) -> datetime:
    """The same day of the next month, or its last one."""
    year, month = divmod(moment.year * 12 + moment.month, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
