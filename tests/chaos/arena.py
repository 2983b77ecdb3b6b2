"""The stack as storms strike it: painters of their own, roles and services that die and return.

One arena serves all storms of a run. Whoever comes out of one as it went in is kept for the next:
starting a process burns seconds of the processor, and starting is not what a storm is about.
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
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import psutil

from deploy.env import ROOT, Role
from deploy.prove.behind import Behind
from deploy.stack.crew import Member
from deploy.stack.roles import full_name
from deploy.stack.supervisor import Stack
from tests import styles
from tests.chaos import engine, ledger
from tests.chaos.history import Ledger
from tests.chaos.person import Person, wait
from tests.chaos.size import pick

if TYPE_CHECKING:
    from tests.api.people import People  # Django is set up after this file is read

WORDS, FACE, POISON = "storm-words", "storm-face", "storm-poison"
SQUARE: Final = {"width": engine.SIDE, "height": engine.SIDE}
RECIPES: Final[dict[str, dict[str, Any]]] = {
    WORDS: {**SQUARE, "references": 0, "prompt": "a lighthouse"},
    FACE: {**SQUARE, "references": 1},
    POISON: {**SQUARE, "references": 0, "prompt": engine.POISON},
}
# Beside the ordinary ones of the stack.
PAINTERS: Final = (11, 12)
# Of the painters, in seconds: as the product has it, but for a run that must end soon.
LEASE: Final = pick(8.0, 15.0, 15.0)
Name = tuple[Role, int]
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


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
    people: "People"
    # What the painters read whenever they begin a picture.
    pace: Path
    # What those are started with, again after each death, that are not as the stack starts them.
    extra: dict[Name, dict[str, str]] = field(default_factory=dict)
    # The stack's supervisor is not made for many threads.
    turn: threading.RLock = field(default_factory=threading.RLock)
    _sweeper: "subprocess.Popen[str] | None" = None

    def prepare(self) -> None:
        """Styles of the storm's engine."""
        for slug, recipe in RECIPES.items():
            styles.publish(self.stack, slug, engine.NAME, **recipe)

    def newcomer(self) -> Person:
        """Somebody who has signed; signing up is no part of a storm, so their rows are written."""
        made = self.people.make(signed=False)
        made.http.close()
        token = made.http.headers["X-Session-Token"]
        return Person(self.stack.urls.web, email=made.email, id=made.id, token=token)

    def painters(
        self,
        *indices: int,
        step: float = 0.03,
        trace: Path | None = None,
        extra: Mapping[str, str] = NOTHING,
        own: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """These paint now and no others, at so many seconds a step; who does so already is kept.

        `extra`: the surrounding of all of them, `own`: of single ones.
        """
        self.tell(step, trace)
        wanted = {
            (Role.GPU, index): {**self._usual(), **extra, **own.get(index, {})} for index in indices
        }
        fit = [key for key, env in wanted.items() if self._runs(key, env)]
        self._stop(*[key for key in self.extra if key[0] is Role.GPU and key not in fit])
        self.extra.update(wanted)
        self._start(*[key for key in wanted if key not in fit])
        self.ready(*[self.member(*key) for key in wanted])

    def tell(self, step: float, trace: Path | None = None) -> None:
        """How fast they paint what they begin from now on, and where they note each step."""
        engine.tell(self.pace, step, trace)

    def member(self, role: Role, index: int = 0) -> Member:
        return self.stack._crew.members[full_name(role, index)]

    def _usual(self) -> dict[str, str]:
        return {
            "SITTER_TEST_PACE": str(self.pace),
            "SITTER_TEST_LEASE": str(LEASE),
            "SITTER_ENGINES": json.dumps([engine.NAME]),
            "SITTER_LOG_LEVEL": "INFO",
        }

    def _runs(self, key: Name, env: Mapping[str, str]) -> bool:
        member = self.stack._crew.members.get(full_name(*key))
        return self.extra.get(key) == env and member is not None and member.alive

    def start(self, role: Role, index: int = 0) -> Member:
        """Whatever ran under this name ends; what starts is not waited for."""
        self._start((role, index))
        return self.member(role, index)

    def with_env(self, extra: Mapping[str, str], *roles: Role) -> None:
        """Start roles anew in another surrounding, until the arena is healed."""
        self.extra.update({(role, 0): dict(extra) for role in roles})
        self._start(*[(role, 0) for role in roles])
        self.ready(*[self.member(role) for role in roles])

    def _start(self, *keys: Name) -> None:
        with self.turn:
            self.stack._crew.stop([full_name(*key) for key in keys])
            for role, index in keys:
                extra = self.extra.get((role, index), {})
                self.stack.start_role(role, index=index, extra_env=extra)

    def _stop(self, *keys: Name) -> None:
        """For good, all at once."""
        for key in keys:
            del self.extra[key]
        with self.turn:
            self.stack._crew.stop([full_name(*key) for key in keys])

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
        """Every role of the stack runs as it did before; painters stay that are as any storm's."""
        for key in self.extra:
            self.kill(*key, SIGCONT)
        changed = [key for key in self.extra if key[1] == 0]
        for key in changed:
            del self.extra[key]
        self._stop(*[key for key in self.extra if not self._runs(key, self._usual())])
        self._start(*changed)
        self.ready(*[self.member(*key) for key in changed])
        for member in list(self.stack._crew.members.values()):
            assert member.alive, f"{member.name} was left dead"

    def close(self) -> None:
        """No painter of the storms is left."""
        self._stop(*[key for key in self.extra if key[0] is Role.GPU])
        if self._sweeper is not None:
            self._sweeper.communicate()

    def moving(self, seconds: float = 60.0) -> None:
        """All roles are back."""
        self.ready(*list(self.stack._crew.members.values()), seconds=seconds)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.behind.rows(query, values)

    def open_work(self, people: Collection[uuid.UUID]) -> int:
        """Jobs that have not ended, and work that somebody has or that waits."""
        query = (
            "SELECT (SELECT count(*) FROM portraits_job WHERE owner_id = ANY(%s)"
            " AND state IN ('queued', 'running'))"
            " + (SELECT count(*) FROM privacy_lease WHERE owner_id = ANY(%s))"
        )
        return int(self.rows(query, list(people), list(people))[0][0])

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
            time.sleep(0.5)
        return True

    def sweep(self) -> None:
        """What a crash has left in the bucket goes, by the product's own sweep."""
        if self._sweeper is None:
            command = [sys.executable, "-m", "tests.chaos.sweep"]
            env, pipe = self.stack.env(Role.UPKEEP), subprocess.PIPE
            self._sweeper = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True
            )
        assert self._sweeper.stdin is not None
        assert self._sweeper.stdout is not None
        self._sweeper.stdin.write("sweep\n")
        self._sweeper.stdin.flush()
        assert self._sweeper.stdout.readline() == "swept\n", "the sweep has failed"

    def ledger(self, people: Collection[uuid.UUID]) -> Ledger:
        """Everything of these people, read behind the product's back."""
        return ledger.read(self.behind, list(people))
