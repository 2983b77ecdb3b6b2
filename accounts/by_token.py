"""allauth's views of signing in by a provider, as our API asks: one call, with all it takes."""

from typing import Any, Final

from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from allauth.core.exceptions import SignupClosedException
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import APIView, AuthenticatedAPIView
from allauth.headless.internal.restkit import inputs
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.headless.socialaccount.internal import complete_token_login
from allauth.headless.socialaccount.views import ManageProvidersView
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import arrival, identity
from accounts.arrival import Arrival
from accounts.errors import NotNow, TooManyAttempts
from accounts.models import Region

PROVIDERS: Final = (("apple", "Apple"), ("google", "Google"))
# The advisory locks of this module are told from others by this number.
SIGN_UPS: Final = 0x51C4
# Longer than any of theirs.
TOKEN, CODE, NONCE = 8192, 2048, 256


class TokenInput(inputs.Input):
    """A token, checked."""

    provider = inputs.ChoiceField(choices=PROVIDERS)
    id_token = inputs.CharField(max_length=TOKEN)
    nonce = inputs.CharField(required=False, max_length=NONCE)
    authorization_code = inputs.CharField(required=False, max_length=CODE)

    def clean(self) -> dict[str, Any]:
        """Adds the `arrival`."""
        said: dict[str, Any] = super().clean()
        if not self.errors:
            now = timezone.now()
            claims = identity.read(said["provider"], said["id_token"], said["nonce"], now)
            said["arrival"] = Arrival(claims, now, code=said["authorization_code"])
        return said


class NewcomerInput(TokenInput):
    """A token, and what a sign-up asks beside it."""

    region = inputs.ChoiceField(choices=Region.choices, required=False)
    is_adult = inputs.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """A region counts only with the attestation of age."""
        said = super().clean()
        if "arrival" in said and said["is_adult"] is True:
            said["arrival"].region = said["region"]
        return said


def _login(request: HttpRequest, came: Arrival, process: str) -> Any:
    provider = get_adapter().get_provider(request, came.claims.provider)
    login = provider.sociallogin_from_response(request, came.claims)
    login.state["process"] = process
    login.arrival = came
    return login


def _queue_up(email: str) -> None:
    """Two devices that sign up at once come one after the other, and the second is known."""
    if email:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [SIGN_UPS, email])


class Counted:
    """Whoever sends tokens is counted before any of them is looked at."""

    action = "login"

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Raises TooManyAttempts."""
        user = request.user if request.user.is_authenticated else None
        if request.method == "POST" and not ratelimit.consume(
            request, action=self.action, user=user
        ):
            raise TooManyAttempts
        return super().handle(request, *args, **kwargs)  # type: ignore[misc]


class SignIn(Counted, APIView):
    """A session, and an account where there was none."""

    input_class = NewcomerInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Sign in."""
        came: Arrival = self.input.cleaned_data["arrival"]
        login = _login(request, came, "login")
        with transaction.atomic():
            _queue_up(came.claims.email)
            try:
                complete_token_login(request, login)
            except SignupClosedException as closed:
                raise NotNow from closed
        came.hand_over(login.user.pk)
        return AuthenticationResponse(request)


class Connect(Counted, ManageProvidersView):
    """The providers that a person signs in by."""

    input_class = {"POST": TokenInput}
    action = "reauthenticate"

    def get_input_kwargs(self) -> dict[str, Any]:
        """A token says by itself whose it is."""
        return {}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """One more."""
        came: Arrival = self.input.cleaned_data["arrival"]
        login = _login(request, came, "connect")
        try:
            with transaction.atomic():
                complete_token_login(request, login)
        except ValidationError as error:
            return ErrorResponse(request, exception=error)
        came.hand_over(login.user.pk)
        return self.respond_provider_accounts(request)


class Part(ManageProvidersView):
    """One of them, named by the address."""

    def _parse_json(self, request: HttpRequest) -> dict[str, Any]:
        return {"provider": self.kwargs["provider"], "account": self.kwargs["account"]}

    def delete(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Take it off the account."""
        answer = super().delete(request, *args, **kwargs)
        arrival.part(request.user.pk, self.kwargs["provider"], timezone.now())
        return answer


class Reauthenticate(Counted, AuthenticatedAPIView):
    """Proving once more who one is, by the provider."""

    input_class = TokenInput
    action = "reauthenticate"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The token must be of an identity that is the person's."""
        came: Arrival = self.input.cleaned_data["arrival"]
        claims = came.claims
        mine = SocialAccount.objects.filter(user=request.user, provider=claims.provider)
        if not mine.filter(uid=claims.uid).exists():
            raise identity.refused()
        came.use_token(request)
        record_authentication(
            request,
            request.user,
            "socialaccount",
            provider=claims.provider,
            reauthenticated=True,
        )
        return AuthenticationResponse(request)
