"""Thirty failures with somebody's words in messages and locals; the logs hold none of them."""

import io
import json
import logging
import traceback
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client

from deploy import logs
from deploy.gate import gate
from tests.deploy.failing import CANARY, DOORS, FAILURES


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What a process writes, as an operator would keep it."""
    stream = io.StringIO()
    logs.configure("DEBUG")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(stream)

    def read() -> list[dict[str, Any]]:
        assert CANARY not in stream.getvalue()
        assert "canary" not in stream.getvalue()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    handler.setStream(before or stream)
    logs.configure("WARNING")


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_leaves_its_class_and_place_and_nobodys_words(
    failure: str, door: Callable[[Exception, str], None], lines: Any
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - ten sorts, told apart below
        FAILURES[failure](CANARY)
    # The positive control: a traceback with locals, as error reporters send it, tells it all.
    whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "canary" in "".join(whole.format())
    try:
        raise caught.value
    except type(caught.value) as error:
        door(error, CANARY)
    [line] = [line for line in lines() if line["level"] == "error"]
    assert line["error"] == caught.type.__name__
    assert line["where"].startswith("test_logs_hold_nothing_personal.py:")


@pytest.mark.parametrize("refusal", [SuspiciousOperation, ValueError])
def test_what_django_says_of_a_strange_request_is_not_kept(
    refusal: type[Exception], lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange() -> None:
        raise refusal(f"Somebody sent {CANARY}")

    monkeypatch.setattr(gate, "seen", 1)
    monkeypatch.setattr("deploy.health.without_ledger", strange)
    answer = Client(HTTP_HOST="localhost", raise_request_exception=False).get("/readyz")
    assert answer.status_code == {SuspiciousOperation: 400, ValueError: 500}[refusal]
    assert any(line["event"] == "request" for line in lines())


def test_a_host_that_is_none_of_ours_is_not_kept(lines: Any) -> None:
    client = Client(HTTP_HOST=CANARY.replace("@", "."), raise_request_exception=False)
    assert client.get("/livez").status_code == 400
    logging.getLogger("ours").info("after it")
    assert [line["event"] for line in lines()] == ["after it"]


def test_who_is_refused_leaves_the_route_and_the_status(lines: Any) -> None:
    foreign = uuid.uuid4()
    assert Client(HTTP_HOST="localhost").get(f"/v1/jobs/{foreign}").status_code == 401
    said = lines()
    (line,) = [line for line in said if line["event"] == "request"]
    assert (line["method"], line["status"]) == ("GET", 401)
    assert line["route"].startswith("v1/jobs/<")
    assert str(foreign) not in str(said)
