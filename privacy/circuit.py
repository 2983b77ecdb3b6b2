"""Leaves somebody who fails again and again alone for a while, and looks whether they are back.

For the bucket and for the operator's endpoint. Without it every piece of work would be taken, wait
for its timeouts and be put off, one after the other. Each process learns for itself.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# Failures in a row before they are left alone; of one who fails one time in three, after the
# retries of a client library, that many never come together.
PATIENCE: Final = 5


@dataclass
class Circuit:
    """Whether they are asked at all. Rests in seconds; each vain look doubles the next."""

    first_rest: float = 1.0
    longest_rest: float = 30.0
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    until: float = 0.0
    looking: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)

    def resting(self) -> bool:
        """Whether asking now would be refused."""
        with self.turn:
            return self._resting()

    def rest(self) -> float:
        """For how long they are left alone yet, in seconds."""
        with self.turn:
            return max(0.0, self.until - self.clock())

    def enter(self) -> bool:
        """False: do not ask. Whoever was let in says in the end how it went, or that it left."""
        with self.turn:
            if self._resting():
                return False
            # Behind a rest one goes first, and the others wait for what comes of it.
            self.looking = self.failures >= PATIENCE
            return True

    def _resting(self) -> bool:
        return self.looking or self.clock() < self.until

    def succeeded(self) -> bool:
        """They answered; whether they had been left alone and are back."""
        with self.turn:
            back = self.failures >= PATIENCE
            self.failures, self.until, self.looking = 0, 0.0, False
        return back

    def failed(self, wish: float = 0.0) -> None:
        """They did not. `wish`: for how many seconds they have asked to be left alone."""
        with self.turn:
            self.looking = False
            now = self.clock()
            # Several that were under way together count once.
            if self.until <= now:
                self.failures += 1
                if self.failures >= PATIENCE:
                    rest = self.first_rest * 2 ** min(self.failures - PATIENCE, 10)
                    self.until = now + min(rest, self.longest_rest)
            if wish:
                self.until = max(self.until, now + wish)

    def left(self) -> None:
        """Whoever was let in has left without an answer; the next may look."""
        with self.turn:
            self.looking = False
