"""What gives way first: for each bound that is known, at how many portraits a day it is reached.

A bound is a setting's default, a number in the code, or something that was measured. What the rows
say is what the plan in deploy/docs/capacity.md is made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.capacity import rules
from deploy.capacity.needs import BUSY, OTHERS, POOL, intake_hands, needs, web_cores
from deploy.capacity.sizing import Answer
from deploy.env import Role

# `make bench SUITE=retention` found what is due among so many in a fifth of a millisecond; nobody
# has measured more.
BLOBS_MEASURED: Final = 10_000_000
# What the stack and the compose file set, and what a large managed PostgreSQL takes.
CONNECTIONS: Final = 150
MANAGED: Final = 5_000
# Cores of a large machine for a database that only one machine writes to.
CORES: Final = 32
# One prefix of S3, as its maker says.
PUTS: Final = 3_500


@dataclass(frozen=True)
class Limit:
    """One bound: where it lies, how many portraits a day reach it, and what helps then."""

    what: str
    bound: float
    portraits: float
    then: str


def limits(answer: Answer) -> list[Limit]:
    """All of them, the first to give way first. Each grows with the portraits a day."""
    rows = [*_bounds(answer)]
    per_day = answer.question.portraits
    told = [
        Limit(what, bound, per_day * bound / used, then) for what, bound, used, then in rows if used
    ]
    return sorted(told, key=lambda limit: limit.portraits)


def _bounds(answer: Answer) -> Iterator[tuple[str, float, float, str]]:
    """(what, bound, what this answer uses of it, what helps)."""
    found = {need.what: need for need in needs(answer)}
    gpus, busiest = found["GPU workers"].busiest, answer.question.shape.busiest()
    web = web_cores(answer, *busiest) / BUSY
    intake = intake_hands(answer, *busiest) / BUSY / rules.CONCURRENCY[Role.INTAKE]
    yield "one GPU worker", 1, gpus, "more of them; KEDA adds them"
    yield "one web process", 1, web, "more of them; they share nothing"
    yield "one intake process", 1, intake, "more of them; they share nothing"
    # Those of upkeep and the keeper do not grow with the portraits.
    connections = (web + intake) * POOL + gpus * (POOL + 1)
    always = OTHERS * POOL
    yield (
        f"{CONNECTIONS} connections, as compose sets them", CONNECTIONS - always, connections,
        "max_connections, then a smaller SITTER_DATABASE_POOL for the web",
    )  # fmt: skip
    yield (
        f"{MANAGED:,} connections of a large PostgreSQL", MANAGED - always, connections,
        "a pooler: transaction mode for the web, session mode for painters",
    )  # fmt: skip
    held = gpus * rules.HANDS
    yield (
        f"{rules.FRONT} held portraits of one engine", rules.FRONT, held,
        "portraits.queue.FRONT, or a partition of the queue",
    )  # fmt: skip
    yield (
        "10 million rows of blobs, the most that was measured", BLOBS_MEASURED,
        found["rows of blobs"].mean, "measure at more rows; partition by time",
    )  # fmt: skip
    yield (
        f"{PUTS:,} objects a second in one prefix of S3", PUTS,
        found["objects put, and as many deleted"].busiest, "names are random; S3 splits by itself",
    )  # fmt: skip
    if "database cores, painting" in found:
        cores = CORES * BUSY
        used = found["database cores, painting"].busiest
        yield f"{CORES} cores of PostgreSQL", cores, used, "cells: people divided among databases"
    if "broker cores, painting" in found:
        used = found["broker cores, painting"].busiest
        yield "the one core of Valkey", BUSY, used, "one broker a role, then one a cell"
