"""Who comes in, and a wrong password or code, is a line of the log that says how and never who."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.accounts.caller import Caller, member
from tests.accounts.test_codes import code_of, fresh, set_up
from tests.api.people import PASSWORD


@pytest.fixture(autouse=True)
def _web(born: Any) -> None:
    born("web")


def told(lines: list[Any]) -> list[tuple[str, str | None]]:
    ours = ("signed_in", "factor_given", "sign_in_refused")
    return [(line["event"], line.get("kind")) for line in lines if line["event"] in ours]


def test_a_password_and_a_code_are_told_apart_from_being_in() -> None:
    user, caller = member()
    secret = set_up(caller)
    phone = Caller()
    fresh()
    with capture_logs() as lines:
        phone.sign_in(user.email)
        phone.post("auth/2fa/authenticate", code="000000")
        phone.post("auth/2fa/authenticate", code=code_of(secret))
    assert told(lines) == [
        ("factor_given", "password"),
        ("sign_in_refused", "totp"),
        ("factor_given", "mfa"),
        ("signed_in", None),
    ]
    assert user.email not in str(lines)
    assert str(user.pk) not in str(lines)


def test_a_wrong_password_is_told_whether_or_not_somebody_has_the_address() -> None:
    user, _ = member(signed_in=False)
    for email in (user.email, "nobody@example.org"):
        with capture_logs() as lines:
            assert Caller().sign_in(email, "wrong-9x-wrong").status_code == 400
        assert told(lines) == [("sign_in_refused", "password")]
        assert email not in str(lines)
        assert "wrong-9x-wrong" not in str(lines)


def test_confirming_with_the_password_is_told() -> None:
    user, caller = member()
    with capture_logs() as lines:
        assert caller.confirm().status_code == 200
        assert caller.confirm(PASSWORD + "x").status_code == 400
    assert told(lines) == [("factor_given", "password"), ("sign_in_refused", "password")]
    assert user.email not in str(lines)
