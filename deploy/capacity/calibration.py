"""Whether the simulation tells what the live stack does: the same orders, both ways, in one run.

First single orders and one pack say what a portrait takes here; then orders come for two minutes as
people would, to three quarters of what the workers can do, with a rush in the middle. The
simulation is given what the first part has measured and the moments of the second, and nothing
else of it.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from deploy.capacity import live, rules
from deploy.capacity.live import Item, Live
from deploy.capacity.outcome import percentile
from deploy.capacity.painter import Timings
from deploy.capacity.simulation import Fleet, Simulation
from deploy.capacity.trace import Mix, Paint, replayed

ENGINE: Final = "tests.bench.stub:SnapshotEngine"
SECONDS: Final = 0.5
SINGLES: Final = 20
PACK: Final = 40
# How long the load lasts, how much of what the workers can do it asks for, and the rush in it.
LENGTH: Final = 120.0
LOAD: Final = 0.75
RUSH: Final = (55.0, 62.0, 3.0)
PACKS: Final = 0.04
PACK_OF_MANY: Final = 12
FEW: Final = (0.6, 0.2, 0.1, 0.1)
GOAL: Final = 0.15


@dataclass(frozen=True)
class Told:
    """What one way of finding out says: portraits a second, and seconds from asking to taken."""

    throughput: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Ran:
    """What came of the orders, one way or the other."""

    portraits: int
    seconds: float
    waits: Sequence[float]

    @property
    def told(self) -> Told:
        """The three numbers that are compared."""
        p50, p95 = (percentile(self.waits, part) for part in (0.5, 0.95))
        return Told(self.portraits / self.seconds, p50, p95)

    @property
    def drawn(self) -> list[float]:
        """Every fifth percentile of the waits."""
        return [round(percentile(self.waits, part / 100), 3) for part in range(5, 100, 5)]


def calibrate(engine: str = ENGINE, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Both ways and the errors, as what is kept. Raises StackError."""
    say("starting the embedded stack")
    with live.running(engine, SECONDS) as stack:
        say("single orders on idle workers, then a pack")
        paint, timings = alone(stack)
        say(f"a portrait takes {paint.seconds:.3f} s at the easel, {timings.store:.3f} s behind it")
        idle = _between(stack, lambda: time.sleep(10))
        say(f"orders for {LENGTH:.0f} s")
        found: list[Item] = []
        spent = _between(stack, lambda: found.extend(under_load(stack)))
    real, ours = lived(found), replay(found, paint, timings)
    measured, simulated = real.told, ours.told
    return {
        "engine": engine,
        "workers": live.WORKERS,
        "measured": asdict(measured),
        "simulated": asdict(simulated),
        "error": errors(measured, simulated),
        "costs": {
            **{name: (spent[name] - idle[name] * spent["seconds"] / idle["seconds"]) / len(found)
               for name in spent if name != "seconds"},
            **{name: getattr(timings, name) for name in ("nudge", "store")},
        },
        "waits": {"measured": real.drawn, "simulated": ours.drawn},
        "render": paint.seconds,
        "orders": orders_of(found),
        "items": [[round(value, 3) for value in _times(item, found)] for item in found],
    }  # fmt: skip


def alone(stack: Live) -> tuple[Paint, Timings]:
    """What a portrait takes here, from single orders on idle workers and from one pack."""
    since = time.time()
    for _ in range(SINGLES + 2):
        stack.order(1)
        time.sleep(SECONDS * 2)
    # The first two import and connect.
    singles = stack.items(since)[2:]
    since = time.time()
    stack.order(PACK)
    pack = sorted(item.ended for item in stack.items(since))
    # Workers paint without a pause once the pack has begun; its last portraits end one by one.
    steady = pack[2 * live.WORKERS : -2 * live.WORKERS]
    seconds = (steady[-1] - steady[0]) / (len(steady) - 1) * live.WORKERS
    nudge = statistics.median(item.taken - item.asked for item in singles)
    beside = statistics.median(item.ended - item.taken for item in singles) - seconds
    timings = Timings(nudge, 0.0, max(0.0, beside), swap=0.0, start=0.0)
    return Paint(1.0, seconds), timings


def under_load(stack: Live, seed: int = 1) -> list[Item]:
    """Orders at their moments, whatever the workers do meanwhile."""
    since, began = time.time(), time.monotonic()
    for at, count in load(seed):
        time.sleep(max(0.0, began + at - time.monotonic()))
        stack.order(count)
    return stack.items(since)


def load(seed: int) -> list[tuple[float, int]]:
    """(when, of how many) for the whole length."""
    chance = random.Random(seed)
    mean = PACKS * PACK_OF_MANY + (1 - PACKS) * sum(
        count * share for count, share in enumerate(FEW, start=1)
    )
    usual = LOAD * live.WORKERS / SECONDS / mean
    begin, end, times = RUSH
    at, said = 0.0, []
    while True:
        at += chance.expovariate(usual * (times if begin <= at < end else 1.0))
        if at >= LENGTH:
            return said
        packed = chance.random() < PACKS
        said.append((at, PACK_OF_MANY if packed else chance.choices((1, 2, 3, 4), FEW)[0]))


def orders_of(items: Sequence[Item]) -> list[tuple[float, int]]:
    """(when, of how many) as the rows have it, from the first order on."""
    first = min(item.asked for item in items)
    groups = [(job, list(rows)) for job, rows in groupby(items, key=lambda item: item.job)]
    return [(rows[0].asked - first, len(rows)) for _, rows in groups]


def replay(items: Sequence[Item], paint: Paint, timings: Timings, seed: int = 1) -> Ran:
    """The same orders, simulated."""
    mix = Mix({"one": 1.0}, {"one": paint}, spread=0.0, failing=0.0, held_back=0.0)
    coming = replayed(orders_of(items), mix, rules.FEW, seed)
    fleet = Fleet(live.WORKERS, timings, queue_limit=len(items))
    done = Simulation(mix, coming, fleet, seed).run()
    waits = [wait for lane in done.waits.values() for wait in lane]
    return Ran(done.counts["done"], done.ended_at, waits)


def lived(items: Sequence[Item]) -> Ran:
    """What the rows say."""
    took = max(item.ended for item in items) - min(item.asked for item in items)
    return Ran(len(items), took, [item.taken - item.asked for item in items])


def errors(measured: Told, simulated: Told) -> dict[str, float]:
    """By how much the simulation is off, as a part of what was measured."""
    real, said = asdict(measured), asdict(simulated)
    return {name: said[name] / real[name] - 1 for name in real}


def _between(stack: Live, act: Callable[[], None]) -> dict[str, float]:
    before = stack.counts()
    act()
    after = stack.counts()
    return {name: after[name] - before[name] for name in after}


def _times(item: Item, items: Sequence[Item]) -> tuple[float, float, float]:
    first = items[0].asked
    return item.asked - first, item.taken - first, item.ended - first
