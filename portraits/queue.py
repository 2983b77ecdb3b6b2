"""Where waiting portraits stand: their turns when they come in, their position and estimate later.

What is computed from turns is scheduling.py's; this module reads the rows that it needs. Positions
and estimates say how things stand: who comes later with less goes first, and that is not foretold.
"""

import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from statistics import fmean
from typing import Final

from django.db import connection

from portraits import halts, scheduling
from portraits.endings import LEASE
from portraits.models import Item, Painter
from portraits.painters import ALIVE_FOR
from privacy import leases
from privacy.models import Lease

# Work is taken in the order of turns, so what is held stands at the front of its queue. So many
# rows from the front show all that some dozens of workers hold.
FRONT: Final = 200
# Many people ask at once how long it will take; they may be told what was so a second ago.
FRESH_FOR: Final = 1.0
# The advisory locks of this module are told from others by this number.
LINES: Final = 0x11E5

_FLOW: Final = """
    SELECT turn, cost FROM privacy_lease
    WHERE owner_id = %s AND kind = %s AND lane = %s AND queue = %s
"""
_OPEN_OF: Final = """
    SELECT queue, turn, cost, held_until >= statement_timestamp() FROM privacy_lease
    WHERE kind = %s AND work_id IN (
        SELECT id FROM portraits_item WHERE job_id = %s AND state = ANY(%s))
    ORDER BY turn
"""
# The last turn that is being served, and the first that waits.
_FRONT: Final = """
    SELECT max(turn) FILTER (WHERE held), min(turn) FILTER (WHERE held IS NOT TRUE)
    FROM (
        SELECT turn, held_until >= statement_timestamp() AS held FROM privacy_lease
        WHERE kind = %s AND queue = %s ORDER BY turn, ready_at LIMIT %s
    ) AS front
"""


def places(
    owner_id: uuid.UUID, lane: str, wanted: Sequence[tuple[str, float]]
) -> list[leases.Place]:
    """A place for each (engine, cost), in this order. The caller is in a transaction.

    One person's submissions line up one after the other, so that nobody gets ahead by sending many
    at once. Different people who come at the same moment may read the same virtual time; that costs
    nobody more than what the others of that moment have ordered.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LINES, str(owner_id)])
    weight = scheduling.WEIGHTS[lane]
    turns: dict[str, list[float]] = {}
    for engine in dict.fromkeys(engine for engine, _ in wanted):
        opened = _flow(owner_id, lane, engine)
        costs = [cost for name, cost in wanted if name == engine]
        turns[engine] = scheduling.line_up(_serving(engine), opened, costs, weight=weight)
    lines = {engine: iter(line) for engine, line in turns.items()}
    return [leases.Place(engine, lane, next(lines[engine]), cost) for engine, cost in wanted]


def close_ranks(owner_id: uuid.UUID) -> None:
    """What somebody has cancelled no longer stands before the rest of what they wait for.

    The caller holds the owner's row alone. What is being claimed at this moment is left as it is.
    """
    mine = Lease.objects.filter(owner_id=owner_id, kind=LEASE, lane__in=scheduling.WEIGHTS)
    mine = mine.annotate(held=leases.HELD)
    rows = list(mine.order_by("turn", "ready_at", "pk").select_for_update(skip_locked=True))
    moved = []
    for lane, engine in {(row.lane, row.queue) for row in rows}:
        flow = [row for row in rows if (row.lane, row.queue) == (lane, engine)]
        held = [scheduling.Open(row.turn, row.cost) for row in flow if row.held]
        waiting = [row for row in flow if not row.held]
        costs = [row.cost for row in waiting]
        weight = scheduling.WEIGHTS[lane]
        turns = scheduling.line_up(_serving(engine), held, costs, weight=weight)
        for row, turn in zip(waiting, turns, strict=True):
            if turn < row.turn:
                row.turn = turn
                moved.append(row)
    Lease.objects.bulk_update(moved, ["turn"])


@dataclass(frozen=True)
class Standing:
    """How many portraits come before a job's next one, and how long until its last one is done.

    No estimate is better than a guess: it is None while no worker has the engine or an operator has
    paused it, which `notice` says in a sentence, and until one has painted something.
    """

    position: int
    eta_seconds: float | None
    notice: str | None


@dataclass(frozen=True)
class _Line:
    """One engine's queue at some moment."""

    turns: list[float]  # of what waits, in order
    before: list[float]  # what all before it costs; one more at the end
    held: float  # what is being painted costs
    served: bool  # whether a worker has the engine
    rates: list[float]  # what each of its workers does a second
    swap: float  # seconds until one of them has the engine in memory


def standing(job_id: uuid.UUID, now: datetime) -> Standing | None:
    """Where a job stands; None once nothing of it is open."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_OF, [LEASE, job_id, [str(state) for state in Item.OPEN]])
        rows = cursor.fetchall()
    if not rows:
        return None
    lines = {engine: _line(engine, now) for engine in sorted({row[0] for row in rows})}
    position = min(
        0 if held else bisect_left(lines[engine].turns, turn) for engine, turn, _, held in rows
    )
    if stopped := halts.paused(lines):
        return Standing(position, None, _paused(stopped))
    if missing := [engine for engine, line in lines.items() if not line.served]:
        return Standing(position, None, _notice(missing))
    if not all(line.rates for line in lines.values()):
        return Standing(position, None, None)
    # The last of each engine's; they are in order.
    last = {engine: (turn, cost, held) for engine, turn, cost, held in rows}
    waits = [_wait(lines[engine], *piece) for engine, piece in last.items()]
    return Standing(position, round(max(waits), 1), None)


def _wait(line: _Line, turn: float, cost: float, held: bool) -> float:
    """Seconds until a piece is done. What is being painted is taken to be half done."""
    together = sum(line.rates)
    if held:
        return line.swap + line.held / 2 / together
    before = line.held / 2 + line.before[bisect_left(line.turns, turn)]
    return line.swap + before / together + cost / fmean(line.rates)


def _paused(engines: Sequence[str]) -> str:
    names = " and ".join(engines)
    verb = "is" if len(engines) == 1 else "are"
    return f"{names} {verb} paused by the operator; what waits is painted when that is over."


def _notice(engines: Sequence[str]) -> str:
    names = " and ".join(engines)
    kind = "engine" if len(engines) == 1 else "engines"
    return f"No running worker has the {kind} {names}; nobody can say yet when this is painted."


_lines: dict[str, tuple[float, _Line]] = {}


def _line(engine: str, now: datetime) -> _Line:
    seen_at, line = _lines.get(engine, (float("-inf"), None))
    if line is None or time.monotonic() - seen_at >= FRESH_FOR:
        line = _read(engine, now)
        _lines[engine] = (time.monotonic(), line)
    return line


def _read(engine: str, now: datetime) -> _Line:
    queue = Lease.objects.filter(kind=LEASE, queue=engine).annotate(held=leases.HELD)
    rows = list(queue.order_by("turn", "ready_at").values_list("turn", "cost", "held"))
    waiting = [(turn, cost) for turn, cost, held in rows if not held]
    served, rates, swap = _rates(engine, now)
    return _Line(
        [turn for turn, _ in waiting],
        list(accumulate((cost for _, cost in waiting), initial=0.0)),
        sum(cost for _, cost, held in rows if held),
        served,
        rates,
        swap,
    )


def _rates(engine: str, now: datetime) -> tuple[bool, list[float], float]:
    """Whether anybody serves the engine, what each worker can spend on it a second, and how long
    the quickest of them takes to load it where none has it in memory.
    """
    alive = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR, state=Painter.State.READY)
    found = alive.values_list("holder", "engine", "rate", "loaded", "swap_seconds")
    rows = [(who, name, rate) for who, name, rate, *_ in found]
    here = [(loaded, swap) for _, name, _, loaded, swap in found if name == engine]
    swap = 0.0 if any(loaded for loaded, _ in here) else _quickest(swap for _, swap in here)
    known = [rate for _, name, rate in rows if name == engine and rate]
    holders = [(who, rate) for who, name, rate in rows if name == engine]
    if not known:
        return bool(holders), [], swap
    # A worker divides its time among those of its engines that have work.
    busy = {engine, *leases.heads(LEASE, sorted({name for _, name, _ in rows}))}
    shares = Counter(who for who, name, _ in rows if name in busy)
    # One that has painted nothing yet will do about as much as the others.
    return True, [(rate or fmean(known)) / shares[who] for who, rate in holders], swap


def _quickest(swaps: Iterable[float | None]) -> float:
    """Of those that were measured; a worker that has never swapped says nothing."""
    return min((swap for swap in swaps if swap is not None), default=scheduling.SWAP_SECONDS)


def _serving(engine: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(_FRONT, [LEASE, engine, FRONT])
        held, waiting = cursor.fetchone()
    return scheduling.now_serving([] if held is None else [held], waiting)


def _flow(owner_id: uuid.UUID, lane: str, engine: str) -> list[scheduling.Open]:
    with connection.cursor() as cursor:
        cursor.execute(_FLOW, [owner_id, LEASE, lane, engine])
        return [scheduling.Open(turn, cost) for turn, cost in cursor.fetchall()]
