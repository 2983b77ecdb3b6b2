"""Passkeys, authenticator apps and recovery codes. allauth checks them; these say what that is."""

from typing import Any

from allauth.headless.mfa import views
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import factors
from accounts.api import IN, IN_OR_PENDING, TOKEN, Door
from accounts.errors import NoRecoveryCodes
from accounts.factor_serializers import (
    CreationSerializer,
    CredentialSerializer,
    FactorCodeSerializer,
    FactorsSerializer,
    MadePasskeySerializer,
    NewPasskeySerializer,
    OneFactorSerializer,
    PasskeyNameSerializer,
    RecoveryCodesSerializer,
    RequestSerializer,
    TotpSerializer,
)
from accounts.passing import forget_dead_token, passed, refuse_signed_in
from accounts.serializers import DoneSerializer

DONE: dict[int, Any] = {200: DoneSerializer}


class FactorsView(Door):
    """What a person has beside the password."""

    @extend_schema(operation_id="listFactors", auth=TOKEN, responses=FactorsSerializer)
    def get(self, request: Request) -> Response:
        """Passkeys, the authenticator app, and how many recovery codes are left."""
        return passed(request, views.AuthenticatorsView)


class PasskeysView(Door):
    """Registering a passkey."""

    @extend_schema(
        operation_id="getPasskeyCreation", auth=TOKEN, responses={200: CreationSerializer}
    )
    def get(self, request: Request) -> Response:
        """What the device needs to make one. `?passwordless`: one that signs in by itself."""
        return passed(request, factors.Passkeys)

    @extend_schema(
        operation_id="createPasskey",
        auth=TOKEN,
        request=NewPasskeySerializer,
        responses={200: MadePasskeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Hand in what the device has made."""
        return passed(request, factors.Passkeys)


class PasskeyView(Door):
    """One passkey."""

    @extend_schema(
        operation_id="updatePasskey",
        auth=TOKEN,
        request=PasskeyNameSerializer,
        responses=OneFactorSerializer,
    )
    def put(self, request: Request, number: str) -> Response:
        """Call it something else."""
        return passed(request, factors.OnePasskey, number=number)

    @extend_schema(operation_id="deletePasskey", auth=TOKEN, responses=DONE)
    def delete(self, request: Request, number: str) -> Response:
        """Take it off the account; recovery codes go with the last factor."""
        return passed(request, factors.OnePasskey, number=number)


class PasskeySignInView(Door):
    """A session by a passkey alone."""

    @extend_schema(operation_id="getPasskeySignIn", responses={200: RequestSerializer})
    def get(self, request: Request) -> Response:
        """What the device needs; nobody is named. Send the session_token along afterwards."""
        forget_dead_token(request)
        return passed(request, factors.SignIn)

    @extend_schema(
        operation_id="signInWithPasskey",
        auth=TOKEN,
        request=CredentialSerializer,
        responses=IN_OR_PENDING,
    )
    def post(self, request: Request) -> Response:
        """Sign in by the device's answer."""
        refuse_signed_in(request)
        return passed(request, factors.SignIn)


class PasskeyStepView(Door):
    """A passkey as the second step of signing in."""

    @extend_schema(operation_id="getPasskeyStep", auth=TOKEN, responses={200: RequestSerializer})
    def get(self, request: Request) -> Response:
        """What the device needs, with the session_token of the first step."""
        return passed(request, factors.Second)

    @extend_schema(
        operation_id="verifyPasskeyStep",
        auth=TOKEN,
        request=CredentialSerializer,
        responses=IN_OR_PENDING,
    )
    def post(self, request: Request) -> Response:
        """Finish signing in by the device's answer."""
        return passed(request, factors.Second)


class PasskeyReauthenticateView(Door):
    """Proving once more who one is, by a passkey."""

    @extend_schema(
        operation_id="getPasskeyReauthentication", auth=TOKEN, responses={200: RequestSerializer}
    )
    def get(self, request: Request) -> Response:
        """What the device needs."""
        return passed(request, factors.Reauthenticate)

    @extend_schema(
        operation_id="reauthenticateWithPasskey",
        auth=TOKEN,
        request=CredentialSerializer,
        responses=IN,
    )
    def post(self, request: Request) -> Response:
        """Confirm who you are, as an erasure and an export ask for."""
        return passed(request, factors.Reauthenticate)


class CodeStepView(Door):
    """A code as the second step of signing in."""

    @extend_schema(
        operation_id="verifyCodeStep",
        auth=TOKEN,
        request=FactorCodeSerializer,
        responses=IN_OR_PENDING,
    )
    def post(self, request: Request) -> Response:
        """Finish signing in by a code, with the session_token of the first step."""
        return passed(request, views.AuthenticateView)


class CodeReauthenticateView(Door):
    """Proving once more who one is, by a code."""

    @extend_schema(
        operation_id="reauthenticateWithCode",
        auth=TOKEN,
        request=FactorCodeSerializer,
        responses=IN,
    )
    def post(self, request: Request) -> Response:
        """Confirm who you are, as an erasure and an export ask for."""
        return passed(request, views.ReauthenticateView)


class TotpView(Door):
    """The authenticator app."""

    @extend_schema(operation_id="getTotp", auth=TOKEN, responses=TotpSerializer)
    def get(self, request: Request) -> Response:
        """Whether there is one; where there is none, a new secret to set one up with."""
        return passed(request, factors.Totp, fine=404)

    @extend_schema(
        operation_id="createTotp",
        auth=TOKEN,
        request=FactorCodeSerializer,
        responses={200: OneFactorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Set it up, by a first code of the new secret. Signing in asks for one from now on."""
        return passed(request, factors.Totp)

    @extend_schema(operation_id="deleteTotp", auth=TOKEN, responses=DONE)
    def delete(self, request: Request) -> Response:
        """Take it off the account; recovery codes go with the last factor."""
        return passed(request, factors.Totp)


class RecoveryCodesView(Door):
    """Codes for the day on which the phone is lost."""

    @extend_schema(operation_id="listRecoveryCodes", auth=TOKEN, responses=RecoveryCodesSerializer)
    def get(self, request: Request) -> Response:
        """Those that are left. They were made with the first factor."""
        answer = passed(request, views.ManageRecoveryCodesView, fine=404)
        if "data" not in answer.data:
            raise NoRecoveryCodes
        return answer

    @extend_schema(
        operation_id="createRecoveryCodes",
        auth=TOKEN,
        request=None,
        responses={200: RecoveryCodesSerializer},
    )
    def post(self, request: Request) -> Response:
        """New ones; the old ones do not count any more."""
        return passed(request, views.ManageRecoveryCodesView)
