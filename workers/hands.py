"""The threads of a gpu worker: each does all there is to do, one item after the other, and rests.

Three of them make the pipeline: while one paints, another fetches and a third stores, and there is
never more in memory than that. A nudge wakes one; whoever finds work wakes the next. Because a
nudge may be lost, one of them looks by itself now and then, broker or not.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.db import connections

log = structlog.get_logger(__name__)

COUNT: Final = 3
LOOK_EVERY: Final = 5.0
# After a fault of the database, or of ours.
PAUSE: Final = 1.0


class Hands:
    """`drain` works until nothing waits; `wake` says that something may."""

    def __init__(self, drain: Callable[[], int], count: int = COUNT) -> None:
        self._drain = drain
        self._asked = threading.Event()
        self._leaving = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"hand-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """From here on they work."""
        for thread in self._threads:
            thread.start()
        self.wake()

    def wake(self) -> None:
        """Something may be waiting. Never blocks."""
        self._asked.set()

    def leave(self) -> None:
        """Begin nothing more. Safe in a signal handler."""
        self._leaving.set()

    @property
    def leaving(self) -> bool:
        """Whether the process has been asked to end."""
        return self._leaving.is_set()

    def join(self, until: float) -> bool:
        """Whether all have finished by then, on the monotonic clock."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self.leaving:
            self._asked.wait(LOOK_EVERY)
            self._asked.clear()
            if self.leaving:
                break
            try:
                self._drain()
            except Exception as error:  # noqa: BLE001 - the database is away; look again soon
                log.warning("drain_failed", error=type(error).__name__)
                self._leaving.wait(PAUSE)
                self._asked.set()
            finally:
                # What went through a connection stays in its buffers while it is open.
                connections.close_all()
        # The others need not wait to be told.
        self._asked.set()
