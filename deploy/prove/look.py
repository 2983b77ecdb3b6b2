"""The looks: at every place for what must not be there, and at the live checks' own verdicts."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from deploy.demo.errors import DemoError
from deploy.env import ROOT, Role
from deploy.prove import memory
from deploy.prove.places import Places
from deploy.prove.search import Search
from deploy.stack.supervisor import Stack

SORTS = (
    *("bucket", "volumes", "database", "wal", "valkey", "flower", "logs", "mail", "files"),
    "temporary",
)
OPENERS = (Role.WEB, Role.INTAKE, Role.GPU, Role.UPKEEP, Role.KEEPER)
LIVE_PATIENCE = 180
# What is freed is overwritten at once; buffers of a finished request live a little longer.
SETTLED = 5.0
# No mark is longer in any of its forms.
LONGEST = 256


@dataclass(frozen=True)
class Result:
    """One check: its stable name, whether it holds, one sentence, and how much was looked at."""

    name: str
    holds: bool
    says: str
    n: int = 0


def everywhere(stack: Stack, search: Search, since: float) -> list[Result]:
    """One result a sort of place; a hit names the place and the mark, never the bytes."""
    found: dict[str, set[str]] = {sort: set() for sort in SORTS}
    size: Counter[str] = Counter()
    for sort, name, data in Places(stack, since):
        size[sort] += len(data)
        found[sort] |= {f"{label} in {name}" for label in search.find(data)}
    return [
        Result(
            f"nowhere.{sort}",
            not found[sort],
            _said(found[sort]) or f"{size[sort] / 1e6:.1f} MB, nothing in clear",
            size[sort],
        )
        for sort in SORTS
    ]


def in_memory(stack: Stack, search: Search) -> list[Result]:
    """What the processes that open things still hold, in whatever a process can write to.

    The sandbox in which photos are decoded is closed to its own user, and is looked into as root.
    """
    results = []
    for role in OPENERS:
        found: set[str] = set()
        size = closed = 0
        for pid in memory.family(stack.pid(role)):
            try:
                for piece in memory.pieces(pid, LONGEST):
                    size += len(piece)
                    found |= search.find(piece, inflate=False)
            except memory.MemoryClosed:
                closed += 1
        says = _said(found) or f"{size / 1e6:.0f} MB, nothing of the canary"
        if closed:
            says += f"; NOT looked into: {closed} processes closed to this user (run it as root)"
        results.append(Result(f"memory.{role}", bool(size) and not found, says, size))
    return results


def manage(stack: Stack, role: Role, *arguments: str) -> str:
    """One of our commands with a role's own environment; what it printed."""
    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=stack.env(role),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIVE_PATIENCE,
    )
    # `prove` ends with 1 when a check fails, and has still said everything.
    if run.returncode not in (0, 1) or (run.returncode and not run.stdout):
        raise DemoError(f"manage.py {arguments[0]} ended so: {run.stderr[-500:]}")
    return run.stdout


def compact(stack: Stack) -> None:
    """Upkeep's own compaction, now; and the write-ahead log turned over, as time would do it."""
    manage(stack, Role.UPKEEP, "compact")
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        for _ in range(2):
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")


def live(stack: Stack, *, grace: float) -> list[Result]:
    """`manage.py prove` with upkeep's own environment, as an operator would run it."""
    printed = manage(stack, Role.UPKEEP, "prove", "--json", "--all", f"--grace={grace:g}")
    rows = json.loads(printed)["checks"]
    return [Result(row["name"], row["holds"], row["says"], row.get("n") or 0) for row in rows]


def _said(found: Iterable[str]) -> str:
    hits = sorted(found)
    more = f" and {len(hits) - 3} more" if len(hits) > 3 else ""
    return "; ".join(hits[:3]) + more
