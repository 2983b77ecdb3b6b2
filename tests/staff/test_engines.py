"""The page of engines: what waits where, and an engine that is paused, drained and resumed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import InterfaceError
from django.test import Client

from deploy.staff import engines
from deploy.staff.roles import Role
from portraits import halts, painting
from portraits.models import Halt
from privacy.models import AuditEvent, Lease
from tests.portraits.making import claimed, consenting, now, style, submitted
from tests.staff.members import client, member

PAGE = "/admin/engines/"


@pytest.fixture
def operator(born: Any) -> Iterator[Client]:
    born("web")
    Lease.objects.all().delete()
    yield client(member(Role.OPERATOR))
    Halt.objects.all().delete()
    halts._forget()


def row(engine: str) -> engines.Row:
    (found,) = [row for row in engines.rows(now()) if row.engine == engine]
    return found


def test_it_shows_what_waits_and_what_is_painted(operator: Client) -> None:
    painted = style()
    submitted(consenting(), painted, 3)
    claimed(painted)
    found = row(painted.engine)
    assert (found.state, found.waiting, found.painting, found.workers) == ("running", 2, 1, 0)
    assert found.seconds is not None
    assert found.seconds > 0
    assert painted.engine in operator.get(PAGE).content.decode()


def test_an_engine_is_paused_drained_and_resumed(operator: Client) -> None:
    painted = style()
    job = submitted(consenting(), painted)

    def do(act: str) -> str:
        given = {"engine": painted.engine, "act": act}
        return str(operator.post(PAGE, given, follow=True).content.decode())

    assert "begins nothing more" in do("paused")
    assert painting.claim((painted.engine,), now()) is None
    assert row(painted.engine).state == "paused"
    assert "takes no orders" in do("draining")
    assert row(painted.engine).state == "draining"
    assert "goes on" in do("resume")
    assert claimed(painted).job_id == job.pk
    verbs = [AuditEvent.Verb.ENGINE_STOPPED, AuditEvent.Verb.ENGINE_RESUMED]
    assert AuditEvent.objects.filter(verb__in=verbs).count() >= 3


def test_what_cannot_be_done_is_not_on_record(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise InterfaceError("the line is cut")

    painted = style()
    submitted(consenting(), painted)
    monkeypatch.setattr(halts, "stop", broken)
    before = AuditEvent.objects.count(), LogEntry.objects.count()
    with pytest.raises(InterfaceError):
        operator.post(PAGE, {"engine": painted.engine, "act": "paused"})
    assert (AuditEvent.objects.count(), LogEntry.objects.count()) == before


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"engine": "nobody-has-it", "act": "paused"},
        {"engine": "pocket", "act": "burned"},
        {"engine": "x" * 100, "act": "paused"},
    ],
)
def test_what_is_nonsense_stops_nothing(operator: Client, given: dict[str, str]) -> None:
    answer = operator.post(PAGE, given, follow=True)
    assert answer.status_code == 200
    assert not Halt.objects.exists()


def test_only_operators_come_here(born: Any) -> None:
    born("web")
    for role in (Role.SUPPORT, Role.CONTENT):
        assert client(member(role)).get(PAGE).status_code == 403
