"""What is to go from the API is announced a year ahead: in the contract, and by each answer."""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from deploy import retiring
from deploy.contract.changes import breaking
from deploy.contract.files import WRITTEN, parse, read
from deploy.management.commands.contract import render
from deploy.retiring import RETIRING, SHORTEST, Retiring, announce

SINCE, ENDS = date(2026, 1, 1), date(2027, 6, 1)
POLL = ("GET", "/v1/jobs/{id}")
IMAGE = ("GET", "/v1/portraits/{id}")


@pytest.fixture
def going(monkeypatch: pytest.MonkeyPatch) -> list[Retiring]:
    """An operation and a field are on their way out."""
    listed = [
        Retiring([POLL], SINCE, ENDS, "Use the event stream."),
        Retiring([IMAGE], SINCE, ENDS, "Use `links.image`.", field=("Portrait", "image")),
    ]
    monkeypatch.setattr(retiring, "RETIRING", listed)
    return listed


def told(method: str, path: str) -> HttpResponse:
    request = RequestFactory().generic(method, path)
    request.resolver_match = resolve(path)
    response = HttpResponse()
    announce(request, response)
    return response


def test_what_is_listed_leaves_clients_a_year() -> None:
    for one in RETIRING:
        assert one.ends - one.since >= SHORTEST, one
        assert one.instead.endswith("."), one


@pytest.mark.usefixtures("going")
def test_its_answers_say_since_when_and_until_when() -> None:
    found = told("GET", "/v1/jobs/0199f0a4-5b3c-7d2e-8f10-2a3b4c5d6e7f")
    assert found["Deprecation"] == f"@{int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())}"
    assert parsedate_to_datetime(found["Sunset"]).date() == ENDS
    assert 'rel="deprecation"' in found["Link"]


@pytest.mark.usefixtures("going")
def test_what_stays_says_nothing() -> None:
    for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", "/livez")):
        assert "Deprecation" not in told(method, path)
        assert "Sunset" not in told(method, path)


def test_the_end_that_comes_first_counts(going: list[Retiring]) -> None:
    going.append(Retiring([POLL], SINCE, date(2027, 2, 1), "Use the event stream."))
    found = told("GET", "/v1/jobs/0199f0a4-5b3c-7d2e-8f10-2a3b4c5d6e7f")
    assert parsedate_to_datetime(found["Sunset"]).date() == date(2027, 2, 1)


@pytest.mark.usefixtures("going")
def test_the_contract_marks_it_and_nobodys_client_breaks() -> None:
    document = parse(render())
    operation = document["paths"]["/v1/jobs/{id}"]["get"]
    assert operation["deprecated"] is True
    assert "2027-06-01" in operation["description"]
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
    field = document["components"]["schemas"]["Portrait"]["properties"]["image"]
    assert field["deprecated"] is True
    assert "links.image" in field["description"]
    assert "deprecated" not in document["paths"]["/v1/portraits/{id}"]["get"]
    assert breaking(read(WRITTEN), document) == []


def test_what_the_contract_does_not_know_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [Retiring([("GET", "/v1/nothing")], SINCE, ENDS, "Nothing.")]
    monkeypatch.setattr(retiring, "RETIRING", listed)
    with pytest.raises(KeyError):
        render()
