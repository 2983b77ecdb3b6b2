"""Signing up, in and out. Each view names what it takes and gives; allauth does the rest."""

from typing import Any

from allauth.headless.account import views
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import devices
from accounts.authentication import SCHEME, caller, signed_in
from accounts.errors import NotSignedIn, TooManyAttempts
from accounts.passing import forget_dead_token, passed
from accounts.serializers import (
    AddressSerializer,
    ChangePasswordSerializer,
    CodeSerializer,
    CredentialsSerializer,
    DoneSerializer,
    NewPasswordSerializer,
    PasswordSerializer,
    PendingSerializer,
    SessionSerializer,
    SignedInSerializer,
    SignUpSerializer,
)

# These read the token themselves; the document says so all the same.
TOKEN: list[Any] = [{"sessionToken": []}]
IN: dict[int, Any] = {200: SignedInSerializer}
IN_OR_PENDING: dict[int, Any] = {**IN, 202: PendingSerializer}


class Door(APIView):
    """Open to strangers; who sends a token is known to allauth, which reads it itself."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        """Makes REST framework answer 401 rather than 403, though it authenticates nobody here."""
        return SCHEME


class SignUpView(Door):
    """A new account."""

    @extend_schema(operation_id="signUp", request=SignUpSerializer, responses=IN_OR_PENDING)
    def post(self, request: Request) -> Response:
        """Make an account. 202: a code was sent to the address; `verify_email` comes next."""
        forget_dead_token(request)
        try:
            return passed(request, views.SignupView)
        except NotSignedIn as unsent:
            # Somebody signed up with this address at the same time and was sent a letter, so the
            # code of this account was not. Whoever asks again is answered as with any address.
            raise TooManyAttempts from unsent


class SignInView(Door):
    """A new session."""

    @extend_schema(operation_id="signIn", request=CredentialsSerializer, responses=IN_OR_PENDING)
    def post(self, request: Request) -> Response:
        """Sign in. A token of a session that has ended may be sent along; it is not looked at."""
        forget_dead_token(request)
        return passed(request, views.LoginView)


class SessionView(Door):
    """The session of the token that is sent."""

    @extend_schema(operation_id="getSession", auth=TOKEN, responses=IN)
    def get(self, request: Request) -> Response:
        """Who is signed in."""
        if token := request.headers.get("X-Session-Token"):
            signed_in(token)
        return passed(request, views.SessionView)

    @extend_schema(operation_id="signOut", auth=TOKEN, responses={204: None})
    def delete(self, request: Request) -> Response:
        """End this session."""
        devices.end_own(request.headers.get("X-Session-Token", ""))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReauthenticateView(Door):
    """Proving once more who one is."""

    @extend_schema(
        operation_id="reauthenticate", auth=TOKEN, request=PasswordSerializer, responses=IN
    )
    def post(self, request: Request) -> Response:
        """Confirm the password, as an erasure and an export ask for. The token may be a new one.

        Who has none confirms by a passkey, a code, or Apple or Google.
        """
        return passed(request, views.ReauthenticateView)


class VerifyEmailView(Door):
    """Whether an address is the person's."""

    @extend_schema(
        operation_id="verifyEmail", auth=TOKEN, request=CodeSerializer, responses=IN_OR_PENDING
    )
    def post(self, request: Request) -> Response:
        """Hand in the code that came by mail, with the session_token of the sign-up."""
        return passed(request, views.VerifyEmailView)


class ResendCodeView(Door):
    """A code that did not arrive."""

    @extend_schema(
        operation_id="resendEmailCode", auth=TOKEN, request=None, responses=DoneSerializer
    )
    def post(self, request: Request) -> Response:
        """Send the code once more."""
        return passed(request, views.ResendEmailVerificationCodeView)


class AskResetView(Door):
    """A password that was forgotten."""

    @extend_schema(
        operation_id="requestPasswordReset",
        request=AddressSerializer,
        responses={202: PendingSerializer},
    )
    def post(self, request: Request) -> Response:
        """Send a code to the address. The answer is the same where nobody has that address."""
        forget_dead_token(request)
        return passed(request, views.RequestPasswordResetView)


class ResetView(Door):
    """A new password by code."""

    @extend_schema(
        operation_id="resetPassword",
        auth=TOKEN,
        request=NewPasswordSerializer,
        responses=IN_OR_PENDING,
    )
    def post(self, request: Request) -> Response:
        """Set a new password with the code that came by mail. Every other session ends."""
        return passed(request, views.ResetPasswordView)


class ChangePasswordView(Door):
    """A new password by the old one."""

    @extend_schema(
        operation_id="changePassword", auth=TOKEN, request=ChangePasswordSerializer, responses=IN
    )
    def post(self, request: Request) -> Response:
        """Change it. Every other session ends."""
        return passed(request, views.ChangePasswordView)


class DevicesView(APIView):
    """Where the person is signed in."""

    @extend_schema(operation_id="listSessions", responses=SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every living session, the newest first."""
        token = request.headers.get("X-Session-Token", "")
        rows = devices.living(caller(request), token, timezone.now())
        return Response(SessionSerializer(rows, many=True).data)


class DeviceView(APIView):
    """One of them."""

    @extend_schema(operation_id="endSession", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """End it: a phone that was lost, say. Asking again is 404."""
        devices.end(caller(request), name)
        return Response(status=status.HTTP_204_NO_CONTENT)
