"""Portraits that several tests look at, each painted once a run.

`make test` paints as few as its claims can stand on: in each style one person by turns, as they are
and with darker skin. FULL=1 paints them all.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from PIL import Image

from tests.images import corpus
from workers.engines.base import Engine, Focus, Order, Task

FULL: Final = bool(os.environ.get("FULL"))
SIZE: Final = (512, 640)
SEED: Final = 11
FACES: Final[dict[str, Focus]] = {
    "astronaut.jpg": (0.34, 0.13, 0.56, 0.36),
    "grace_hopper.jpg": (0.30, 0.22, 0.73, 0.58),
}
# What a figure says of that.
TURNS: Final = "" if FULL else ", by turns,"
# As it is, and as dark as any, first.
TONES: Final = corpus.TONES if FULL else corpus.TONES[:3]
Person = tuple[str, float, float]
Paint = Callable[[str, Person, int], Image.Image]
Each = TypeVar("Each")


def by_turns(number: int, of: Sequence[Each]) -> Sequence[Each]:
    """Of these, whose turn it is at a number; all with FULL=1."""
    return of if FULL else (of[number % len(of)],)


def photo(person: Person) -> Image.Image:
    name, tone, warmth = person
    return corpus.toned(corpus.photo(name), tone, warmth)


def painter(engine: Engine) -> Paint:
    """By style, person and seed."""
    made: dict[tuple[str, Person, int], Image.Image] = {}

    def paint(style: str, person: Person, seed: int) -> Image.Image:
        key = (style, person, seed)
        if key not in made:
            made[key] = render(engine, style, photo(person), FACES[person[0]], seed)
        return made[key]

    return paint


def render(
    engine: Engine, style: str, picture: Image.Image, focus: Focus | None, seed: int = SEED
) -> Image.Image:
    spots = (focus,) if focus else ()
    order = Order(Task.IDENTITY, style, *SIZE, seed, references=(picture,), focus=spots)
    return engine.render(order, lambda done, total: None)
