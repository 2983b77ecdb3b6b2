"""A session that has ended, however it ended, is refused with the next request: figure A-02."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import httpx
import pytest

from accounts.devices import name_of
from tests.api.people import PASSWORD, People, Person, refused
from tests.figures import figure

TOKEN: Final = "X-Session-Token"
# What an ended session is tried on: fast paths and slow ones, reading and writing.
TRIED: Final = (
    ("GET", "/v1/jobs"),
    ("GET", "/v1/me/holdings"),
    ("GET", "/v1/portraits"),
    ("POST", "/v1/reference-sets"),
    ("POST", "/v1/me/erasure"),
    ("GET", "/auth/app/v1/auth/session"),
)
End = Callable[[People, Person], None]


def signed_out(people: People, person: Person) -> None:
    assert person.http.delete("/auth/app/v1/auth/session").status_code == 204


def ended_from_another_device(people: People, person: Person) -> None:
    mine = name_of(person.http.headers[TOKEN])
    body = {"email": person.email, "password": PASSWORD}
    with people.client() as other:
        other.headers[TOKEN] = other.post("/auth/app/v1/auth/login", json=body).json()["meta"][
            "session_token"
        ]
        assert other.delete(f"/v1/me/sessions/{mine}").status_code == 204


def password_changed_elsewhere(people: People, person: Person) -> None:
    body = {"email": person.email, "password": PASSWORD}
    with people.client() as other:
        other.headers[TOKEN] = other.post("/auth/app/v1/auth/login", json=body).json()["meta"][
            "session_token"
        ]
        change = {"current_password": PASSWORD, "new_password": "another-horse-7z"}
        done = other.post("/auth/app/v1/account/password/change", json=change)
        assert done.status_code == 200, done.text


def unused_for_too_long(people: People, person: Person) -> None:
    _date_back(people, person, "expire_date", timedelta(seconds=1))


def too_old(people: People, person: Person) -> None:
    _date_back(people, person, "created_at", timedelta(days=31))
    _date_back(people, person, "expire_date", timedelta(seconds=1))


def account_closed(people: People, person: Person) -> None:
    people.query("UPDATE accounts_user SET is_active = false WHERE id = %s", person.id)


def erased(people: People, person: Person) -> None:
    assert person.confirm().status_code == 200
    assert person.http.post("/v1/me/erasure").status_code == 202


def _date_back(people: People, person: Person, column: str, by: timedelta) -> None:
    people.query(
        f"UPDATE accounts_session SET {column} = now() - %s WHERE user_id = %s", by, person.id
    )


ENDS: Final[tuple[End, ...]] = (
    *(signed_out, ended_from_another_device, password_changed_elsewhere, unused_for_too_long),
    *(too_old, account_closed, erased),
)


def accepted(person: Person) -> list[str]:
    """What still answers to the token."""
    found = []
    for method, path in TRIED:
        answer: httpx.Response = person.http.request(method, path, json=None)
        if answer.status_code != 401:
            found.append(f"{method} {path}: {answer.status_code}")
    return found


_FOUND: dict[str, list[str]] = {}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_session_that_ended_is_refused_at_once(people: People, end: End) -> None:
    person = people.make(signed=False)
    assert person.http.get("/v1/jobs").status_code == 200
    end(people, person)
    refused(person.http.get("/v1/jobs"), 401, "session_ended")
    found = _FOUND[end.__name__] = accepted(person)
    assert found == []


def test_the_count_of_ended_sessions_that_answer_is_a_figure() -> None:
    """The row; only of a run of every way to end."""
    if len(_FOUND) != len(ENDS):
        pytest.skip("Not every way to end was tried in this run.")
    found = [answer for answers in _FOUND.values() for answer in answers]
    figure(
        "A-02",
        value=len(found),
        n=len(ENDS) * len(TRIED),
        holds=not found,
        conditions=f"{len(ENDS)} ways to end ({', '.join(end.__name__ for end in ENDS)}), each"
        f" token tried on {len(TRIED)} addresses",
    )
    assert found == []
