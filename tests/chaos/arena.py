"""The stack as a storm strikes it: painters of its own, roles and services that die and return.

It also reads the ledger and the bucket once all is over, for the checker.
"""

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGCONT, SIGKILL, Signals
from types import MappingProxyType
from typing import Any, Final

import psutil

from deploy.env import ROOT, Role
from deploy.prove.behind import Behind
from deploy.stack.crew import Member
from deploy.stack.supervisor import Stack
from tests import styles
from tests.chaos import engine
from tests.chaos.history import Ledger, Ordered, Painted
from tests.chaos.person import wait

WORDS, FACE, POISON = "storm-words", "storm-face", "storm-poison"
RECIPES: Final[dict[str, dict[str, Any]]] = {
    WORDS: {"references": 0, "prompt": "a lighthouse"},
    FACE: {"references": 1},
    POISON: {"references": 0, "prompt": engine.POISON},
}
# Beside the ordinary ones of the stack.
PAINTERS: Final = (11, 12)


def running(member: Member, seconds: float = 60.0) -> Member:
    """Wait until a member that was just started takes work."""

    def look() -> bool:
        assert member.alive, f"{member.name} ended with status {member.process.returncode}"
        return member.look()

    wait(f"{member.name} ready", look, seconds=seconds)
    return member


@dataclass
class Arena:
    """Roles are named by (role, index)."""

    stack: Stack
    behind: Behind
    # What each role is started with, again after each death.
    extra: dict[tuple[Role, int], dict[str, str]] = field(default_factory=dict)
    # The stack's supervisor is not made for many threads.
    turn: threading.RLock = field(default_factory=threading.RLock)

    def prepare(self) -> None:
        """Styles of the storm's engine."""
        for slug, recipe in RECIPES.items():
            styles.publish(self.stack, slug, engine.NAME, **recipe)

    def painter(
        self, index: int, *, step: float = 0.03, extra: Mapping[str, str] = MappingProxyType({})
    ) -> Member:
        """Start one, or start it anew."""
        self.extra[Role.GPU, index] = {
            "SITTER_TEST_STEP_SECONDS": str(step),
            "SITTER_ENGINES": json.dumps([engine.NAME]),
            "SITTER_LOG_LEVEL": "INFO",
            **extra,
        }
        return self.start(Role.GPU, index)

    def start(self, role: Role, index: int = 0) -> Member:
        """Whatever ran under this name ends; what starts is not waited for."""
        with self.turn:
            self.stack.stop_role(role, index=index)
            return self.stack.start_role(
                role, index=index, extra_env=self.extra.get((role, index), {})
            )

    def with_env(self, role: Role, extra: Mapping[str, str], index: int = 0) -> None:
        """Start a role anew in another surrounding; empty: in its own."""
        self.extra[role, index] = dict(extra)
        self.ready(self.start(role, index))

    def ready(self, *members: Member, seconds: float = 90.0) -> None:
        for member in members:
            running(member, seconds)

    def kill(self, role: Role, index: int = 0, number: Signals = SIGKILL) -> None:
        with self.turn, suppress(KeyError):
            self.stack.kill_role(role, number, index=index)

    def kill_service(self, name: str) -> None:
        """With everything that it has started, as a machine that loses power."""
        process = psutil.Process(self.stack.pid(name))
        for one in [*process.children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.stack.kill_service(name)

    def revive_service(self, name: str) -> None:
        """Start it as its supervisor would; returns once it answers."""
        member = self.stack._crew.members[name]
        deadline = time.monotonic() + 60
        while True:
            member.process.bury()
            member.due, member.ready = None, False
            member.process = member.launch()
            while member.alive and time.monotonic() < deadline:
                if member.look():
                    return
                time.sleep(0.05)
            assert time.monotonic() < deadline, f"{name} does not come back"
            # The dying server may still hold what the new one needs.
            time.sleep(0.2)

    def heal(self) -> None:
        """Every role of the stack runs as it did before, and nothing of the storm does."""
        for role, index in list(self.extra):
            with suppress(ProcessLookupError, KeyError):
                self.kill(role, index, SIGCONT)
            if index:
                self.stack.stop_role(role, index=index)
        mended = [(role, index) for role, index in self.extra if not index]
        self.extra.clear()
        self.ready(*[self.start(role) for role, _ in mended])
        for member in list(self.stack._crew.members.values()):
            assert member.alive, f"{member.name} was left dead"

    def moving(self, seconds: float = 60.0) -> None:
        """All roles are back."""
        self.ready(*list(self.stack._crew.members.values()), seconds=seconds)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.behind.rows(query, values)

    def open_work(self, people: Collection[uuid.UUID]) -> int:
        """Jobs that have not ended, and work that somebody has or that waits."""
        ids = list(people)
        jobs = self.rows(
            "SELECT count(*) FROM portraits_job WHERE owner_id = ANY(%s)"
            " AND state IN ('queued', 'running')",
            ids,
        )
        work = self.rows("SELECT count(*) FROM privacy_lease WHERE owner_id = ANY(%s)", ids)
        return int(jobs[0][0]) + int(work[0][0])

    def seeds(self, people: Collection[uuid.UUID]) -> dict[str, int]:
        """The seed of each item, by which an engine's trace names it."""
        query = (
            "SELECT i.id, i.seed FROM portraits_item i JOIN portraits_job j ON j.id = i.job_id"
            " WHERE j.owner_id = ANY(%s)"
        )
        return {str(item): int(seed) for item, seed in self.rows(query, list(people))}

    def drain(self, people: Collection[uuid.UUID], *, seconds: float) -> bool:
        """Wait until nothing is under way; False where something still is."""
        deadline = time.monotonic() + seconds
        while self.open_work(people):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.3)
        return True

    def sweep(self) -> None:
        """What a crash has left in the bucket goes, by the product's own sweep."""
        command = [sys.executable, "-m", "tests.chaos.sweep"]
        env = self.stack.env(Role.UPKEEP)
        subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)

    def ledger(self, people: Collection[uuid.UUID]) -> Ledger:
        """Everything of these people, read behind the product's back."""
        return read(self.behind, list(people))


def read(behind: Behind, people: list[uuid.UUID]) -> Ledger:
    """See Ledger."""
    jobs = behind.rows(
        "SELECT id, owner_id, encode(key_sha256, 'hex'), state FROM portraits_job"
        " WHERE owner_id = ANY(%s)",
        [people],
    )
    items = behind.rows(
        "SELECT i.job_id, i.id, i.state, i.code, count(p.id) FROM portraits_item i"
        " JOIN portraits_job j ON j.id = i.job_id"
        " LEFT JOIN portraits_portrait p ON p.item_id = i.id"
        " WHERE j.owner_id = ANY(%s) GROUP BY i.id",
        [people],
    )
    of: dict[Any, list[Painted]] = {}
    for job, item, state, code, portraits in items:
        of.setdefault(job, []).append(Painted(str(item), state, int(portraits), code))
    stored = {
        row[0]
        for row in behind.rows(
            "SELECT name FROM privacy_blob WHERE owner_id = ANY(%s) AND state = 'stored'", [people]
        )
    }
    prefixes = behind.rows("SELECT prefix FROM privacy_ownerkey WHERE owner_id = ANY(%s)", [people])
    ours = {row[0] for row in prefixes}
    there = {name for name in behind.names() if name.split("/")[1:2] and name.split("/")[1] in ours}
    return Ledger(
        jobs=tuple(
            Ordered(str(job), str(owner), key or "", state, tuple(of.get(job, ())))
            for job, owner, key, state in jobs
        ),
        orphans=tuple(sorted(there - stored)),
        bodiless=tuple(sorted(stored - there)),
        references=_ids(behind, LEFT, people),
        leases=_ids(behind, LEASES, people),
        miscounted=_ids(behind, MISCOUNTED, people),
    )


# Sets that serve one job and whose job has ended, and photos that no set has.
LEFT: Final = """
    SELECT s.id FROM portraits_referenceset s JOIN portraits_job j ON j.references_id = s.id
    WHERE s.owner_id = ANY(%s) AND NOT s.keep AND j.state NOT IN ('queued', 'running')
    UNION
    SELECT b.id FROM privacy_blob b WHERE b.owner_id = ANY(%s) AND b.state = 'stored'
    AND b.kind IN (1, 2) AND NOT EXISTS (SELECT 1 FROM portraits_photo p
        WHERE p.upload_id = b.id OR p.reference_id = b.id)
"""
LEASES: Final = """
    SELECT l.work_id FROM privacy_lease l WHERE l.owner_id = ANY(%s) AND l.kind = 'item'
    AND NOT EXISTS (SELECT 1 FROM portraits_item i
        WHERE i.id = l.work_id AND i.state IN ('queued', 'running'))
"""
MISCOUNTED: Final = """
    SELECT a.owner_id FROM portraits_allowance a WHERE a.owner_id = ANY(%s)
    GROUP BY a.owner_id, a.period HAVING sum(a.used) <> (SELECT count(*) FROM portraits_item i
        JOIN portraits_job j ON j.id = i.job_id WHERE j.owner_id = a.owner_id AND i.charged)
"""


def _ids(behind: Behind, query: str, people: list[uuid.UUID]) -> tuple[str, ...]:
    values = [people] * query.count("%s")
    return tuple(str(row[0]) for row in behind.rows(query, values))
