"""Whether the simulation tells what the live stack does: the same orders, both ways, in one run.

Orders come for two minutes as people would, to two thirds of what the workers can do, with packs
and a rush in the middle. The simulation is given when they came, how long each picture took its
engine and what a worker does beside it, and has to tell how long everybody waited. Single orders on
idle workers, before, say what an order takes until a worker has it.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from deploy.capacity import live, rules
from deploy.capacity.live import Item, Live, Render
from deploy.capacity.outcome import percentile
from deploy.capacity.painter import Timings
from deploy.capacity.simulation import Fleet, Simulation
from deploy.capacity.trace import Mix, Paint, replayed

ENGINE: Final = "tests.bench.stub:SnapshotEngine"
SECONDS: Final = 0.5
SINGLES: Final = 20
# Seconds without an order, for what the services take by themselves.
IDLE: Final = 10.0
# How long the load lasts, how much of what the workers can do it asks for, and the rush in it.
LENGTH: Final = 120.0
LOAD: Final = 0.65
RUSH: Final = (55.0, 62.0, 3.0)
PACKS: Final = 0.04
PACK_OF_MANY: Final = 12
FEW: Final = (0.6, 0.2, 0.1, 0.1)
GOAL: Final = 0.15
# A worker that paints the next picture within this time had it ready.
AT_ONCE: Final = 0.1


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
        say("single orders on idle workers")
        nudge, fetch = alone(stack)
        idle = _between(stack, lambda: time.sleep(IDLE))
        say(f"orders for {LENGTH:.0f} s")
        found: list[Item] = []
        since = time.time()
        spent = _between(stack, lambda: found.extend(under_load(stack)))
        renders = stack.renders(since)
    took, handover = services(renders)
    store = statistics.fmean(item.ended for item in found) - statistics.fmean(
        render.ended for render in renders
    )
    timings = Timings(nudge, fetch, max(0.0, store), swap=0.0, start=0.0)
    real, ours = lived(found), replay(found, took, timings)
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
            **{name: getattr(timings, name) for name in ("nudge", "fetch", "store")},
            "render": statistics.fmean(took),
            "handover": handover,
        },
        "waits": {"measured": real.drawn, "simulated": ours.drawn},
        "orders": orders_of(found),
        "items": [[round(value, 3) for value in _times(item, found)] for item in found],
        "renders": [round(seconds, 3) for seconds in took],
    }  # fmt: skip


def alone(stack: Live) -> tuple[float, float]:
    """On idle workers: seconds from asking until a worker has it, and from there to the engine."""
    since = time.time()
    for _ in range(SINGLES + 2):
        stack.order(1)
        time.sleep(SECONDS * 2)
    # The first two import and connect.
    singles, renders = stack.items(since)[2:], stack.renders(since)[2:]
    nudge = statistics.median(item.taken - item.asked for item in singles)
    pairs = zip(renders, singles, strict=True)
    return nudge, max(0.0, statistics.median(one.began - item.taken for one, item in pairs))


def services(renders: Sequence[Render]) -> tuple[list[float], float]:
    """(seconds that each picture took its engine, in order; those of them between two pictures).

    A worker that has the next one ready begins it at once; what that takes is part of the picture.
    """
    following: dict[str, Render] = {}
    gaps: dict[Render, float] = {}
    for render in reversed(renders):
        if render.process in following:
            gaps[render] = following[render.process].began - render.ended
        following[render.process] = render
    at_once = [gap for gap in gaps.values() if gap < AT_ONCE]
    handover = statistics.median(at_once) if at_once else 0.0
    took = []
    for render in renders:
        gap = gaps.get(render, AT_ONCE)
        took.append(render.ended - render.began + (gap if gap < AT_ONCE else handover))
    return took, handover


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
    at = 0.0
    said: list[tuple[float, int]] = []
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


def replay(items: Sequence[Item], took: Sequence[float], timings: Timings, seed: int = 1) -> Ran:
    """The same orders, simulated; each picture takes as long as it took."""
    mix = Mix({"one": 1.0}, {"one": Paint(1.0, statistics.fmean(took))})
    coming = replayed(orders_of(items), "one", rules.FEW, took)
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
