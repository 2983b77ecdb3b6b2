"""Each periodic task once a period, however many beats ask for it, and since when none has run.

A slot is the number of a period since 1970 by the wall clock, so all beats mean the same one. Who
runs it holds an advisory lock, which ends with its connection, and has moved the slot on before it
begins: what dies in the middle is done by the next period, never twice in one. Refuses a slot that
was run, or that a newer one has overtaken.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection

from privacy.models import Period

# The advisory locks of this module are told from others by this number.
PERIODS: Final = 0x11E6
# The run before may be just about to end; one that takes longer than this is not waited for.
WAIT_AT_MOST: Final = 1.0
# So far ahead of the database's clock a beat's may be. What lies further ahead counts as now, and
# a clock that had run ahead and was set back does not silence the task until it is caught up.
AHEAD: Final = 10
# Twelve periods of the quickest entry without a single run of any.
SILENT_AFTER: Final = timedelta(seconds=60)

_TAKE: Final = """
    WITH clock AS (
        SELECT floor((extract(epoch FROM statement_timestamp()) + %(ahead)s) / %(seconds)s)::bigint
            AS latest
    )
    UPDATE privacy_period SET slot = LEAST(%(slot)s, latest), ran_at = statement_timestamp()
    FROM clock
    WHERE name = %(name)s AND (slot < LEAST(%(slot)s, latest) OR slot > latest)
"""


@contextmanager
def turn(name: str, slot: int, seconds: float) -> Iterator[bool]:
    """Whether this slot is the caller's to run; nobody else runs the task in the block."""
    # A transaction of its own, beside those of the task: the lock goes when it ends, however.
    session = connection.copy()
    try:
        session.set_autocommit(False)
        yield _lock(session, name, seconds) and _take(name, slot, seconds)
    finally:
        with suppress(DatabaseError):
            session.rollback()
        session.close()


def _lock(session: Any, name: str, seconds: float) -> bool:
    wait = round(1000 * min(WAIT_AT_MOST, seconds / 4))
    with session.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait}ms"])
        try:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [PERIODS, name])
        except OperationalError:
            return False
    return True


def _take(name: str, slot: int, seconds: float) -> bool:
    Period.objects.bulk_create([Period(name=name)], ignore_conflicts=True)
    asked: dict[str, str | float] = {"name": name, "slot": slot, "seconds": seconds, "ahead": AHEAD}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, asked)
        return bool(cursor.rowcount)


def note(name: str, found: dict[str, int], now: datetime) -> None:
    """Keep what a task has counted, in place of what it counted before."""
    Period.objects.update_or_create(name=name, defaults={"found": found, "found_at": now})


def noted(name: str) -> tuple[dict[str, int], datetime] | None:
    """What a task has counted last, and when; None before it has counted anything."""
    row = Period.objects.filter(name=name).exclude(found_at=None).first()
    return (row.found, row.found_at) if row and row.found_at else None


def silent() -> bool:
    """Whether beat, or whoever does what it asks for, is taken for dead."""
    found = silent_for()
    return found is not None and found > SILENT_AFTER


def silent_for() -> timedelta | None:
    """How long no periodic task has begun, by the database's clock; None before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp() - max(ran_at) FROM privacy_period")
        found: timedelta | None = cursor.fetchone()[0]
    return found
