"""Who may call, and for what: everybody, or only somebody who has just confirmed who they are."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import proof
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


def require_fresh_proof(request: Request) -> None:
    """A password, a passkey, a code or the provider's token, given within the last minutes."""
    if not proof.recently(request.auth):
        raise ReauthenticationRequired
