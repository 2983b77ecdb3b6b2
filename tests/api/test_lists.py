"""Lists: what is asked for and nothing else, page by page."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.people import STYLE, People, Person, refused


@pytest.fixture(scope="module")
def person(people: People) -> Person:
    return people.make()


@pytest.fixture(scope="module")
def ended(person: Person) -> list[Any]:
    """Two jobs that have ended, one with two portraits."""
    made = person.set_with_photo(keep_hours=24)
    return [
        person.ended(person.submit(made, *styles).json()["id"])
        for styles in ((STYLE,), (STYLE, STYLE))
    ]


def ids(person: Person, path: str, **asked: Any) -> list[str]:
    """Those on all pages."""
    found: list[str] = []
    page: Any = person.http.get(path, params=asked).json()
    while True:
        found += [row["id"] for row in page["results"]]
        if page["next"] is None:
            return found
        page = person.http.get(page["next"]).json()


def test_jobs_are_listed_by_their_state(person: Person, ended: list[Any]) -> None:
    newest_first = [job["id"] for job in reversed(ended)]
    assert ids(person, "/v1/jobs", state="done") == newest_first
    assert ids(person, "/v1/jobs", state="failed") == []


def test_a_filter_holds_on_every_page(person: Person, ended: list[Any]) -> None:
    two = ended[1]
    wanted = {item["portrait"] for item in two["items"]}
    assert set(ids(person, "/v1/portraits", job=two["id"], page_size=1)) == wanted
    assert len(ids(person, "/v1/portraits", style=STYLE, page_size=2)) == 3
    assert len(ids(person, "/v1/portraits", task="upscale")) == 0


def test_what_ends_soon_says_so_and_can_be_asked_for(person: Person, ended: list[Any]) -> None:
    first = ended[0]["items"][0]["portrait"]
    row = person.http.get(f"/v1/portraits/{first}").json()
    assert row["expires_soon"] is False
    in_days = [(datetime.now(UTC) + timedelta(days=days)).isoformat() for days in (2, 3, 60)]
    moved = person.http.patch(f"/v1/portraits/{first}", json={"expires_at": in_days[0]}).json()
    assert moved["expires_soon"] is True
    assert ids(person, "/v1/portraits", expires_before=in_days[1]) == [first]
    assert len(ids(person, "/v1/portraits", expires_before=in_days[2])) == 3
    near = {row["expires_soon"] for row in person.holdings()["sealed"] if row["kind"] == "portrait"}
    assert near == {True, False}


def test_somebody_elses_job_is_an_empty_list(stranger: Person, ended: list[Any]) -> None:
    assert ids(stranger, "/v1/portraits", job=ended[0]["id"]) == []
    assert ids(stranger, "/v1/portraits", job=str(uuid.uuid4())) == []


@pytest.mark.parametrize(
    ("path", "field", "code"),
    [
        ("/v1/jobs", "state", "invalid_choice"),
        ("/v1/portraits", "job", "invalid"),
        ("/v1/portraits", "style", "invalid"),
        ("/v1/portraits", "task", "invalid_choice"),
        ("/v1/portraits", "expires_before", "invalid"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    person: Person, path: str, field: str, code: str
) -> None:
    refused(person.http.get(path, params={field: "no such/thing"}), 400, code, field)
