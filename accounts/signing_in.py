"""Who signs in leaves a line in the log, and so does a wrong password or code. Neither says who.

A passkey or a provider's token that is refused is a request with its status, as any other refusal.
"""

from typing import Any

import structlog
from allauth.account.signals import authentication_step_completed
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in, user_login_failed

log = structlog.get_logger(__name__)


def listen() -> None:
    """Of allauth's ways in and that of staff: who comes in, and wrong passwords and codes."""
    user_logged_in.connect(_signed_in, dispatch_uid="signed in")
    authentication_step_completed.connect(_given, dispatch_uid="factor given")
    user_login_failed.connect(_password_refused, dispatch_uid="password refused")
    authentication_failed.connect(_factor_refused, dispatch_uid="factor refused")


def _signed_in(**_: Any) -> None:
    log.info("signed_in")


def _given(*, method: str, **_: Any) -> None:
    # Of somebody with a second factor this comes before they are in.
    log.info("factor_given", kind=method)


def _password_refused(**_: Any) -> None:
    log.warning("sign_in_refused", kind="password")


def _factor_refused(*, authenticator: Any, **_: Any) -> None:
    log.warning("sign_in_refused", kind=authenticator.type)
