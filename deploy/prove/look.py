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
    """What the processes that open things still hold."""
    results = []
    for role in OPENERS:
        looked = memory.look(memory.family(stack.pid(role)), search)
        says = _said(looked.found) or f"{looked.size / 1e6:.0f} MB, nothing of the canary"
        results.append(Result(f"memory.{role}", not looked.found, says, looked.size))
    return results


def compact(stack: Stack) -> None:
    """Upkeep's own compaction, now; and the write-ahead log turned over, as time would do it."""
    run = subprocess.run(
        [sys.executable, "manage.py", "compact"], cwd=ROOT, env=stack.env(Role.UPKEEP), check=False
    )
    if run.returncode:
        raise DemoError("The accounts' tables could not be rewritten.")
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        for _ in range(2):
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")


def live(stack: Stack, *, grace: float) -> list[Result]:
    """`manage.py prove` with upkeep's own environment, as an operator would run it."""
    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "manage.py", "prove", "--json", "--all", f"--grace={grace:g}"],
        cwd=ROOT,
        env=stack.env(Role.UPKEEP),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIVE_PATIENCE,
    )
    try:
        told = json.loads(run.stdout)["checks"]
    except (ValueError, KeyError) as error:
        raise DemoError(
            f"manage.py prove ended with {run.returncode}: {run.stderr[-500:]}"
        ) from error
    return [Result(row["name"], row["holds"], row["says"], row.get("n") or 0) for row in told]


def _said(found: Iterable[str]) -> str:
    hits = sorted(found)
    more = f" and {len(hits) - 3} more" if len(hits) > 3 else ""
    return "; ".join(hits[:3]) + more
