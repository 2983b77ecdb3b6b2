"""Engines that an operator has stopped, in one of two ways, without stopping a process.

PAUSED: orders are taken and wait, workers finish what they have begun. DRAINING: no orders are
taken, what waits is painted. What waits too long ends by its deadline, as ever.
"""

import time
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction

from portraits.endings import LEASE
from portraits.errors import EngineDraining
from portraits.models import Halt
from privacy import dispatch
from privacy.models import Lease

# Whoever paints asks before each portrait, so it may go by what was so a second ago.
FRESH_FOR: Final = 1.0
# Every worker that hears of one piece takes all there is.
NUDGES: Final = 2

_seen: tuple[float, dict[str, str]] = (float("-inf"), {})


def all_halts() -> dict[str, str]:
    """How each engine is stopped, a second old at most; one that runs is not in it."""
    global _seen
    if time.monotonic() - _seen[0] >= FRESH_FOR:
        _seen = (time.monotonic(), dict(Halt.objects.values_list("engine", "kind")))
    return _seen[1]


def paused(engines: Iterable[str]) -> list[str]:
    """Which of them begin nothing."""
    halts = all_halts()
    return sorted({name for name in engines if halts.get(name) == Halt.Kind.PAUSED})


def running(engines: Collection[str]) -> list[str]:
    """Which of them may begin something."""
    halts = all_halts()
    return [name for name in engines if halts.get(name) != Halt.Kind.PAUSED]


def admit(engines: Iterable[str]) -> None:
    """Raises EngineDraining where one of them takes no orders."""
    halts = all_halts()
    if any(halts.get(name) == Halt.Kind.DRAINING for name in engines):
        raise EngineDraining


def stop(engine: str, kind: Halt.Kind, now: datetime) -> None:
    """Stop an engine, or stop it in the other way; asking twice is asking once."""
    with transaction.atomic():
        row, new = Halt.objects.select_for_update().get_or_create(
            engine=engine, defaults={"kind": kind, "since": now}
        )
        if not new and row.kind != kind:
            Halt.objects.filter(pk=engine).update(kind=kind, since=now)
    _forget()


def resume(engine: str) -> bool:
    """Let it go on, and tell the workers what waits. False: it ran."""
    gone = bool(Halt.objects.filter(pk=engine).delete()[0])
    _forget()
    if gone:
        waiting = Lease.objects.filter(kind=LEASE, queue=engine).order_by("turn", "ready_at")
        for work_id in waiting.values_list("work_id", flat=True)[:NUDGES]:
            transaction.on_commit(partial(dispatch.nudge, LEASE, work_id))
    return gone


def _forget() -> None:
    """Whoever stops an engine sees at once that it is stopped."""
    global _seen
    _seen = (float("-inf"), {})
