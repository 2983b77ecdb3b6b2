"""Authenticator apps and recovery codes: set up, asked for, good once, sealed, gone at the end."""

import time
import uuid
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection

from accounts import limits
from accounts.models import Session, User
from privacy import erasure, factors, keys
from privacy.errors import KeyDestroyed, KeyNotHeld, SealBroken
from privacy.models import OwnerKey
from tests.accounts.caller import Caller, member, pending, refusal
from tests.portraits.making import now
from tests.privacy.erasing import advance

TOTP = "account/authenticators/totp"
CODES = "account/authenticators/recovery-codes"


@pytest.fixture(autouse=True)
def _web(born: Any) -> None:
    born("web")


def code_of(secret: str, when: float | None = None) -> str:
    """What an authenticator app shows."""
    return str(format_hotp_value(hotp_value(secret, int(when or time.time()) // 30)))


def fresh() -> None:
    """Not in the last moment of a code's half minute."""
    if time.time() % 30 > 26:
        time.sleep(30 - time.time() % 30)


def set_up(caller: Caller) -> str:
    """The secret of an app that is set up, with the code of the half minute before last used."""
    begun = caller.get(TOTP)
    assert begun.status_code == 200, begun.content
    secret = str(begun.said["meta"]["secret"])
    assert begun.said["meta"]["totp_url"].startswith("otpauth://totp/")
    fresh()
    done = caller.post(TOTP, code=code_of(secret))
    assert done.status_code == 200, done.content
    return secret


def test_signing_in_takes_a_code_once_an_app_is_set_up() -> None:
    user, caller = member()
    secret = set_up(caller)
    assert caller.get(TOTP).said["data"]["type"] == "totp"
    phone = Caller()
    assert pending(phone.sign_in(user.email)) == ["mfa_authenticate"]
    assert not phone.inside
    wrong = phone.post("auth/2fa/authenticate", code="000000")
    assert refusal(wrong) == (400, "incorrect_code")
    fresh()
    assert phone.post("auth/2fa/authenticate", code=code_of(secret)).status_code == 200
    assert phone.inside


def test_a_code_is_good_once() -> None:
    user, caller = member()
    secret = set_up(caller)
    fresh()
    phones = Caller(), Caller()
    for phone in phones:
        assert phone.sign_in(user.email).status_code == 202
    said = [phone.post("auth/2fa/authenticate", code=code_of(secret)) for phone in phones]
    assert [answer.status_code for answer in said] == [200, 400]


def test_a_clock_that_is_wrong_by_a_day_does_not_pass() -> None:
    user, caller = member()
    secret = set_up(caller)
    for wrong in (-86_400, 86_400, -60, 60):
        phone = Caller()
        assert phone.sign_in(user.email).status_code == 202
        answer = phone.post("auth/2fa/authenticate", code=code_of(secret, time.time() + wrong))
        assert answer.status_code in (400, 429)
        assert not phone.inside
    # The recovery codes are there for that.
    user, caller = member()
    set_up(caller)
    code = caller.get(CODES).said["data"]["unused_codes"][0]
    phone = Caller()
    assert phone.sign_in(user.email).status_code == 202
    assert phone.post("auth/2fa/authenticate", code=code).status_code == 200


def test_guessing_codes_ends_soon() -> None:
    user, caller = member()
    secret = set_up(caller)
    phone = Caller()
    assert phone.sign_in(user.email).status_code == 202
    said = [refusal(phone.post("auth/2fa/authenticate", code=f"{n:06}")) for n in range(8)]
    assert said[-1] == (429, "too_many_attempts")
    fresh()
    # Not even the right one, on another device: it is the account that is counted.
    other = Caller()
    other.sign_in(user.email)
    assert other.post("auth/2fa/authenticate", code=code_of(secret)).status_code in (400, 409, 429)
    assert not other.inside
    assert limits.remembers(user.pk)
    limits.forget(user.pk, [user.email])
    assert not limits.remembers(user.pk)


def test_recovery_codes_are_good_once_and_new_ones_end_the_old() -> None:
    user, caller = member()
    assert refusal(caller.get(CODES)) == (404, "not_found")
    set_up(caller)
    codes = caller.get(CODES).said["data"]["unused_codes"]
    assert len(set(codes)) == 10
    phone = Caller()
    phone.sign_in(user.email)
    assert phone.post("auth/2fa/authenticate", code=codes[0]).status_code == 200
    again = Caller()
    again.sign_in(user.email)
    assert again.post("auth/2fa/authenticate", code=codes[0]).status_code == 400
    new = caller.post(CODES)
    assert new.status_code == 200, new.content
    assert not set(codes) & set(new.said["data"]["unused_codes"])
    assert again.post("auth/2fa/authenticate", code=codes[1]).status_code == 400


def test_a_code_confirms_who_one_is_for_an_export() -> None:
    user, caller = member()
    set_up(caller)
    code = caller.get(CODES).said["data"]["unused_codes"][0]
    phone = Caller()
    phone.sign_in(user.email)
    other = caller.get(CODES).said["data"]["unused_codes"][1]
    assert phone.post("auth/2fa/authenticate", code=code).status_code == 200
    assert refusal(phone.post("/v1/me/export")) == (403, "reauthentication_required")
    assert refusal(phone.post("auth/2fa/reauthenticate", code="0")) == (400, "incorrect_code")
    assert phone.post("auth/2fa/reauthenticate", code=other).status_code == 200
    assert phone.post("/v1/me/export").status_code == 202


def test_taking_it_off_asks_for_a_code_no_more() -> None:
    user, caller = member()
    set_up(caller)
    assert caller.delete(TOTP).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()
    assert Caller().sign_in(user.email).status_code == 200
    other, stranger = member(signed_in=False)
    assert stranger.sign_in(other.email).status_code == 200
    assert refusal(stranger.post(TOTP, code="123456"))[0] in (400, 403)


def test_nothing_that_makes_codes_lies_in_the_database_in_clear() -> None:
    user, caller = member()
    begun = caller.get(TOTP)
    secret = begun.said["meta"]["secret"]
    waiting = Session.objects.get(session_key=caller.token).get_decoded()
    assert secret not in str(waiting)
    assert caller.post(TOTP, code="000000").status_code == 400
    assert secret not in str(Session.objects.get(session_key=caller.token).get_decoded())
    fresh()
    assert caller.post(TOTP, code=code_of(secret)).status_code == 200
    codes = caller.get(CODES).said["data"]["unused_codes"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator WHERE user_id = %s", [user.pk])
        rows = [row[0] for row in cursor.fetchall()]
    assert len(rows) == 2
    for row in rows:
        assert secret not in row
        assert not any(code in row for code in codes)


def test_only_who_holds_the_roots_opens_them_and_for_their_owner_alone(born: Any) -> None:
    born("web")
    owner = uuid.uuid4()
    sealed = factors.seal(owner, "JBSWY3DPEHPK3PXP")
    assert factors.unseal(sealed) == "JBSWY3DPEHPK3PXP"
    other = uuid.uuid4()
    keys.ensure_owner(other, now())
    with pytest.raises(SealBroken):
        factors.unseal(sealed.replace(str(owner), str(other)))
    for broken in ("", "a.b.c", sealed[:-8], f"{owner}.{uuid.uuid4()}.{sealed.split('.')[2]}"):
        with pytest.raises(SealBroken):
            factors.unseal(broken)
    born("upkeep")
    with pytest.raises(KeyNotHeld):
        factors.unseal(sealed)


def test_they_end_with_the_account(born: Any) -> None:
    user, caller = member()
    set_up(caller)
    held = caller.get("/v1/me/holdings").said["tables"]
    assert any("passkeys" in row["holds"] for row in held)
    sealed = Authenticator.objects.get(user=user, type="totp").data["secret"]
    begun = erasure.request(user.pk, now())
    # At once, and long before the row goes.
    with pytest.raises(KeyDestroyed):
        factors.unseal(sealed)
    assert advance(born, begun)
    assert not Authenticator.objects.filter(user_id=user.pk).exists()
    assert not User.objects.filter(pk=user.pk).exists()
    assert not OwnerKey.objects.filter(pk=user.pk).exists()
