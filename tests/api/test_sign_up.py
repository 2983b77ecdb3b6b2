"""Signing up: of age, with a password worth the name, once for each address."""

import re
import uuid
from typing import Any

import pytest

from tests import breaches
from tests.api.people import PASSWORD, People, refused


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"is_adult": False}, "is_adult"),
        ({"is_adult": None}, "is_adult"),
        ({"region": None}, "region"),
        ({"region": "moon"}, "region"),
        ({"password": "12345678901"}, "password"),
        ({"password": "password"}, "password"),
        ({"password": "Sitter2026!"}, "password"),
        ({"email": "nobody"}, "email"),
        # Would be a second header of the letter that is sent there.
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "email"),
        ({"email": "a@example.org%0ABcc: b@example.org"}, "email"),
    ],
)
def test_what_is_missing_or_weak_is_named(
    people: People, change: dict[str, Any], param: str
) -> None:
    email = change.get("email", f"{uuid.uuid4().hex}@example.org")
    answer = people.sign_up(**({"email": email} | change))
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (set(body), body["type"]) == ({"type", "errors"}, "validation_error")
    assert {error["attr"] for error in body["errors"]} == {param}
    assert all(error["code"] and error["detail"] for error in body["errors"])
    assert people.query("SELECT 1 FROM accounts_user WHERE email = %s", email) == []


def test_somebody_under_age_is_told_why(people: People) -> None:
    (error,) = people.sign_up(is_adult=False).json()["errors"]
    assert "18" in error["detail"]


def test_an_address_is_used_once_whatever_its_case(people: People) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    assert people.sign_up(email=email).status_code == 200
    for again in (email, email.upper()):
        answer = people.sign_up(email=again)
        refused(answer, 400, "email_taken", "email")
    assert people.query("SELECT count(*) FROM accounts_user WHERE email ILIKE %s", email) == [(1,)]


def test_a_new_account_holds_no_more_than_it_must(people: People) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    made = people.sign_up(email=email)
    assert made.status_code == 200
    ((row,),) = people.query("SELECT to_jsonb(u) FROM accounts_user u WHERE email = %s", email)
    assert row["password"].startswith("argon2")
    assert PASSWORD not in str(row)
    assert not row["is_staff"]
    assert not row["is_superuser"]
    assert not any(re.search("name|birth|phone|picture", column) for column in row)


def test_nobody_makes_themselves_staff(people: People) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    assert people.sign_up(email=email, is_staff=True, is_superuser=True).status_code == 200
    ((staff, superuser),) = people.query(
        "SELECT is_staff, is_superuser FROM accounts_user WHERE email = %s", email
    )
    assert (staff, superuser) == (False, False)


def test_an_account_is_not_made_with_a_password_of_a_breach(people: People) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    known = {"email": email, "password": breaches.PASSWORD}
    refused(people.sign_up(**known), 400, "password_breached", "password")
    (error,) = people.sign_up("de", **known).json()["errors"]
    assert "Datenleck" in error["detail"]
    assert people.query("SELECT 1 FROM accounts_user WHERE email = %s", email) == []
