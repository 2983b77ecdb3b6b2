"""Passkeys by real ceremonies: made, listed, renamed, used alone, as a second step, once more."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import override_settings

from accounts.models import User
from tests.accounts.authenticator import DOMAIN, ORIGIN, PRESENT, Passkey, text
from tests.accounts.caller import Caller, member, pending, refusal

KEYS = "account/authenticators/webauthn"
ANDROID = "android:apk-key-hash:Zm9vYmFyYmF6"


@pytest.fixture(autouse=True)
def _web(born: Any) -> Iterator[None]:
    born("web")
    with override_settings(PASSKEY_DOMAIN=DOMAIN, PASSKEY_ORIGINS=[ANDROID]):
        yield


def make(caller: Caller, **how: Any) -> tuple[Passkey, Any]:
    """A registered passkey and what was said of it."""
    key = Passkey()
    options = caller.get(f"{KEYS}?passwordless")
    assert options.status_code == 200, options.content
    credential = key.make(options.said["data"]["creation_options"], **how)
    return key, caller.post(KEYS, name="My phone", credential=credential)


def options_of(caller: Caller, path: str) -> Any:
    said = caller.get(path)
    assert said.status_code == 200, said.content
    return said.said["data"]["request_options"]


def test_a_passkey_signs_in_by_itself() -> None:
    user, caller = member()
    key, made = make(caller)
    assert made.status_code == 200, made.content
    assert made.said["data"]["name"] == "My phone"
    assert made.said["meta"]["recovery_codes_generated"] is True
    phone = Caller()
    options = options_of(phone, "auth/webauthn/login")
    assert (
        "allowCredentials" not in options["publicKey"]
        or not options["publicKey"]["allowCredentials"]
    )
    came = phone.post("auth/webauthn/login", credential=key.sign(options))
    assert came.status_code == 200, came.content
    assert came.said["data"]["user"]["id"] == str(user.pk)
    assert phone.inside


def test_an_answer_counts_once() -> None:
    _, caller = member()
    key, _ = make(caller)
    phone = Caller()
    answer = key.sign(options_of(phone, "auth/webauthn/login"))
    thief = Caller(token=phone.token)
    assert phone.post("auth/webauthn/login", credential=answer).status_code == 200
    assert thief.post("auth/webauthn/login", credential=answer).status_code >= 400
    assert not thief.inside


def test_a_password_alone_does_not_pass_where_there_is_a_passkey() -> None:
    user, caller = member()
    key, _ = make(caller)
    phone = Caller()
    first = phone.sign_in(user.email)
    assert pending(first) == ["mfa_authenticate"]
    assert not phone.inside
    step = next(flow for flow in first.said["data"]["flows"] if flow.get("is_pending"))
    assert "webauthn" in step["types"]
    options = options_of(phone, "auth/webauthn/authenticate")
    done = phone.post("auth/webauthn/authenticate", credential=key.sign(options))
    assert done.status_code == 200, done.content
    assert phone.inside


def test_a_passkey_confirms_who_one_is_for_an_erasure() -> None:
    user, caller = member()
    key, _ = make(caller)
    User.objects.filter(pk=user.pk).update(password="!none")
    phone = Caller()
    came = phone.post(
        "auth/webauthn/login", credential=key.sign(options_of(phone, "auth/webauthn/login"))
    )
    assert came.status_code == 200
    asked = {"scope": "account"}
    assert refusal(phone.ask("POST", "/v1/me/erasure", asked)) == (
        403,
        "reauthentication_required",
    )
    options = options_of(phone, "auth/webauthn/reauthenticate")
    done = phone.post("auth/webauthn/reauthenticate", credential=key.sign(options))
    assert done.status_code == 200, done.content
    assert phone.ask("POST", "/v1/me/erasure", asked).status_code == 202


def test_it_is_listed_renamed_and_removed_by_its_owner_alone() -> None:
    _, caller = member()
    _, made = make(caller)
    number = made.said["data"]["id"]
    _, stranger = member()
    for answer in (
        stranger.delete(f"{KEYS}/{number}"),
        stranger.ask("PUT", f"{KEYS}/{number}", {"name": "Mine"}),
    ):
        assert refusal(answer) == (404, "not_found")
    for odd in ("9" * 18, "9" * 40, "-1", "x", "٣", str(uuid.uuid4())):
        assert refusal(caller.delete(f"{KEYS}/{odd}")) == (404, "not_found")
    renamed = caller.ask("PUT", f"{KEYS}/{number}", {"name": "Old phone"})
    assert renamed.said["data"]["name"] == "Old phone"
    (row,) = [
        row
        for row in caller.get("account/authenticators").said["data"]
        if row["type"] == "webauthn"
    ]
    assert (row["id"], row["name"]) == (number, "Old phone")
    assert caller.delete(f"{KEYS}/{number}").status_code == 200
    assert caller.get("account/authenticators").said["data"] == []
    assert refusal(caller.delete(f"{KEYS}/{number}")) == (404, "not_found")


def test_nobody_adds_or_removes_one_without_having_just_confirmed() -> None:
    user, caller = member()
    make(caller)
    later = Caller()
    assert pending(later.sign_in(user.email)) == ["mfa_authenticate"]
    assert refusal(Caller().get(KEYS)) == (401, "not_authenticated")
    other, fresh = member(signed_in=False)
    assert fresh.sign_in(other.email).status_code == 200
    assert refusal(fresh.get(KEYS)) == (403, "reauthentication_required")
    credential = Passkey().make(
        {
            "publicKey": {
                "rp": {"id": DOMAIN},
                "user": {"id": "eA"},
                "challenge": text(b"x" * 32),
            }
        }
    )
    answer = fresh.post(KEYS, name="x", credential=credential)
    assert answer.status_code in (400, 403)
    assert not Authenticator.objects.filter(user=other).exists()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://sitter.example", f"https://not{DOMAIN}", "", "//["]
)
def test_another_app_may_not_use_our_passkeys(origin: str) -> None:
    _, caller = member()
    assert refusal(make(caller, origin=origin)[1]) == (400, "foreign_origin")
    key, _ = make(caller)
    phone = Caller()
    options = options_of(phone, "auth/webauthn/login")
    answer = phone.post("auth/webauthn/login", credential=key.sign(options, origin=origin))
    assert refusal(answer) == (400, "foreign_origin")
    assert not phone.inside


@pytest.mark.parametrize("origin", [ORIGIN, f"https://app.{DOMAIN}", ANDROID])
def test_our_own_pages_and_apps_may(origin: str) -> None:
    _, caller = member()
    key, made = make(caller, origin=origin)
    assert made.status_code == 200, made.content
    phone = Caller()
    options = options_of(phone, "auth/webauthn/login")
    came = phone.post("auth/webauthn/login", credential=key.sign(options, origin=origin))
    assert came.status_code == 200, came.content


def test_what_is_signed_for_another_domain_or_by_another_key_does_not_count() -> None:
    _, caller = member()
    assert make(caller, domain="evil.example")[1].status_code == 400
    key, _ = make(caller)
    liars = (
        lambda options: key.sign(options, domain="evil.example"),
        # Nobody has shown a face or typed a PIN.
        lambda options: key.sign(options, flags=PRESENT),
        lambda options: Passkey(id=key.id, user=key.user).sign(options),
        lambda options: Passkey(key=key.key, user=key.user).sign(options),
        lambda options: Passkey(key=key.key, id=key.id, user=text(b"nobody")).sign(options),
        lambda options: {**key.sign(options), "response": {}},
    )
    for lie in liars:
        phone = Caller()
        options = options_of(phone, "auth/webauthn/login")
        answer = phone.post("auth/webauthn/login", credential=lie(options))
        assert answer.status_code == 400, answer.content
        assert not phone.inside


@pytest.mark.parametrize(
    "credential",
    [
        *(None, "x", 7, [], {}, {"response": None}, {"id": 1, "response": {"clientDataJSON": 1}}),
        {"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "e30"}},
        {"id": "\x00", "response": {"clientDataJSON": "\ud800", "userHandle": "eA"}},
    ],
)
def test_nonsense_is_refused_in_our_shape(credential: Any) -> None:
    _, caller = member()
    caller.get(KEYS)
    body = json.dumps({"credential": credential}).encode()
    assert refusal(caller.ask("POST", KEYS, body)) == (400, "incorrect_passkey")
    phone = Caller()
    phone.get("auth/webauthn/login")
    answer = phone.ask("POST", "auth/webauthn/login", body)
    assert refusal(answer) == (400, "incorrect_passkey")


def test_a_handle_of_nobody_and_an_answer_without_a_question_are_refused() -> None:
    key = Passkey(user=text(str(uuid.uuid4()).encode()))
    options = options_of(Caller(), "auth/webauthn/login")
    answer = Caller().post("auth/webauthn/login", credential=key.sign(options))
    assert answer.status_code == 400, answer.content


def test_what_is_wrong_is_said_in_german() -> None:
    _, caller = member()
    caller.language = "de"
    _, made = make(caller, origin="https://evil.example")
    assert "darf" in made.said["errors"][0]["detail"]
