"""Somebody whose photo, reference and portrait lie sealed, for roles to try and open."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from signal import SIGCONT, SIGSTOP

import psycopg
import pytest
from psycopg import errors

from deploy.env import Role
from deploy.prove.behind import Behind, SealedRow
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests.chaos.person import Person, views, wait

May = Callable[[Role, str], bool]


@dataclass(frozen=True)
class Sealed:
    """One blob of each kind that a role might want to open."""

    person: Person
    upload: SealedRow
    reference: SealedRow
    portrait: SealedRow

    @property
    def ids(self) -> dict[str, str]:
        return {
            "upload": str(self.upload.id),
            "reference": str(self.reference.id),
            "portrait": str(self.portrait.id),
        }


def login(live: Stack, role: Role) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(live.env(role)["SITTER_DATABASE_URL"], autocommit=True)


@pytest.fixture(scope="package")
def may(live: Stack) -> Iterator[May]:
    """`may(role, statement)`: whether PostgreSQL lets this login do it."""
    with ExitStack() as over:
        # A login costs its two ends four thousand rounds of a hash, so each is had once.
        kept = cache(lambda role: over.enter_context(login(live, role)))

        def ask(role: Role, statement: str) -> bool:
            try:
                kept(role).execute(statement.encode())
            except errors.InsufficientPrivilege:
                return False
            except errors.RaiseException:
                return True  # the grant would do, the table's trigger did not
            return True

        yield ask


@pytest.fixture(scope="package")
def behind(live: Stack) -> Behind:
    return Behind(live)


@pytest.fixture(scope="module")
def sealed(live: Stack, behind: Behind) -> Iterator[Sealed]:
    """The intake stands still while an upload waits for it.

    Not longer than for one file: another starts an intake of its own, which would take the upload.
    """
    person = Person(live.urls.web)
    kept = person.ready_set()
    assert person.ended(person.submit(kept))["state"] == "done"
    other = person.new_set()
    with ThreadPoolExecutor(1) as pool:
        live.kill_role(Role.INTAKE, SIGSTOP)
        try:
            sent = pool.submit(person.put, other, "front", views()["front"])
            upload = wait("the upload", lambda: behind.stored(person.id, Kind.UPLOAD))[0]
            reference = behind.stored(person.id, Kind.REFERENCE)[0]
            yield Sealed(person, upload, reference, behind.stored(person.id, Kind.PORTRAIT)[0])
        finally:
            live.kill_role(Role.INTAKE, SIGCONT)
        assert sent.result(timeout=30).status_code in (200, 202)
    person.accepted(other)
    person.close()
