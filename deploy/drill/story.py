"""Who did what in the drill, and what it came to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.prove.look import Result

# A person and the blob of their portrait.
Pair = tuple[str, str]
# Of a hundred people; at least two of each.
LEAVE: Final = 10
SHORTEN, WITHDRAW, WAIT = 1, 1, 1
# Fewer would leave nobody who stays.
FEWEST: Final = 12


@dataclass
class Story:
    """Everybody by what they did."""

    stayers: list[Pair] = field(default_factory=list)
    leavers: list[Pair] = field(default_factory=list)
    shorteners: list[Pair] = field(default_factory=list)
    withdrawers: list[Pair] = field(default_factory=list)
    # The jobs of those stayers who wait for a portrait.
    waiting: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    # When the shorteners' portraits end by their word.
    ends: str = ""
    # Entries of the ledger that nothing had confirmed when the database was lost.
    undecided: int = 0

    def divide(self, everybody: Sequence[Pair]) -> None:
        """Say who will do what."""
        rest = iter(everybody)

        def take(share: int) -> list[Pair]:
            return [next(rest) for _ in range(_of(everybody, share))]

        self.leavers = take(LEAVE)
        self.shorteners = take(SHORTEN)
        self.withdrawers = take(WITHDRAW)
        self.stayers = list(rest)

    def waiters(self) -> list[Pair]:
        """Who orders a portrait and stays."""
        return self.stayers[: _of(self.stayers, WAIT)]

    @property
    def living(self) -> list[Pair]:
        """Whose portraits must open after all of it."""
        return self.stayers + self.shorteners


def _of(everybody: Sequence[Pair], share: int) -> int:
    return max(2, math.ceil(share * len(everybody) / 100))


@dataclass
class Outcome:
    """Seconds of each part of the way back, and every check."""

    people: int
    story: Story = field(default_factory=Story)
    seconds: dict[str, float] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every check does; without any, nothing is shown."""
        return bool(self.results) and all(result.holds for result in self.results)

    @property
    def rto(self) -> float:
        """Seconds from the loss until everything was proved."""
        return sum(self.seconds.values())

    def named(self, name: str) -> Result:
        """One check. Raises StopIteration where it was never made."""
        return next(result for result in self.results if result.name == name)

    def as_json(self) -> dict[str, Any]:
        """For `--json` and for benchmarks."""
        return {
            "holds": self.holds,
            "people": self.people,
            "erased": len(self.story.leavers),
            "undecided": self.story.undecided,
            "rto_seconds": round(self.rto, 1),
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            "checks": [vars(result) for result in self.results],
        }
