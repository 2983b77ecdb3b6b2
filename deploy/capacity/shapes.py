"""How orders come over a day: flat, an evening, a launch. Pure: a curve, and moments drawn from it.

A curve says how many times the mean of the day comes at each moment. Moments are a Poisson process:
people do not agree with one another when to come.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
CELL: Final = 300.0
CELLS: Final = int(DAY / CELL)

# Of people in one time zone who use a phone: little at night, most after dinner. By the hour.
EVENING: Final = (
    0.55, 0.32, 0.2, 0.14, 0.12, 0.16, 0.3, 0.52, 0.74, 0.88, 0.96, 1.02,
    1.14, 1.08, 1.0, 1.02, 1.12, 1.28, 1.52, 1.86, 2.16, 2.2, 1.68, 1.04,
)  # fmt: skip
# Somebody with many followers shows it at seven in the evening: eight times the usual at once, and
# half of what is too much is gone every twenty minutes.
LAUNCH_AT: Final = 19 * HOUR
LAUNCH_TIMES: Final = 8.0
LAUNCH_HALF: Final = 20 * 60.0


@dataclass(frozen=True)
class Shape:
    """A day: how much of it has come by the end of each cell, from 0 to 1."""

    name: str
    says: str
    weights: tuple[float, ...]

    @cached_property
    def _until(self) -> tuple[float, ...]:
        whole = sum(self.weights)
        return tuple(accumulate((weight / whole for weight in self.weights), initial=0.0))

    def share(self, begin: float, end: float) -> float:
        """Which part of the day's orders comes between two moments of it."""
        return self._share_until(end) - self._share_until(begin)

    def rate(self, at: float) -> float:
        """How many times the mean of the day comes at this moment."""
        cell = min(int(at / CELL), CELLS - 1)
        return (self._until[cell + 1] - self._until[cell]) * CELLS

    def busiest(self, length: float = HOUR) -> tuple[float, float]:
        """Begin and end of the busiest time of this length."""
        cells = int(length / CELL)
        starts = range(CELLS - cells + 1)
        begin = max(starts, key=lambda cell: self._until[cell + cells] - self._until[cell])
        return begin * CELL, begin * CELL + length

    def moments(
        self, total: float, chance: random.Random, begin: float = 0.0, end: float = DAY
    ) -> Iterator[float]:
        """When they come, in order, if about so many come in the whole day."""
        # A Poisson process of one a unit of work, bent by the curve.
        done, last = self._share_until(begin) * total, self._share_until(end) * total
        while (done := done + chance.expovariate(1.0)) < last:
            yield self._moment(done / total)

    def _share_until(self, at: float) -> float:
        cell = min(int(at / CELL), CELLS - 1)
        before, after = self._until[cell], self._until[cell + 1]
        return before + (after - before) * (at / CELL - cell)

    def _moment(self, share: float) -> float:
        cell = min(bisect_right(self._until, share) - 1, CELLS - 1)
        before, after = self._until[cell], self._until[cell + 1]
        return CELL * (cell + (share - before) / (after - before))


def _cells(curve: Callable[[float], float]) -> tuple[float, ...]:
    return tuple(curve((cell + 0.5) * CELL) for cell in range(CELLS))


def _evening(at: float) -> float:
    hour, part = divmod(at / HOUR - 0.5, 1.0)
    return EVENING[int(hour) % 24] * (1 - part) + EVENING[int(hour + 1) % 24] * part


def _world(at: float) -> float:
    return sum(_evening((at + hours * HOUR) % DAY) for hours in (0, 8, 16)) / 3


def _launch(at: float) -> float:
    since = at - LAUNCH_AT
    more = (LAUNCH_TIMES - 1) * 0.5 ** (since / LAUNCH_HALF) if since >= 0 else 0.0
    return _evening(at) * (1 + more)


SHAPES: Final = {
    shape.name: shape
    for shape in (
        Shape("flat", "the same at any time", _cells(lambda _: 1.0)),
        Shape("evening", "people of one time zone, most after dinner", _cells(_evening)),
        Shape("world", "evenings of three regions, eight hours apart", _cells(_world)),
        Shape(
            "launch",
            "an evening, and at seven eight times as many at once, half of it gone every"
            " twenty minutes",
            _cells(_launch),
        ),
    )
}
