"""What a day needs besides GPUs: requests, processes, connections, messages, rows, bytes.

Rates are those of the simulated day; what each takes is measured or assumed (measured.py). What the
code decides (pools, threads, messages, terms) is read from the code.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.capacity import rules
from deploy.capacity.measured import Figure
from deploy.capacity.outcome import Outcome
from deploy.capacity.shapes import DAY
from deploy.capacity.sizing import Answer
from deploy.env import Env, Role
from privacy import retention
from privacy.retention import Kind, Term
from workers import schedule

# An app's requests: what → (per order, per portrait, whose processor time it takes). The stream of
# events is one request for as long as somebody waits; each event makes the server look once.
ASKED: Final[dict[str, tuple[float, float, str]]] = {
    "the set of photos, the allowance, the gallery": (3, 0, "poll"),
    "a photo of 3 MB": (5, 0, "upload"),
    "an order": (1, 0, "order"),
    "the stream of events": (1, 0, "poll"),
    "a portrait, small and whole": (0, 2, "download"),
}
# A change that a client hears of: begun, what is written while it is painted, stored, ended.
CHANGES: Final = 8
# Celery tells of each task: sent, received, started, succeeded.
EVENTS_A_TASK: Final = 4
# Of each painted portrait: whole, middle, thumbnail.
SIZES: Final = 3
# A process is planned to be busy for this part of the time, or it is late when many come at once.
BUSY: Final = 0.6
# Never fewer, so that one may go.
AT_LEAST: Final = 2
# What one process keeps to the database at most, and how many there are besides: upkeep, keeper.
POOL: Final[int] = Env.model_fields["database_pool"].default
OTHERS: Final = 2 * AT_LEAST


@dataclass(frozen=True)
class Need:
    """One row of the answer; `busiest` is that of the busiest hour."""

    what: str
    mean: float
    busiest: float
    unit: str
    how: str


def needs(answer: Answer) -> list[Need]:
    """All rows."""
    begin, end = answer.question.shape.busiest()
    said, day = answer.question.figures(), answer.day
    rows = [*_gpus(answer), *_traffic(answer)]
    found = {row.what: row for row in rows}
    rows += _processes(answer)
    rows += _messages(day, begin, end)
    rows += _connections({row.what: row for row in rows})
    rows += _database(found["portraits asked for"], said)
    rows += _kept(answer, said)
    return rows


def _gpus(answer: Answer) -> Iterator[Need]:
    begin, end = answer.question.shape.busiest()
    day, workers = answer.day, answer.workers
    yield Need(
        "GPU workers", workers, workers, "", "simulated: the fewest that paint what comes, in time"
    )
    yield Need("of their time painting", day.busy(0, DAY), day.busy(begin, end), "", "simulated")


def _traffic(answer: Answer) -> Iterator[Need]:
    begin, end = answer.question.shape.busiest()
    day = answer.day
    asked = (day.rate(0, DAY), day.rate(begin, end))
    orders = (_orders(day, 0, DAY), _orders(day, begin, end))
    yield Need("portraits asked for", *asked, "/s", "simulated")
    yield Need("orders", *orders, "/s", "simulated")
    requests = [
        sum(each * order + one * portrait for each, one, _ in ASKED.values())
        for order, portrait in zip(orders, asked, strict=True)
    ]
    yield Need("requests", requests[0], requests[1], "/s", "assumed: what an app asks (below)")


def _orders(day: Outcome, begin: float, end: float) -> float:
    return sum(cell.orders for cell in day.between(begin, end)) / (end - begin)


def web_cores(answer: Answer, begin: float, end: float) -> float:
    """Processor cores that requests keep busy in this time."""
    said, day = answer.question.figures(), answer.day
    orders, portraits = _orders(day, begin, end), day.rate(begin, end)
    return sum(
        (each * orders + one * portraits) * said[cost].value for each, one, cost in ASKED.values()
    )


def intake_hands(answer: Answer, begin: float, end: float) -> float:
    """Photos that are looked at at a time."""
    photos = ASKED["a photo of 3 MB"][0] * _orders(answer.day, begin, end)
    return photos * answer.question.figures()["judge"].value


def _processes(answer: Answer) -> Iterator[Need]:
    times = ((0.0, DAY), answer.question.shape.busiest())
    web = [_at_least(web_cores(answer, *time) / BUSY) for time in times]
    yield Need("web processes", web[0], web[1], "", f"{BUSY:.0%} of a processor core each")
    photos = [ASKED["a photo of 3 MB"][0] * _orders(answer.day, *time) for time in times]
    yield Need("photos", photos[0], photos[1], "/s", "five an order")
    hands = rules.CONCURRENCY[Role.INTAKE] * BUSY
    intake = [_at_least(intake_hands(answer, *time) / hands) for time in times]
    yield Need("intake processes", intake[0], intake[1], "", "two photos at once each, two cores")


def _at_least(some: float) -> int:
    return max(AT_LEAST, math.ceil(some))


def _messages(day: Outcome, begin: float, end: float) -> Iterator[Need]:
    """Nudges, what Celery says of each task, and what streams hear."""
    nudges = day.counts["nudges"] / DAY
    beats = sum(1 / seconds for _, _, seconds in schedule.PERIODS.values())
    peak = day.rate(begin, end) / day.rate(0, DAY)
    photos = ASKED["a photo of 3 MB"][0]
    rows = []
    for factor, (start, stop) in ((1.0, (0.0, DAY)), (peak, (begin, end))):
        tasks = nudges * factor + photos * _orders(day, start, stop) + beats
        rows.append((1 + EVENTS_A_TASK) * tasks + CHANGES * day.rate(start, stop))
    said = "nudges simulated; Celery's events, changes for streams and beat counted from the code"
    yield Need("broker messages", rows[0], rows[1], "/s", said)


def _connections(found: dict[str, Need]) -> Iterator[Need]:
    """What PostgreSQL must allow: every pool full."""
    for what, per in (
        ("database connections at most", (POOL, POOL, POOL + 1)),
        ("database connections in use", (2, rules.CONCURRENCY[Role.INTAKE], _of_a_painter())),
    ):
        counts = [
            web * per[0] + intake * per[1] + gpu * per[2] + OTHERS * per[0]
            for web, intake, gpu in (
                (
                    getattr(found["web processes"], when),
                    getattr(found["intake processes"], when),
                    getattr(found["GPU workers"], when),
                )
                for when in ("mean", "busiest")
            )
        ]
        how = "SITTER_DATABASE_POOL a process" if "most" in what else "threads that work, counted"
        yield Need(what, counts[0], counts[1], "", how)


def _of_a_painter() -> int:
    return rules.HANDS + rules.OTHER_CONNECTIONS


def _database(portraits: Need, said: dict[str, Figure]) -> Iterator[Need]:
    """Of painting alone, as measured; what requests and sweeps add is not in it."""
    for name, what, unit, per in (
        ("database processor", "database cores, painting", "", 1.0),
        ("transactions", "database transactions, painting", "/s", 1.0),
        ("log", "write-ahead log, painting", "MB/s", 1e-6),
        ("broker processor", "broker cores, painting", "", 1.0),
    ):
        if name in said:
            value = said[name].value * per
            how = f"{said[name].value:.3g} {said[name].unit} (capacity.json)"
            yield Need(what, portraits.mean * value, portraits.busiest * value, unit, how)


def _kept(answer: Answer, said: dict[str, Figure]) -> Iterator[Need]:
    """What lies there once as much ends as comes, by the terms of the law."""
    day = answer.day
    painted = day.counts["done"] / DAY
    puts = SIZES * painted + 2 * ASKED["a photo of 3 MB"][0] * _orders(day, 0, DAY)
    begin, end = answer.question.shape.busiest()
    peak = day.rate(begin, end) / day.rate(0, DAY)
    yield Need(
        "objects put, and as many deleted", puts, puts * peak, "/s", "three sizes, two a photo"
    )
    days = retention.DEADLINES[Kind.PORTRAIT].default.days
    blobs = SIZES * painted * DAY * days
    yield Need("rows of blobs", blobs, blobs, "", f"three a portrait, {days} days")
    if "bytes" in said:
        size = painted * DAY * days * said["bytes"].value / 1e12
        yield Need("in the bucket", size, size, "TB", f"{days} days (capacity.json)")
    if "audit rows" in said:
        years = retention.TERMS[Term.AUDIT].default.days / 365
        rows = said["audit rows"].value * painted * DAY * years * 365
        how = f"{said['audit rows'].value:.3g} a portrait painted, {years:.0f} years"
        yield Need("rows of the audit trail", rows, rows, "", how)
