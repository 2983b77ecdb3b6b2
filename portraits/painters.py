"""Which engines are running right now: workers announce themselves, old rows mean nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from portraits.models import Painter

ANNOUNCE_EVERY: Final = timedelta(seconds=10)
ALIVE_FOR: Final = timedelta(seconds=30)


def announce(holder: str, engines: Iterable[str], now: datetime) -> None:
    """A gpu worker says what it has loaded."""
    Painter.objects.bulk_create(
        [Painter(holder=holder, engine=engine, seen_at=now) for engine in engines],
        update_conflicts=True,
        unique_fields=["holder", "engine"],
        update_fields=["seen_at"],
    )


def leave(holder: str) -> None:
    """A gpu worker says goodbye."""
    Painter.objects.filter(holder=holder).delete()


def alive(now: datetime) -> set[str]:
    """Engines that somebody is running."""
    fresh = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR)
    return set(fresh.values_list("engine", flat=True))


def forget(now: datetime) -> int:
    """Upkeep: drop rows of workers that are long gone."""
    return Painter.objects.filter(seen_at__lte=now - 2 * ALIVE_FOR).delete()[0]
