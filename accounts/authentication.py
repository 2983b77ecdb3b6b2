"""The API's authentication: allauth's opaque session token in `X-Session-Token`."""

import uuid
from typing import Any

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request

from accounts.errors import SessionEnded


class SessionTokenAuthentication(XSessionTokenAuthentication):
    """Refuses a token that is unknown or ended instead of treating the caller as a stranger."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """(user, session), or None without a token."""
        found: tuple[Any, Any] | None = super().authenticate(request)
        if found is None:
            if self.get_session_token(request):
                raise SessionEnded
            return None
        found[0].seen(timezone.now())
        return found

    def authenticate_header(self, request: Any) -> str:
        """Makes DRF answer 401 rather than 403."""
        return "Session-Token"


def caller(request: Request) -> uuid.UUID:
    """The id of the person who calls; only for views that require a session."""
    if request.user.pk is None:
        raise SessionEnded
    return request.user.pk


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document about the header."""

    target_class = SessionTokenAuthentication
    name = "sessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An API key in a header, as OpenAPI names it."""
        return {"type": "apiKey", "in": "header", "name": "X-Session-Token"}
