"""Who may call, and for what: everybody, or only somebody who has just confirmed who they are."""

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import ReauthenticationRequired


class AnyAnswer(DefaultContentNegotiation):
    """Whoever asks for a picture or a ZIP gets one, and a refusal as JSON all the same."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """JSON, whatever was asked for."""
        return renderers[0], renderers[0].media_type


class Public(APIView):
    """A view that anybody may call."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


def require_fresh_password(request: Request) -> None:
    """allauth notes in the session when the person last confirmed who they are."""
    session: Any = request.auth
    confirmed = [
        record.get("at", 0)
        for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        if record.get("reauthenticated")
    ]
    if time.time() - max(confirmed, default=0) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        raise ReauthenticationRequired
