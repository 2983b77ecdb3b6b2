"""Signing in with Apple and Google, by the identity token that a native app gets."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import by_token
from accounts.api import IN, IN_OR_PENDING, TOKEN, Door
from accounts.passing import forget_dead_token, passed
from accounts.provider_serializers import (
    IdentitiesSerializer,
    ProviderSignInSerializer,
    ProviderTokenSerializer,
)


class ProviderSignInView(Door):
    """A new session by a provider."""

    @extend_schema(
        operation_id="signInWithProvider",
        request=ProviderSignInSerializer,
        responses=IN_OR_PENDING,
    )
    def post(self, request: Request) -> Response:
        """Sign in with Apple or Google, or up: one call.

        409 `sign_up_needed`: nobody is known by this token. Ask for region and age, and send the
        same token with both. An address that is an account's already opens none: 409
        `account_exists`.
        """
        forget_dead_token(request)
        return passed(request, by_token.SignIn)


class ProviderReauthenticateView(Door):
    """Proving once more who one is, by a provider."""

    @extend_schema(
        operation_id="reauthenticateWithProvider",
        auth=TOKEN,
        request=ProviderTokenSerializer,
        responses=IN,
    )
    def post(self, request: Request) -> Response:
        """Confirm who you are by a fresh token, as an erasure and an export ask for."""
        return passed(request, by_token.Reauthenticate)


class ProvidersView(Door):
    """The providers that a person signs in by."""

    @extend_schema(operation_id="listProviders", auth=TOKEN, responses=IdentitiesSerializer)
    def get(self, request: Request) -> Response:
        """Which they are; no name and no address of theirs is kept."""
        return passed(request, by_token.Connect)

    @extend_schema(
        operation_id="createProvider",
        auth=TOKEN,
        request=ProviderTokenSerializer,
        responses={200: IdentitiesSerializer},
    )
    def post(self, request: Request) -> Response:
        """Connect one more. The person has confirmed who they are within the last minutes."""
        return passed(request, by_token.Connect)


class ProviderView(Door):
    """One of them."""

    @extend_schema(operation_id="deleteProvider", auth=TOKEN, responses={200: IdentitiesSerializer})
    def delete(self, request: Request, provider: str, account: str) -> Response:
        """Take it off the account; not the last one of somebody without a password."""
        return passed(request, by_token.Part, provider=provider, account=account)
