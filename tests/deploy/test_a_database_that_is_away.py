"""While PostgreSQL is away every address says so with 503, and the first request after works."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.urls import get_resolver

from deploy.gate import gate

HEADERS = {"X-Session-Token": "a-token", "Idempotency-Key": "a-key"}
BODY = json.dumps({"email": "ada@example.org", "password": "a long enough password"})
ID = "0198d3a0-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def web(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web that has served for a while: its gate is open."""
    born("web")
    monkeypatch.setattr(gate, "seen", 10**9)


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every address of the web, with something in each of its gaps."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns, address)
        else:
            filled = re.sub(r"<uuid:\w+>", ID, address)
            yield "/" + re.sub(r"<[\w:]+>", "1", filled).replace("^", "").replace("$", "")


def ask(address: str, method: str) -> Any:
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    if method == "post":
        return client.post(address, BODY, content_type="application/json", headers=HEADERS)
    return client.get(address, headers=HEADERS)


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_answers_500(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: Any) -> None:
        raise OperationalError

    connection.close()
    monkeypatch.setattr(BaseDatabaseWrapper, "connect", away)
    found = {address: ask(address, method).status_code for address in addresses()}
    assert len(found) > 100
    assert {address: status for address, status in found.items() if status == 500} == {}
    door = {"get": "session", "post": "login"}[method]
    assert found[f"/auth/app/v1/auth/{door}"] == 503
    assert found["/v1/jobs"] == 503


def test_the_answer_says_that_nothing_was_lost_and_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(self: Any) -> None:
        raise OperationalError

    connection.close()
    monkeypatch.setattr(BaseDatabaseWrapper, "connect", away)
    for address in ("/auth/app/v1/auth/session", "/v1/jobs"):
        answer = ask(address, "get")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer.json()["errors"][0]["code"] == "database_unavailable"


def test_a_fault_of_ours_is_still_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any) -> None:
        raise ZeroDivisionError

    connection.close()
    monkeypatch.setattr(BaseDatabaseWrapper, "connect", broken)
    assert ask("/auth/app/v1/auth/session", "get").status_code == 500


def test_connections_that_were_killed_cost_at_most_a_try_each() -> None:
    """As after a restart of PostgreSQL: the pool holds what is dead and does not know it."""

    def hold(_: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold, range(4)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 3
    connection.close()
    answers = []
    for _ in range(12):
        answers.append(ask("/v1/jobs", "get").status_code)
        connection.close()  # as a server does behind each request, and the tests' client does not
    assert set(answers) <= {401, 503}
    assert answers[-1] == 401
