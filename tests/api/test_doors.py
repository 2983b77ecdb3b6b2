"""Signing in and out in one shape: ended tokens, lists of devices, ages of sessions, forgotten
passwords. What allauth says no to is said in our words."""

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from accounts.devices import name_of
from tests.api.people import PASSWORD, People, Person, refused

AUTH = "/auth/app/v1/auth/"
NEW = "another-horse-7z"


@pytest.fixture
def person(people: People) -> Person:
    return people.make(signed=False)


def sign_in(people: People, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    with people.client() as http:
        body = {"email": email, "password": password}
        return http.post(f"{AUTH}login", json=body, headers=headers)


def letter(people: People, email: str, after: float) -> str:
    """The newest mail to an address in the stack's mailbox."""
    folder = people.live.folders.mail
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for file in sorted(folder.iterdir(), key=lambda path: -path.stat().st_mtime):
            text = file.read_text()
            if file.stat().st_mtime >= after and email in text:
                return text
        time.sleep(0.1)
    raise AssertionError("no mail")


def test_a_wrong_password_is_refused_in_our_shape_and_language(
    people: People, person: Person
) -> None:
    refused(
        sign_in(people, person.email, "wrong-9x-wrong"), 400, "email_password_mismatch", "password"
    )
    told = sign_in(people, person.email, "wrong-9x-wrong", **{"Accept-Language": "de"})
    assert "Passwort" in told.json()["errors"][0]["detail"]


def test_an_address_that_nobody_has_is_answered_like_one_that_somebody_has(
    people: People, person: Person
) -> None:
    known = sign_in(people, person.email, "wrong-9x-wrong")
    unknown = sign_in(people, f"{uuid.uuid4().hex}@example.org", "wrong-9x-wrong")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


def test_a_token_that_has_ended_is_no_reason_to_refuse(people: People, person: Person) -> None:
    dead = {"X-Session-Token": "gone"}
    again = sign_in(people, person.email, **dead)
    assert again.status_code == 200
    token = again.json()["meta"]["session_token"]
    refused(sign_in(people, person.email, **{"X-Session-Token": token}), 409, "already_signed_in")


def test_who_is_not_signed_in_is_told_so(people: People) -> None:
    with people.client() as http:
        refused(http.get(f"{AUTH}session"), 401, "not_authenticated")
        ended = http.get(f"{AUTH}session", headers={"X-Session-Token": "gone"})
        refused(ended, 401, "session_ended")
        reset = http.post(f"{AUTH}password/reset", json={"key": "X", "password": NEW})
        refused(reset, 409, "nothing_pending")
        for body in (b"[]", b"{", b"\xff"):
            headers = {"Content-Type": "application/json"}
            answer = http.post(f"{AUTH}login", content=body, headers=headers)
            refused(answer, 400, "parse_error")


def test_signing_out_twice_is_signing_out_once(person: Person) -> None:
    for _ in range(2):
        assert person.http.delete(f"{AUTH}session").status_code == 204
    refused(person.http.get("/v1/jobs"), 401, "session_ended")


def test_what_allauth_can_do_beside_has_no_address(people: People) -> None:
    with people.client() as http:
        for path in ("config", "tokens/refresh", "account/phone", "auth/code/confirm"):
            assert http.post(f"/auth/app/v1/{path}", json={}).status_code == 404


def test_every_device_is_listed_and_ended_by_its_owner_alone(
    people: People, person: Person, stranger: Person
) -> None:
    other = sign_in(people, person.email).json()["meta"]["session_token"]
    rows = person.http.get("/v1/me/sessions").json()
    assert [row["current"] for row in rows] == [False, True]
    assert rows[0]["id"] == name_of(other)
    assert other not in str(rows)
    refused(stranger.http.delete(f"/v1/me/sessions/{rows[0]['id']}"), 404, "not_found")
    assert person.http.delete(f"/v1/me/sessions/{rows[0]['id']}").status_code == 204
    refused(person.http.delete(f"/v1/me/sessions/{rows[0]['id']}"), 404, "not_found")
    with people.client() as http:
        answer = http.get("/v1/jobs", headers={"X-Session-Token": other})
        refused(answer, 401, "session_ended")
    assert len(person.http.get("/v1/me/sessions").json()) == 1


def test_a_session_ends_by_its_age_whatever_is_done_with_it(people: People, person: Person) -> None:
    token = sign_in(people, person.email).json()["meta"]["session_token"]
    mine = "WHERE session_key = %s"
    (born, end) = people.query(
        f"SELECT created_at, expire_date FROM accounts_session {mine}", token
    )[0]
    assert abs(end - born - timedelta(days=14)) < timedelta(seconds=1)
    # Used again after a while it lives on, but never past thirty days from its beginning.
    old = datetime.now(UTC) - timedelta(days=20)
    people.query(
        f"UPDATE accounts_session SET created_at = %s, seen_at = %s {mine}", old, old, token
    )
    with people.client() as http:
        http.headers["X-Session-Token"] = token
        assert http.get("/v1/jobs").status_code == 200
        (seen, end) = people.query(
            f"SELECT seen_at, expire_date FROM accounts_session {mine}", token
        )[0]
        assert datetime.now(UTC) - seen < timedelta(minutes=1)
        assert end - old == timedelta(days=30)


def test_a_forgotten_password_is_set_anew_by_a_code(people: People) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    made = people.sign_up(email=email)
    assert made.status_code == 200, made.text
    first = made.json()["meta"]["session_token"]
    with people.client() as http:
        after = time.time() - 1
        asked = http.post(f"{AUTH}password/request", json={"email": email})
        nobody = http.post(f"{AUTH}password/request", json={"email": f"x{email}"})
        assert asked.status_code == nobody.status_code == 202, asked.text
        assert shape(asked.json()) == shape(nobody.json())
        http.headers["X-Session-Token"] = asked.json()["meta"]["session_token"]
        wrong = http.post(f"{AUTH}password/reset", json={"key": "WRONG-1", "password": NEW})
        refused(wrong, 400, "incorrect_code", "key")
        codes = re.findall(
            r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", letter(people, email, after), re.M
        )
        assert len(codes) == 1
        done = http.post(f"{AUTH}password/reset", json={"key": codes[0], "password": NEW})
        assert done.status_code in (200, 202), done.text
        ended = http.get("/v1/jobs", headers={"X-Session-Token": first})
        refused(ended, 401, "session_ended")
    assert sign_in(people, email).status_code == 400
    assert sign_in(people, email, NEW).status_code == 200


def shape(answer: Any) -> Any:
    """Everything of an answer but its token."""
    answer["meta"].pop("session_token", None)
    return answer
