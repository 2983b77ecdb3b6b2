"""Where an installation asks for it: an account is used after the code that came by mail."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.internal.flows import code_verification
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings

from accounts.models import User
from tests.accounts.caller import soon
from tests.api.people import PASSWORD

AUTH = "/auth/app/v1/auth/"


@pytest.fixture(autouse=True)
def verifying() -> Iterator[None]:
    asked = {
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
        "ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED": True,
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }
    # Who signed up before, from this machine, is not the subject here.
    cache.clear()
    with override_settings(**asked):
        mail.outbox = []
        yield


def client() -> Client:
    return Client(SERVER_NAME="localhost")


def jobs_of(token: str) -> int:
    return client().get("/v1/jobs", headers={"X-Session-Token": token}).status_code


def post(path: str, body: dict[str, Any], token: str = "") -> Any:
    headers = {"X-Session-Token": token} if token else {}
    data = json.dumps(body)
    return Client(SERVER_NAME="localhost").post(
        f"{AUTH}{path}", data, "application/json", headers=headers
    )


def sign_up(email: str) -> Any:
    return post(
        "signup", {"email": email, "password": PASSWORD, "region": "eu_uk", "is_adult": True}
    )


def code_of(text: str) -> str:
    (found,) = re.findall(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", text, re.M)
    return str(found)


def test_the_code_opens_the_account_and_nothing_else_does() -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    made = sign_up(email)
    assert made.status_code == 202, made.content
    pending = [flow["id"] for flow in made.json()["data"]["flows"] if flow.get("is_pending")]
    assert pending == ["verify_email"]
    token = made.json()["meta"]["session_token"]
    assert jobs_of(token) == 401
    again = post("login", {"email": email, "password": PASSWORD})
    # A letter was sent this minute, and signing in would send another.
    assert (again.status_code, again.json()["errors"][0]["code"]) == (429, "too_many_attempts")
    assert int(again["Retry-After"]) > 0
    wrong = post("email/verify", {"key": "WRONG-1"}, token)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "incorrect_code")
    (letter,) = soon(lambda: mail.outbox)
    code = code_of(str(letter.body))
    done = post("email/verify", {"key": code}, token)
    assert done.status_code == 200, done.content
    token = done.json()["meta"].get("session_token", token)
    assert jobs_of(token) == 200


@pytest.mark.parametrize(("minutes", "good"), [(9, True), (11, False)])
def test_a_code_for_an_address_ends_after_ten_minutes(
    minutes: int, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign_up(f"{uuid.uuid4().hex}@example.org")
    token = made.json()["meta"]["session_token"]
    (letter,) = soon(lambda: mail.outbox)
    later = SimpleNamespace(time=lambda: time.time() + minutes * 60)
    monkeypatch.setattr(code_verification, "time", later)
    done = post("email/verify", {"key": code_of(str(letter.body))}, token)
    assert (done.status_code == 200) is good, done.content
    if good:
        token = done.json()["meta"].get("session_token", token)
    assert jobs_of(token) == (200 if good else 401)


def test_a_taken_address_is_answered_like_a_free_one_and_its_owner_is_told() -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    User.objects.create_user(email, PASSWORD, is_adult=True)
    free, taken = sign_up(f"x{email}"), sign_up(email)
    said = []
    for answer in (free, taken):
        body = answer.json()
        body["meta"].pop("session_token")
        said.append((answer.status_code, body))
    assert said[0] == said[1]
    assert User.objects.filter(email=email).count() == 1
    soon(lambda: len(mail.outbox) == 2)
    letters = {letter.to[0]: str(letter.body) for letter in mail.outbox}
    assert set(letters) == {f"x{email}", email}
    # The letter to somebody who has an account has no code.
    assert not re.search(r"^\s*[A-Z0-9]{3,}-[A-Z0-9]{3,}\s*$", letters[email], re.M)
