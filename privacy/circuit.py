"""Leaves the bucket alone for a while once it fails again and again, and looks whether it is back.

Without it every piece of work would be taken, wait for its timeouts and be put off, one after the
other. One circuit a process; nothing is remembered beyond it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# Failures in a row before it is left alone; of a bucket that fails one time in three, after the
# retries of the client library, that many never come together.
PATIENCE: Final = 5
FIRST_REST, LONGEST_REST = 1.0, 30.0


@dataclass
class Circuit:
    """Whether it is asked at all."""

    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    until: float = 0.0
    looking: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)

    def resting(self) -> bool:
        """Whether asking now would be refused."""
        with self.turn:
            return self._resting()

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

    def succeeded(self) -> None:
        """It answered."""
        with self.turn:
            self.failures, self.until, self.looking = 0, 0.0, False

    def failed(self) -> None:
        """It did not."""
        with self.turn:
            self.looking = False
            # Several that were under way together count once.
            if self.clock() < self.until:
                return
            self.failures += 1
            if self.failures >= PATIENCE:
                rest = FIRST_REST * 2 ** min(self.failures - PATIENCE, 10)
                self.until = self.clock() + min(rest, LONGEST_REST)

    def left(self) -> None:
        """Whoever was let in has left without an answer; the next may look."""
        with self.turn:
            self.looking = False
