"""Keeps a claim alive while a block of work runs, and knows which blocks go on without theirs."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import close_old_connections

from privacy import leases

log = logging.getLogger(__name__)

# When blocks that still run have lost their leases: one that goes on for long hangs.
_lost_at: dict[int, float] = {}


def overstayed() -> float:
    """For how many seconds somebody in this process has gone on with what they have lost."""
    since = list(_lost_at.values())
    return time.monotonic() - min(since) if since else 0.0


@contextmanager
def during(held: leases.Claim) -> Iterator[Event]:
    """Renew in a thread while the block runs. The event is set when the lease is lost."""
    done, lost = Event(), Event()

    def beat() -> None:
        while not done.wait(leases.RENEW_EVERY.total_seconds()):
            try:
                if not leases.renew(held):
                    _lost_at[id(lost)] = time.monotonic()
                    lost.set()
                    return
            except Exception as error:  # noqa: BLE001 - the database may come back in time
                log.warning("lease_not_renewed", extra={"error": type(error).__name__})
            finally:
                close_old_connections()

    thread = Thread(target=beat, name=f"lease-{held.kind}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()
        _lost_at.pop(id(lost), None)
