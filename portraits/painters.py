"""Which engines are running right now: workers announce themselves, old rows mean nothing."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from django.db.models import Avg

from portraits.models import Painter

ANNOUNCE_EVERY: Final = timedelta(seconds=10)
ALIVE_FOR: Final = timedelta(seconds=30)
_NO_RATES: Final[Mapping[str, float]] = MappingProxyType({})


def announce(
    holder: str,
    engines: Iterable[str],
    now: datetime,
    *,
    state: Painter.State = Painter.State.READY,
    loaded: Collection[str] | None = None,
    rates: Mapping[str, float] = _NO_RATES,
    swap_seconds: float | None = None,
) -> None:
    """A gpu worker says what it serves, whether it takes work, and how fast it was.

    `loaded`: which of the engines are in memory; without it, all are. `swap_seconds`: how long it
    takes to load another, once it has.
    """
    rows = [
        Painter(
            holder=holder,
            engine=engine,
            state=state,
            loaded=loaded is None or engine in loaded,
            rate=rates.get(engine),
            swap_seconds=swap_seconds,
            seen_at=now,
        )
        # Two workers of one name take their rows in one order.
        for engine in sorted(engines)
    ]
    Painter.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["holder", "engine"],
        update_fields=["state", "loaded", "rate", "swap_seconds", "seen_at"],
    )


def leave(holder: str) -> None:
    """A gpu worker says goodbye."""
    Painter.objects.filter(holder=holder).delete()


def alive(now: datetime) -> set[str]:
    """Engines that somebody is running and takes work for."""
    fresh = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR, state=Painter.State.READY)
    return set(fresh.values_list("engine", flat=True))


def mean_rates(now: datetime) -> dict[str, float]:
    """Units of cost a second that a worker does, for each engine where one has measured it."""
    fresh = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR, rate__gt=0)
    found = fresh.values("engine").annotate(mean=Avg("rate"))
    return {row["engine"]: row["mean"] for row in found.order_by("engine")}


def forget(now: datetime) -> int:
    """Upkeep: drop rows of workers that are long gone."""
    return Painter.objects.filter(seen_at__lte=now - 2 * ALIVE_FOR).delete()[0]
