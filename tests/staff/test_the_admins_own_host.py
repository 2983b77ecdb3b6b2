"""With a host of its own the admin answers there alone, and there nothing else answers."""

import asyncio
from contextlib import closing
from typing import Any

import pytest
from django.test import Client, RequestFactory

from deploy import quick
from deploy.env import Env
from deploy.staff import hosts

OWN = "desk.example.org"


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture
def apart(settings_of: Any) -> None:
    settings_of(ADMIN_HOST=OWN, ALLOWED_HOSTS=["localhost", OWN])


def status(host: str, path: str) -> int:
    with closing(Client(SERVER_NAME=host).get(path)) as answer:
        return int(answer.status_code)


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin", "/admin/flower/"])
@pytest.mark.usefixtures("apart")
def test_the_admin_is_nowhere_else(path: str) -> None:
    assert status("localhost", path) == 404
    assert status(OWN, path) in (200, 301, 302)
    assert status(f"{OWN}:8443", path) in (200, 301, 302)


@pytest.mark.parametrize(
    "path",
    ["/v1/styles", "/v1/schema", "/v1/jobs/x", "/privacy", "/try/", "/auth/app/v1/x"],
)
@pytest.mark.usefixtures("apart")
def test_nothing_else_is_there(path: str) -> None:
    answer = Client(SERVER_NAME=OWN).get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "not_found"


@pytest.mark.usefixtures("apart")
def test_health_and_files_answer_on_both() -> None:
    for host in ("localhost", OWN):
        assert status(host, "/livez") == 200
        assert status(host, "/static/unfold/css/styles.css") == 200


@pytest.mark.usefixtures("apart")
def test_the_quick_way_in_asks_for_the_host_too() -> None:
    request = RequestFactory(SERVER_NAME=OWN).get("/v1/jobs/x")
    answer = asyncio.run(quick._respond(request, None))  # type: ignore[arg-type]
    assert answer.status_code == 404
    here = RequestFactory(SERVER_NAME="localhost").get("/v1/jobs/x")
    assert not hosts.misplaced(here)


def test_without_a_host_of_its_own_both_answer_everywhere() -> None:
    assert status("localhost", "/admin/login/") == 200
    assert status("localhost", "/v1/schema") == 200


def test_a_stranger_host_is_refused_as_ever(settings_of: Any) -> None:
    settings_of(ADMIN_HOST=OWN, ALLOWED_HOSTS=["localhost", OWN])
    assert status("elsewhere.example", "/admin/") == 400


def test_the_setting_is_an_allowed_host_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITTER_ADMIN_HOST", OWN)
    assert Env().admin_host == OWN


def test_the_policy_of_its_pages_lets_no_other_host_in(settings_of: Any) -> None:
    policy = Client(SERVER_NAME="localhost").get("/admin/login/")["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy
