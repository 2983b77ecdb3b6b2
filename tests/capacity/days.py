"""Small days for the tests of the capacity plan: some hundred portraits, a handful of workers."""

from collections.abc import Iterator
from typing import Any

from deploy.capacity.outcome import Outcome
from deploy.capacity.painter import Timings
from deploy.capacity.shapes import SHAPES
from deploy.capacity.simulation import Fleet, Simulation
from deploy.capacity.trace import Mix, Order, Paint, orders

TIMINGS = Timings(nudge=0.003, fetch=0.04, store=0.15, swap=10.0, start=60.0)
ONE = {"klein": Paint(400.0, 1.0)}
TWO = {"klein": Paint(400.0, 1.0), "words": Paint(800.0, 2.0)}
HOUR = 3600.0
BEGIN = 18 * HOUR


def mix(paints: dict[str, Paint] | None = None, **changes: Any) -> Mix:
    """People who order from these engines alike."""
    chosen = ONE if paints is None else paints
    return Mix(dict.fromkeys(chosen, 1 / len(chosen)), chosen, **changes)


def fleet(workers: int, **changes: Any) -> Fleet:
    """So many workers that do not die."""
    return Fleet(workers, TIMINGS, **changes)


def coming(ordered: Mix, portraits: float, seed: int, hours: float = 2.0) -> Iterator[Order]:
    """The evening's first hours, at the rate of so many portraits a day."""
    begin = 18 * HOUR
    return orders(
        ordered, SHAPES["evening"], portraits, seed, begin=begin, end=begin + hours * HOUR
    )


def run(
    workers: int = 3,
    *,
    portraits: float = 60_000.0,
    seed: int = 1,
    hours: float = 1.0,
    ordered: Mix | None = None,
    until: float | None = None,
    **changes: Any,
) -> Outcome:
    """One simulated evening."""
    chosen = ordered or mix()
    trace = coming(chosen, portraits, seed, hours)
    return Simulation(chosen, trace, fleet(workers, **changes), seed).run(BEGIN, until)
