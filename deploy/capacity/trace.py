"""What is ordered in a day: which orders come when, of how many portraits, and how each will fare.

Everything that chance decides about a portrait is decided here, so that two fleets of different
size are given the same day. Pure.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from deploy.capacity.shapes import DAY, Shape

# Of orders of a few portraits, how many are of one, two, three and four.
FEW: Final = (0.6, 0.2, 0.1, 0.1)


@dataclass(frozen=True)
class Paint:
    """What one portrait of an engine takes: its cost decides turns, the seconds are a GPU's."""

    cost: float
    seconds: float


@dataclass(frozen=True)
class Mix:
    """What people order. Shares are parts of one."""

    engines: Mapping[str, float]
    paints: Mapping[str, Paint]
    packs: float = 0.05  # of orders
    pack: int = 20  # portraits in one
    few: tuple[float, ...] = FEW
    # By how much the time of a portrait strays from the mean (the sigma of its logarithm).
    spread: float = 0.05
    # Of attempts, those that fail by something that a repetition may mend.
    failing: float = 0.01
    # Of pictures, those that a gate holds back; the second one of the same portrait likewise.
    held_back: float = 0.014

    @property
    def few_mean(self) -> float:
        """Portraits in an order of a few."""
        return sum(count * share for count, share in enumerate(self.few, start=1)) / sum(self.few)

    @property
    def portraits(self) -> float:
        """Portraits in an order, on the average."""
        return self.packs * self.pack + (1 - self.packs) * self.few_mean

    @property
    def seconds(self) -> float:
        """What a portrait takes a GPU, on the average, repetitions included."""
        once = sum(share * self.paints[name].seconds for name, share in self.engines.items())
        return once / sum(self.engines.values()) * (1 + self.failing) * (1 + self.held_back)


@dataclass(eq=False, slots=True)
class Order:
    """One request: so many portraits, from one person."""

    number: int
    asked: float
    lane: str
    pieces: list["Piece"] = field(default_factory=list)
    left: int = 0


@dataclass(eq=False, slots=True)
class Piece:
    """One portrait, and what becomes of it."""

    order: Order
    engine: str
    cost: float
    seconds: float
    # How many of its first attempts fail, and how many of its first pictures are held back.
    fails: int = 0
    held_back: int = 0
    # What has become of it so far.
    attempts: int = 0
    pictures: int = 0
    taken: float | None = None
    began: float | None = None
    ended: float | None = None


def orders(
    mix: Mix, shape: Shape, portraits: float, seed: int, *, begin: float = 0.0, end: float = DAY
) -> Iterator[Order]:
    """The orders of one day, or of a part of it, if so many portraits are ordered in the whole."""
    chance = random.Random(f"{seed} {shape.name} {begin}")
    names, shares = list(mix.engines), list(mix.engines.values())
    sizes = range(1, len(mix.few) + 1)
    moments = shape.moments(portraits / mix.portraits, chance, begin, end)
    for number, at in enumerate(moments):
        packed = chance.random() < mix.packs
        count = mix.pack if packed else chance.choices(sizes, mix.few)[0]
        order = Order(number, at, "pack" if packed else "interactive", left=count)
        engine = names[0] if len(names) == 1 else chance.choices(names, shares)[0]
        order.pieces = [_piece(mix, order, engine, chance) for _ in range(count)]
        yield order


def replayed(
    said: Sequence[tuple[float, int]], engine: str, few: int, seconds: Sequence[float]
) -> Iterator[Order]:
    """Orders that really came: (when, of how many); more than `few` wait in the lane of packs.

    `seconds` is what each portrait took a GPU, in the order of asking; all cost the same.
    """
    took = iter(seconds)
    for number, (at, count) in enumerate(said):
        order = Order(number, at, "interactive" if count <= few else "pack", left=count)
        order.pieces = [Piece(order, engine, 1.0, next(took)) for _ in range(count)]
        yield order


def _piece(mix: Mix, order: Order, engine: str, chance: random.Random) -> Piece:
    paint = mix.paints[engine]
    piece = Piece(order, engine, paint.cost, paint.seconds * chance.lognormvariate(0, mix.spread))
    # Three in a row end it, so there is nothing to draw beyond.
    while piece.fails < 3 and chance.random() < mix.failing:
        piece.fails += 1
    while piece.held_back < 2 and chance.random() < mix.held_back:
        piece.held_back += 1
    return piece
