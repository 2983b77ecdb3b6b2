"""By when a request is due: by the region's own clock, never later than a calendar month where the
law says a month, and moved once at most."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Region
from privacy.desk import law


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 9, 30, tzinfo=UTC)


def test_every_region_has_a_clock_and_says_who_says_so() -> None:
    assert set(law.CLOCKS) == set(Region)
    for clock in law.CLOCKS.values():
        assert clock.days in (30, 45)
        assert clock.more > 0
        assert len(clock.source) > 20


@pytest.mark.parametrize(
    ("region", "received", "due"),
    [
        (Region.EU_UK, at(2026, 3, 10), at(2026, 4, 9)),
        # A month that has a February in it is shorter than thirty days.
        (Region.EU_UK, at(2027, 1, 30), at(2027, 2, 28)),
        (Region.EU_UK, at(2028, 2, 3), at(2028, 3, 3)),
        (Region.OTHER, at(2026, 12, 31), at(2027, 1, 30)),
        (Region.US_CA, at(2027, 1, 30), at(2027, 3, 16)),
        (Region.US_TX, at(2026, 3, 10), at(2026, 4, 24)),
    ],
)
def test_the_date_is_the_regions_own(region: Region, received: datetime, due: datetime) -> None:
    assert law.due(region, received) == due


def test_it_can_be_moved_by_what_the_law_gives() -> None:
    due = at(2026, 4, 9)
    assert law.extended(Region.EU_UK, due) - due == timedelta(days=60)
    assert law.extended(Region.US_WA, due) - due == timedelta(days=45)
