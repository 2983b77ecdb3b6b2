"""Slow painters for the storms: the ordinary gpu worker rests while they strike.

Every test leaves the stack as it found it: what it killed runs again. Painters of the storms stay
from one test to the next.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from tests.chaos.arena import FACE, Arena
from tests.chaos.arena import running as running
from tests.chaos.person import Person

HERE: Final = Path(__file__).parent
LAST: Final = "test_the_bucket_is_away.py"


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


def nobody_follows(session: pytest.Session) -> bool:
    """Whether the storms are the last tests of this run, so that nobody needs what they strike."""
    return session.items[-1].path.parent == HERE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within the storms, what leaves most roles in another surrounding comes last."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path.name == LAST)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def storm(live: Stack, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack without its ordinary painter, which returns at the end if anybody needs it."""
    live.stop_role(Role.GPU)
    yield live
    if not nobody_follows(request.session):
        live.start_role(Role.GPU)
        live.wait_ready()


@pytest.fixture(scope="package")
def behind(live: Stack) -> Behind:
    return Behind(live)


@pytest.fixture(scope="package")
def storms(
    storm: Stack, behind: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arena]:
    """The arena of all storms, with their styles."""
    from tests.api.people import People

    people = People(storm, {})
    made = Arena(storm, behind, people, tmp_path_factory.mktemp("storms") / "pace")
    made.prepare()
    yield made
    made.close()
    people.close()


@pytest.fixture(scope="package")
def ada(storms: Arena) -> Iterator[Person]:
    """A person who stays; tests that erase somebody sign up a person of their own."""
    person = Person(storms.stack.urls.web, style=FACE)
    yield person
    person.close()


@pytest.fixture(scope="package")
def photos(ada: Person) -> str:
    """A kept set of hers that one job after another may use."""
    return ada.ready_set()


@pytest.fixture
def arena(storms: Arena, request: pytest.FixtureRequest) -> Iterator[Arena]:
    """Whatever a storm breaks is mended at its end, if anybody comes behind it."""
    from django.db import connections  # Django is set up after this file is read

    yield storms
    if request.node is not request.session.items[-1]:
        storms.heal()
    # The database may have died under this process's own connection.
    connections.close_all()
