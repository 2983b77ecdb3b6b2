"""Whose picture is painted next in this process: one at a time, in the order of their claims.

An item that must wait for its engine to be loaded lets those pass that were claimed before it and
can be painted with what is in memory; so no engine is loaded twice for the sake of one straggler.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

# How often somebody who waits looks whether they still should.
LOOK_EVERY: Final = 0.2


@dataclass(eq=False)
class Place:
    """Where an item stands; it is ready once its photos are open."""

    engine: str
    ready: bool = False


Stand = TypeVar("Stand", bound=Place)


def next_of(line: Sequence[Stand], present: Callable[[str], bool]) -> Stand | None:
    """Who paints next, once the easel is free; None while nobody is ready for it. Pure."""
    before = False
    for place in line:
        here = present(place.engine)
        if place.ready and (here or not before):
            return place
        before = before or here
    return None


class Easel:
    """The one render lock."""

    def __init__(self, present: Callable[[str], bool]) -> None:
        self._present = present
        self._line: list[Place] = []
        self._busy = False
        self._turn = threading.Condition()

    def line_up(self, engine: str) -> Place:
        """A place behind all others, to be left in the end."""
        place = Place(engine)
        with self._turn:
            self._line.append(place)
        return place

    def leave(self, place: Place) -> None:
        """Wait no longer; nothing happens where the place was left before."""
        with self._turn:
            if place in self._line:
                self._line.remove(place)
                self._turn.notify_all()

    @contextmanager
    def turn(self, place: Place, check: Callable[[], None]) -> Iterator[None]:
        """Inside, nobody else paints. `check` is asked while it waits, and raises to give up."""
        with self._turn:
            place.ready = True
            while True:
                check()
                if not self._busy and next_of(self._line, self._present) is place:
                    break
                self._turn.wait(LOOK_EVERY)
            self._busy = True
            self._line.remove(place)
        try:
            yield
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()
