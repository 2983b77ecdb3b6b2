"""Passkeys as the second factor of staff: the browser is asked by passkey.js, allauth checks.

What waits between question and answer lies in the session, as for the API. A passkey is bound to
SITTER_PASSKEY_DOMAIN, so the admin's host is that domain or one below it.
"""

from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from fido2.webauthn import AuthenticationResponse, RegistrationResponse
from rest_framework.exceptions import ValidationError as Refusal

from accounts.factors import check_said

NOT_HERE: Final = "This passkey does not count here. Begin again."


def question(user: Any) -> dict[str, Any] | None:
    """What the browser asks the person's passkeys; None where they have none."""
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return dict(auth.begin_authentication(user)) if passkeys.exists() else None


def proposal(user: Any) -> dict[str, Any]:
    """What the browser needs to make one."""
    return dict(auth.begin_registration(user, passwordless=False))


def _check(reads: type[RegistrationResponse] | type[AuthenticationResponse], said: Any) -> None:
    try:
        check_said(reads, said)
    except Refusal:
        raise ValidationError(NOT_HERE, code="incorrect_passkey") from None


class AnswerForm(AuthenticateWebAuthnForm):
    """What a passkey answers to `question`; counted like codes.

    `again`: of somebody who is in already.
    """

    def __init__(self, *args: Any, again: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reauthenticated = again

    def clean_credential(self) -> Any:
        """The row of the passkey. Raises ValidationError."""
        _check(AuthenticationResponse, self.cleaned_data["credential"])
        return super().clean_credential()


class NewForm(AddWebAuthnForm):
    """What a passkey answers to `proposal`."""

    passwordless = None

    def clean(self) -> Any:
        """Raises ValidationError."""
        _check(RegistrationResponse, self.cleaned_data.get("credential"))
        return super().clean()
