"""Two threads that mind what this process holds, so that whoever paints need not wait for it.

One renews leases, writes down how far each item is, notices which were taken away, and says when a
render hangs. The other hears at once what is taken away. They decide nothing: whoever works on an
item reads `lost` and stops.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from django.db import DatabaseError, close_old_connections, connections

from portraits import painting
from portraits.models import Item
from privacy import leases
from workers.revocations import Revocations

log = structlog.get_logger(__name__)

# The database hears of an item's progress this often at most, except of its first.
PROGRESS_EVERY: Final = 0.25
# A render that is out of time and does not call back any more hangs, after this much more of it.
HANGS_AFTER: Final = 1.05
LOOK_EVERY: Final = 0.5


@dataclass(eq=False)
class Held:
    """An item in this process. Its worker writes what it does; `lost` is the vigil's answer."""

    claim: leases.Claim
    phase: Item.Phase = Item.Phase.FETCHING
    percent: int = 0
    lost: bool = False
    # It waits for the engine: that others paint is no sign that it hangs.
    waits: bool = False
    # When its render began, on the monotonic clock; none while it does not paint.
    began: float | None = None
    # Painting has begun at least once.
    begun: bool = False
    _told: tuple[Item.Phase, int] = (Item.Phase.FETCHING, 0)
    _told_at: float = field(default=float("-inf"))

    def due(self, now: float) -> float | None:
        """In how many seconds its news should be written; none without any."""
        if self.lost or self._told == (self.phase, self.percent):
            return None
        return max(0.0, self._told_at + PROGRESS_EVERY - now)

    def write(self, now: float) -> bool:
        """Write the news; false where the item is no longer ours."""
        self._told, self._told_at = (self.phase, self.percent), now
        return painting.progress(self.claim, *self._told)


class Vigil:
    """The thread starts with the first item, and rests without a database while there is none."""

    def __init__(self, limit: Callable[[], float], hung: Callable[[Held], None]) -> None:
        self._limit = limit
        self._hung = hung
        self._held: list[Held] = []
        # Held while rows are written, so that nothing is written for an item once it is dropped.
        self._writing = threading.Lock()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._ear = Revocations(self._heard)

    @property
    def hears(self) -> bool:
        """Whether an item that is taken away is marked as lost without anybody asking."""
        return self._ear.hears

    def take(self, claim: leases.Claim) -> Held:
        """Mind this item from here on."""
        held = Held(claim)
        with self._writing:
            self._held.append(held)
            self._news.set()
            self._ear.listen()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="vigil", daemon=True)
                self._thread.start()
        return held

    def drop(self, held: Held) -> bool:
        """Let go of it; nothing is written for it any more. False: it was dropped before."""
        with self._writing:
            if held not in self._held:
                return False
            self._held.remove(held)
            return True

    def all(self) -> list[Held]:
        """What this process holds now."""
        with self._writing:
            return list(self._held)

    def begin(self, held: Held, phase: Item.Phase, percent: int) -> None:
        """It is so far; written before this returns, as what comes may be the end of this process.

        Raises DatabaseError where it cannot be written.
        """
        held.phase, held.percent = phase, percent
        held.lost = held.lost or not held.write(time.monotonic())

    def tell(self, held: Held, phase: Item.Phase, percent: int) -> None:
        """It is so far; written soon, by the thread."""
        held.phase, held.percent = phase, percent
        if held.due(time.monotonic()) == 0.0:
            self._news.set()

    def _watch(self) -> None:
        renew_at = time.monotonic() + leases.RENEW_EVERY.total_seconds()
        while True:
            now = time.monotonic()
            with self._writing:
                waits = [due for held in self._held if (due := held.due(now)) is not None]
                idle = not self._held
            if idle:
                self._ear.rest()
                # It may rest for long: its connection is one of a few, and keeps what went by.
                connections.close_all()
            self._news.wait(None if idle else min([*waits, LOOK_EVERY]))
            self._news.clear()
            now = time.monotonic()
            renewing = now >= renew_at
            if renewing:
                renew_at = now + leases.RENEW_EVERY.total_seconds()
            self._round(now, renewing)
            self._look(now)

    def _round(self, now: float, renewing: bool) -> None:
        with self._writing:
            for held in self._held:
                if held.lost:
                    continue
                try:
                    if held.due(now) == 0.0:
                        held.lost = not held.write(now)
                    elif renewing:
                        held.lost = not leases.renew(held.claim, progressed=held.waits)
                except Exception as error:  # noqa: BLE001 - the database may come back in time
                    log.warning("lease_not_renewed", error=type(error).__name__)
                    close_old_connections()

    def _heard(self, work_id: uuid.UUID | None) -> None:
        # Without the lock, which is held while rows are written. What is heard may be about an
        # earlier claim of the same work, so the database is asked.
        for held in list(self._held):
            if work_id in (None, held.claim.work_id) and not held.lost:
                try:
                    held.lost = not painting.wanted(held.claim)
                except DatabaseError as error:
                    log.warning("lease_not_asked_for", error=type(error).__name__)
                finally:
                    connections.close_all()

    def _look(self, now: float) -> None:
        limit = self._limit() * HANGS_AFTER + LOOK_EVERY
        for held in self.all():
            if held.began is not None and now - held.began > limit:
                self._hung(held)
