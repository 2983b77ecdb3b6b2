"""Who may call: everybody, or only somebody who has just confirmed who they are."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import proof
from accounts.errors import ReauthenticationRequired


class Public(APIView):
    """A view that anybody may call."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


def require_fresh_proof(request: Request) -> None:
    """A password, a passkey, a code or the provider's token, given within the last minutes."""
    if not proof.recently(request.auth):
        raise ReauthenticationRequired
