"""Keeps a claim alive while a block of work runs, and knows which blocks go on without theirs."""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Final

from django.db import close_old_connections, connection

from privacy import leases

log = logging.getLogger(__name__)

# When blocks that still run have lost their leases: one that goes on for long hangs.
_lost_at: dict[int, float] = {}
_RENEW: Final = """
    UPDATE privacy_lease AS lease
    SET held_until = statement_timestamp() + %s,
        progressed_at = CASE WHEN %s THEN statement_timestamp() ELSE progressed_at END
    FROM unnest(%s::text[], %s::uuid[], %s::bigint[]) AS mine (kind, work_id, token)
    WHERE lease.kind = mine.kind AND lease.work_id = mine.work_id AND lease.token = mine.token
    RETURNING lease.work_id
"""


def overstayed() -> float:
    """For how many seconds somebody in this process has gone on with what they have lost."""
    since = list(_lost_at.values())
    return time.monotonic() - min(since) if since else 0.0


@contextmanager
def during(held: leases.Claim) -> Iterator[Event]:
    """Renew in a thread while the block runs. The event is set when the lease is lost."""
    with _beating(held.kind, lambda: leases.renew(held)) as lost:
        yield lost


@contextmanager
def during_all(held: Sequence[leases.Claim]) -> Iterator[Event]:
    """The same for many at once. The event is set when all are lost; who holds some asks which."""
    with _beating(held[0].kind, lambda: bool(renew_all(held))) as lost:
        yield lost


def renew_all(held: Iterable[leases.Claim], *, progressed: bool = False) -> set[uuid.UUID]:
    """As `leases.renew` for many at once; returns the work that is still theirs."""
    mine = [(claim.kind, claim.work_id, claim.token) for claim in held]
    given: list[Any] = [leases.HELD_FOR, progressed, *map(list, zip(*mine, strict=True))]
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, given)
        return {work_id for (work_id,) in cursor.fetchall()}


@contextmanager
def _beating(kind: str, renew: Callable[[], bool]) -> Iterator[Event]:
    done, lost = Event(), Event()

    def beat() -> None:
        while not done.wait(leases.RENEW_EVERY.total_seconds()):
            try:
                if not renew():
                    _lost_at[id(lost)] = time.monotonic()
                    lost.set()
                    return
            except Exception as error:  # noqa: BLE001 - the database may come back in time
                log.warning("lease_not_renewed", extra={"error": type(error).__name__})
            finally:
                close_old_connections()

    thread = Thread(target=beat, name=f"lease-{kind}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()
        _lost_at.pop(id(lost), None)
