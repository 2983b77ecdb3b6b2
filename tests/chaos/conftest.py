"""Slow painters for the storms: the ordinary gpu worker rests while they strike.

Every test leaves the stack as it found it: what it killed runs again, what it started is gone.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals

import pytest

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.crew import Member
from deploy.stack.supervisor import Stack
from tests import styles
from tests.chaos.arena import Arena
from tests.chaos.arena import running as running
from tests.chaos.person import Person


def restarted(stack: Stack, role: Role) -> float:
    """Bring back what was killed; returns how many seconds that took."""
    began = time.monotonic()
    stack.stop_role(role)
    running(stack.start_role(role))
    return time.monotonic() - began


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@dataclass
class Painters:
    """Gpu workers that need `step` seconds for each of ten steps."""

    stack: Stack
    indices: list[int] = field(default_factory=list)

    def start(self, index: int, *, step: float) -> Member:
        extra = {
            "SITTER_TEST_STEP_SECONDS": str(step),
            "SITTER_ENGINES": json.dumps([styles.PASSTHROUGH]),
            "SITTER_LOG_LEVEL": "INFO",
        }
        member = self.stack.start_role(Role.GPU, index=index, extra_env=extra)
        self.indices.append(index)
        return running(member)

    def signal(self, index: int, number: Signals = SIGKILL) -> None:
        self.stack.kill_role(Role.GPU, number, index=index)

    def stop(self) -> None:
        for index in self.indices:
            with suppress(ProcessLookupError, KeyError):
                self.signal(index, SIGCONT)
            self.stack.stop_role(Role.GPU, index=index)
        self.indices.clear()


@pytest.fixture(scope="package")
def storm(live: Stack) -> Iterator[Stack]:
    """The stack without its ordinary painter, which returns at the end."""
    live.stop_role(Role.GPU)
    yield live
    live.start_role(Role.GPU)
    live.wait_ready()


@pytest.fixture
def painters(storm: Stack) -> Iterator[Painters]:
    made = Painters(storm)
    yield made
    made.stop()


@pytest.fixture(scope="package")
def behind(live: Stack) -> Behind:
    return Behind(live)


@pytest.fixture(scope="package")
def ada(live: Stack) -> Iterator[Person]:
    """A person who stays; tests that erase somebody sign up a person of their own."""
    person = Person(live.urls.web)
    yield person
    person.close()


@pytest.fixture(scope="package")
def photos(ada: Person) -> str:
    """A kept set of hers that one job after another may use."""
    return ada.ready_set()


@pytest.fixture
def arena(storm: Stack, behind: Behind) -> Iterator[Arena]:
    """The stack with styles of the storms; whatever a storm breaks is mended at its end."""
    from django.db import connections  # Django is set up after this file is read

    made = Arena(storm, behind)
    made.prepare()
    yield made
    made.heal()
    # The database may have died under this process's own connection.
    connections.close_all()
