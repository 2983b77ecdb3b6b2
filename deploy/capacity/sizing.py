"""How many GPU workers a question needs: the fewest that keep what it asks for.

The busiest hour decides. No fewer are considered than could paint what it brings: single portraits
would still come in time, because they go first, and packs would wait for the night. The hour is
simulated with what comes before it, for growing and then for nearer numbers of workers; the whole
day is simulated with the answer, which grows until the day keeps it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.capacity import measured, scaling
from deploy.capacity.outcome import Outcome, percentile
from deploy.capacity.painter import Timings
from deploy.capacity.shapes import DAY, HOUR, SHAPES, Shape
from deploy.capacity.simulation import Fleet, Simulation
from deploy.capacity.trace import Mix, Paint, orders

# So much of the day before its busiest hour is simulated too, or the hour would begin idle.
BEFORE: Final = HOUR
# A percentile is told of so many orders at least, from several days if one has too few.
ENOUGH: Final = 1500
MOST_DAYS: Final = 20
P95: Final = 0.95
Say = Callable[[str], None]


class Unreachable(Exception):
    """No number of workers can do it."""


@dataclass(frozen=True)
class Question:
    """What is asked."""

    portraits: float
    shape: Shape = SHAPES["evening"]
    p95: float = 30.0
    engines: dict[str, float] = field(default_factory=lambda: {"flux2-klein": 1.0})
    size: tuple[int, int] = (1024, 1024)
    photos: int = 4
    packs: float = 0.05
    pack: int = 20
    tflops: float | None = None
    loaded: int = 0
    queue_limit: int = 20_000
    seed: int = 1
    folder: Path = measured.MEASURED
    # Numbers to put in the place of measured or assumed ones, by name.
    instead: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, measured.Figure]:
        """The costs that it goes by."""
        found = measured.read(self.folder)
        for name, value in self.instead.items():
            if name not in found:
                raise KeyError(f"there is no figure {name}; there are {', '.join(sorted(found))}")
            found[name] = measured.Figure(value, found[name].unit, "assumed: as was asked")
        return found

    def mix(self) -> Mix:
        """What people order."""
        said = self.figures()
        paints = {}
        for engine in self.engines:
            cost, seconds = measured.paint(self.folder, engine, self.size, self.photos, self.tflops)
            paints[engine] = Paint(cost, seconds.value)
        return Mix(
            self.engines,
            paints,
            packs=self.packs,
            pack=self.pack,
            spread=said["spread"].value,
            failing=said["failing"].value,
            held_back=said["held back"].value,
        )

    def fleet(self, workers: int, rules: scaling.Rules | None = None) -> Fleet:
        """So many workers, or those of an autoscaler that begins with as many."""
        said = self.figures()
        seconds = (said[name].value for name in ("nudge", "fetch", "store", "swap", "start"))
        return Fleet(
            workers,
            Timings(*seconds),
            loaded=self.loaded,
            deaths=said["deaths"].value,
            queue_limit=self.queue_limit,
            scaling=rules,
        )


@dataclass(frozen=True)
class Answer:
    """The fewest workers, the day that they would have, and what was tried on the way."""

    question: Question
    workers: int
    day: Outcome
    p95: float
    tried: dict[int, float]


def answer(question: Question, say: Say = lambda _: None) -> Answer:
    """Find it. Raises Unreachable."""
    workers, tried = fewest(question, say)
    mix, (begin, end) = question.mix(), question.shape.busiest()
    while True:
        day = whole_day(question, mix, question.fleet(workers))
        p95 = day.whole_p(P95, begin, end)
        say(f"{workers} workers, the whole day: p95 {p95:.1f} s in the busiest hour")
        # Of a small day the busiest hour is a handful of orders, of which one may decide.
        if p95 <= question.p95 or sum(len(cell.whole) for cell in day.between(begin, end)) < ENOUGH:
            return Answer(question, workers, day, tried[workers], tried)
        workers += 1
        if workers not in tried:
            tried[workers] = busiest_hour(question, mix, workers)


def fewest(question: Question, say: Say = lambda _: None) -> tuple[int, dict[int, float]]:
    """The fewest that keep the busiest hour, and each number tried, with its seconds there.

    Raises Unreachable.
    """
    mix = question.mix()
    alone = max(paint.seconds for paint in mix.paints.values())
    if alone > question.p95:
        raise Unreachable(
            f"One portrait takes {alone:.1f} s by itself; no number of workers makes that"
            f" {question.p95:g} s."
        )
    tried: dict[int, float] = {}

    def keeps(workers: int) -> bool:
        if workers not in tried:
            tried[workers] = busiest_hour(question, mix, workers)
            say(f"{workers} workers: p95 {tried[workers]:.1f} s in the busiest hour")
        return tried[workers] <= question.p95

    load = busiest_load(question, mix)
    most = max(1, math.ceil(load))
    least = most - 1
    while not keeps(most):
        least, most = most, most + max(1, most // 4)
        if most > 20 * (load + 1) + 20:
            raise Unreachable(f"Even {least} workers do not do it: p95 {tried[least]:.1f} s.")
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if keeps(middle) else (middle, most)
    return most, tried


def busiest_load(question: Question, mix: Mix) -> float:
    """GPUs that what is asked for in the busiest hour keeps busy, on the average."""
    return question.portraits * question.shape.share(*question.shape.busiest()) / HOUR * mix.seconds


def busiest_hour(question: Question, mix: Mix, workers: int) -> float:
    """Seconds within which 95 of 100 orders of a few are there, over as many days as needed."""
    begin, end = question.shape.busiest()
    spans: list[float] = []
    early, fleet = max(0.0, begin - BEFORE), question.fleet(workers)
    for seed in range(question.seed, question.seed + MOST_DAYS):
        coming = orders(mix, question.shape, question.portraits, seed, begin=early, end=end)
        run = Simulation(mix, coming, fleet, seed).run(early)
        spans += [span for cell in run.between(begin, end) for span in cell.whole]
        if len(spans) >= ENOUGH:
            break
    return percentile(spans, P95)


def whole_day(question: Question, mix: Mix, fleet: Fleet) -> Outcome:
    """From midnight until all that came by the next has ended."""
    coming = orders(mix, question.shape, question.portraits, question.seed, end=DAY)
    return Simulation(mix, coming, fleet, question.seed).run()
