"""The ear of a gpu worker: hears that work was taken away, so that a painter need not ask for it.

One connection listens for all that this process holds; a message carries a work's id and nothing
else. Hearing is speed and never the truth: who is told asks, and while nothing can be heard,
because the connection is down or a pooler swallows what goes over it, painters ask at their steps.
"""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import psycopg
import structlog
from django.db import connection

from privacy.leases import REVOKED

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
# Held after the last item for so long, in case that the next one comes at once.
LINGER: Final = 2.0
# After a failure, so long until the next try.
PAUSE: Final = 1.0
# A line that is dead is noticed in about ten seconds; what is missed until then, the next note of
# an item's progress finds out.
ALIVE: Final[dict[str, Any]] = {
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "autocommit": True,
}


class Revocations:
    """The thread starts with the first item that is minded; `heard` is called in it.

    It is called with a work's id, or with None when hearing begins: what was before, nobody heard.
    """

    def __init__(self, heard: Callable[[uuid.UUID | None], None]) -> None:
        self._heard = heard
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._left_at = 0.0
        self._said = False
        # Whether a message that is sent now would be heard.
        self.hears = False

    def listen(self) -> None:
        """Something is held from here on."""
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="revocations", daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Nothing is held: the connection is given back soon."""
        self._left_at = time.monotonic()
        self._wanted.clear()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            try:
                self._listen()
            except (psycopg.Error, OSError) as error:
                # An outage is logged once.
                if not self._said:
                    log.warning("revocations_not_heard", error=type(error).__name__)
                self._said, self.hears = True, False
                time.sleep(PAUSE)

    def _listen(self) -> None:
        # A connection of its own: one that waits for messages can do nothing else meanwhile.
        parameters = {**connection.get_connection_params(), **ALIVE}
        own = str(uuid.uuid4())
        with psycopg.connect(**parameters) as line:
            line.execute(f"LISTEN {REVOKED}")
            # Whoever hears itself hears the others too.
            line.execute("SELECT pg_notify(%s, %s)", [REVOKED, own])
            while self._wanted.is_set() or time.monotonic() - self._left_at < LINGER:
                for message in line.notifies(timeout=LOOK_EVERY):
                    if message.payload == own:
                        self.hears, self._said = True, False
                    self._heard(None if message.payload == own else uuid.UUID(message.payload))
                if not self.hears:
                    raise psycopg.OperationalError
            self.hears = False
