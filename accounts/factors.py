"""allauth's views of passkeys and codes, and what they leave open: origins, secrets at rest."""

import base64
import json
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.headless.mfa import views
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.http import HttpRequest
from fido2.webauthn import AuthenticationResponse, RegistrationResponse
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts.errors import UnknownFactor

# What a passkey may be called.
NAME: Final = 100
# Of a row's number; a longer one overflows in the database.
DIGITS: Final = 18


def refused(code: str = "incorrect_passkey") -> ValidationError:
    """A passkey's answer that does not count."""
    told = {
        "incorrect_passkey": "This passkey does not count here. Begin again.",
        "foreign_origin": "This app may not use passkeys of this service.",
    }
    return ValidationError({"credential": [ErrorDetail(told[code], code=code)]})


def check_origin(origin: str) -> None:
    """The app or page that spoke to the passkey: of our domain, or named by the operator."""
    if origin in settings.PASSKEY_ORIGINS:
        return
    domain = settings.PASSKEY_DOMAIN
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        raise refused("foreign_origin") from None
    local = host == "localhost" and not settings.PRODUCTION
    if not (host == domain or host.endswith(f".{domain}")) or (
        parts.scheme != "https" and not (parts.scheme == "http" and local)
    ):
        raise refused("foreign_origin")


def check_said(
    reads: type[RegistrationResponse] | type[AuthenticationResponse], credential: Any
) -> None:
    """What a passkey has said, before allauth reads it. Raises ValidationError."""
    try:
        reads.from_dict(credential)
        said = credential["response"]["clientDataJSON"]
        origin = json.loads(base64.urlsafe_b64decode(said + "=="))["origin"]
    except Exception as error:
        # Whatever a parser says of bytes like these, they are no passkey's.
        raise refused() from error
    check_origin(str(origin))


class Ceremony:
    """Reads what a passkey has said before allauth does: its parsers trust whoever sends."""

    reads: type[RegistrationResponse] | type[AuthenticationResponse] = AuthenticationResponse

    def _parse_json(self, request: HttpRequest) -> Any:
        data = super()._parse_json(request)  # type: ignore[misc]
        if request.method == "POST":
            check_said(self.reads, (data or {}).get("credential"))
        return data


class Passkeys(Ceremony, views.ManageWebAuthnView):
    """Registering one."""

    reads = RegistrationResponse


class SignIn(Ceremony, views.LoginWebAuthnView):
    """A passkey instead of a password."""


class Second(Ceremony, views.AuthenticateWebAuthnView):
    """A passkey behind a password."""


class Reauthenticate(Ceremony, views.ReauthenticateWebAuthnView):
    """A passkey once more."""


class OnePasskey(views.ManageWebAuthnView):
    """One of them, named by the address."""

    def _parse_json(self, request: HttpRequest) -> dict[str, Any]:
        number = self.kwargs["number"]
        if not number.isascii() or not number.isdecimal() or len(number) > DIGITS:
            raise UnknownFactor
        if request.method == "DELETE":
            return {"authenticators": [number]}
        said: dict[str, Any] = super()._parse_json(request) or {}
        return {"id": number, "name": said.get("name")}


class Totp(views.ManageTOTPView):
    """Between its two steps the new secret waits in the session, sealed like the old ones."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """One step; sealed again whatever comes of it, before the session is saved."""
        session = request.session
        if waiting := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = decrypt(waiting)
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if secret := session.get(SECRET_SESSION_KEY):
                session[SECRET_SESSION_KEY] = encrypt(secret)
