"""Whose turn it is, and whether a worker should stay with the engine that it has in memory.

Pure: no Django, no database, no clock of its own. The database's queue and the simulation of
`make bench SUITE=sched` use the same functions. Why it is built like this stands in
deploy/docs/decisions/0007-turns-on-the-lease.md.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# A portrait of a pack counts four times: whoever orders a hundred takes a fifth of the machine
# while somebody else waits for one, and all of it while nobody does.
WEIGHTS: Final[Mapping[str, float]] = {"interactive": 1.0, "pack": 4.0}
# How long loading an engine is thought to take before this worker has measured one.
SWAP_SECONDS: Final = 10.0
# For two swaps' time, all in all, an engine's work may be passed over for others'. Less stands
# here, because what has been begun is painted to its end.
PATIENCE_IN_SWAPS: Final = 1.6


@dataclass(frozen=True)
class Open:
    """A piece of a flow's open work: where it stands and what it costs."""

    turn: float
    cost: float


def now_serving(held: Iterable[float], waiting: float | None) -> float:
    """The queue's virtual time: the turn that is being served, else the next, else none yet."""
    return max(held, default=0.0 if waiting is None else waiting)


def line_up(
    serving: float, mine: Iterable[Open], costs: Sequence[float], *, weight: float
) -> list[float]:
    """Turns for new work of one flow: a person's line of one lane for one engine.

    Each piece takes up a stretch of virtual time as long as it costs, behind what the same flow
    has open, but never in the past; its turn is the middle of the stretch. So somebody who comes
    with one portrait goes before the next of whoever is being served, and not before the one who
    came earlier with the same.
    """
    ends = (piece.turn + piece.cost * weight / 2 for piece in mine)
    end = max(serving, max(ends, default=serving))
    turns = []
    for cost in costs:
        turns.append(end + cost * weight / 2)
        end += cost * weight
    return turns


class Affinity:
    """One worker's choice among the engines that have work waiting.

    Engines in memory share the worker equally by cost. One that is not in memory is loaded when
    nothing waits for those that are, or when its work was passed over for long enough: about twice
    the time of a swap in all, of which each stay with another engine gets an equal part. What the
    swaps themselves take is not counted; otherwise a busy worker would do nothing but swap.
    """

    def __init__(self, swap_seconds: float = SWAP_SECONDS) -> None:
        self.swap_seconds = swap_seconds
        # The same, but nothing before it was measured: what others are told.
        self.measured: float | None = None
        # When this worker last served each waiting engine, or first saw that it waits.
        self._since: dict[str, float] = {}
        # For how long others were painted meanwhile, as seen until `noted_at`.
        self._passed: dict[str, float] = {}
        self._noted_at = 0.0
        # What each engine has cost so far, level with the clock when it comes back from idling.
        self._spent: dict[str, float] = {}
        self._clock = 0.0
        # The engine that was chosen last and is not in memory yet.
        self._coming: str | None = None
        # What is in memory, and since when it is that.
        self._present: frozenset[str] = frozenset()
        self._settled_at = float("-inf")

    def swapped(self, seconds: float) -> None:
        """A swap has taken so long; the mean leans to the latest."""
        self.swap_seconds += (seconds - self.swap_seconds) / 2
        self.measured = self.swap_seconds if self.measured is not None else seconds

    def choose(self, waiting: Collection[str], loaded: Collection[str] | None, at: float) -> str:
        """The engine to paint with next, among those with work; `loaded` None: all are.

        `at` is any clock in seconds that only goes forward.
        """
        self._note(waiting, loaded, at)
        if loaded is None:
            return min(sorted(waiting), key=self._level)
        present = {self._coming} if self._coming in waiting else set(loaded)
        here = sorted(name for name in waiting if name in present)
        away = sorted(name for name in waiting if name not in present)
        if not here:
            return min(away, key=self._since.__getitem__)
        if away and self._coming is None:
            longest = min(away, key=self._since.__getitem__)
            stay = at - max(self._since[longest], self._settled_at)
            patience = PATIENCE_IN_SWAPS * self.swap_seconds
            if stay >= patience / len(away) or self._passed[longest] >= patience:
                return longest
        return min(here, key=self._level)

    def took(self, engine: str, cost: float, loaded: Collection[str] | None, at: float) -> None:
        """This worker has claimed work of that cost for the engine."""
        self._clock = self._level(engine)
        self._spent[engine] = self._clock + cost
        self._since[engine], self._passed[engine] = at, 0.0
        if loaded is not None:
            self._coming = None if engine in loaded else engine

    def _note(self, waiting: Collection[str], loaded: Collection[str] | None, at: float) -> None:
        """Who waits, since when, and what they were passed over for."""
        present = frozenset(loaded or ())
        if present != self._present:
            self._present, self._settled_at = present, at
            self._coming = None if self._coming in present else self._coming
        elif self._coming is None:
            for name in self._passed:
                self._passed[name] += 0.0 if name in present else at - self._noted_at
        self._noted_at = at
        self._since = {name: self._since.get(name, at) for name in waiting}
        self._passed = {name: self._passed.get(name, 0.0) for name in waiting}

    def _level(self, engine: str) -> float:
        return max(self._spent.get(engine, 0.0), self._clock)
