"""What came of a simulated day: counts, waits, and how things stood in each five minutes. Pure."""

import statistics
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from deploy.capacity.shapes import CELL
from deploy.capacity.trace import Order, Piece

NEVER: Final = float("nan")


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that so many parts of all do not exceed; NaN of nothing."""
    if not values:
        return NEVER
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]


@dataclass
class Cell:
    """Five minutes of it."""

    orders: int = 0
    asked: int = 0
    done: int = 0
    busy: float = 0.0  # GPU seconds painted
    running: float = 0.0  # GPU seconds paid for
    # From asking until the last of an order of a few was there, by when it was asked for.
    whole: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass
class Outcome:
    """A day, or a part of one."""

    cells: defaultdict[int, Cell] = field(default_factory=lambda: defaultdict(Cell))
    counts: Counter[str] = field(default_factory=Counter)
    # Of each portrait, by lane: from asking until a worker has it, and until it is there.
    waits: "defaultdict[str, array[float]]" = field(default_factory=lambda: defaultdict(_empty))
    spans: "defaultdict[str, array[float]]" = field(default_factory=lambda: defaultdict(_empty))
    # Of each order, by lane: until its last portrait has ended.
    whole: "defaultdict[str, array[float]]" = field(default_factory=lambda: defaultdict(_empty))
    # Portraits that were open, times seconds.
    open_area: float = 0.0
    longest_line: int = 0
    most_held: int = 0
    ended_at: float = 0.0
    most_workers: int = 0

    def cell(self, at: float) -> Cell:
        """The five minutes around a moment."""
        return self.cells[int(at // CELL)]

    def note(self, piece: Piece) -> None:
        """A portrait that was asked for and has ended."""
        order = piece.order
        if piece.taken is not None:
            self.waits[order.lane].append(piece.taken - order.asked)
        if piece.ended is not None:
            self.spans[order.lane].append(piece.ended - order.asked)

    def note_whole(self, order: Order, at: float) -> None:
        """An order of which nothing is open any more."""
        self.whole[order.lane].append(at - order.asked)
        if order.lane == "interactive":
            self.cell(order.asked).whole.append(at - order.asked)

    @property
    def waiting(self) -> int:
        """Portraits that were still open when the simulation ended."""
        ended = ("done", "failed", "blocked", "refused")
        return self.counts["asked"] - sum(self.counts[how] for how in ended)

    def between(self, begin: float, end: float) -> list[Cell]:
        """The cells of a time."""
        return [self.cells[number] for number in range(int(begin // CELL), int(end // CELL))]

    def whole_p(self, part: float, begin: float, end: float) -> float:
        """A percentile of the orders of a few that were asked for in this time."""
        return percentile([span for cell in self.between(begin, end) for span in cell.whole], part)

    def rate(self, begin: float, end: float) -> float:
        """Portraits asked for a second in this time."""
        return sum(cell.asked for cell in self.between(begin, end)) / (end - begin)

    def busy(self, begin: float, end: float) -> float:
        """Which part of the running GPUs' time was painted in; 0 where none ran."""
        cells = self.between(begin, end)
        running = sum(cell.running for cell in cells)
        return sum(cell.busy for cell in cells) / running if running else 0.0

    @property
    def gpu_hours(self) -> float:
        """What the fleet is paid for."""
        return sum(cell.running for cell in self.cells.values()) / 3600

    @property
    def mean_span(self) -> float:
        """Seconds that a portrait was open, on the average."""
        return statistics.fmean(span for spans in self.spans.values() for span in spans)


def _empty() -> "array[float]":
    return array("d")
