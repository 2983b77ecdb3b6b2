"""What can go wrong with an account, one sentence each."""

from typing import Final

from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

RETRY_SECONDS: Final = 5
COUNTED_SECONDS: Final = 60


class SessionEnded(AuthenticationFailed):
    """The token names no live session."""

    default_code = "session_ended"
    default_detail = "Your session has ended. Sign in again."


class ReauthenticationRequired(PermissionDenied):
    """The act needs a proof of who one is that was given within the last minutes.

    403 and not 401: the session is fine, and many clients sign out on any 401.
    """

    default_code = "reauthentication_required"
    default_detail = (
        "For your safety, confirm first who you are: by your password, a passkey, a code, or Apple"
        " or Google. Then try again."
    )


class NotSignedIn(AuthenticationFailed):
    """There is no session yet."""

    default_code = "not_authenticated"
    default_detail = "Sign in first, and send your token as X-Session-Token."


class AlreadySignedIn(APIException):
    """The token that was sent is a living session's."""

    status_code = 409
    default_code = "already_signed_in"
    default_detail = "This device is signed in. Sign out first, or leave out X-Session-Token."


class NotNow(APIException):
    """Nothing waits for this step, as when a code has run out."""

    status_code = 409
    default_code = "nothing_pending"
    default_detail = "Nothing waits for this. Begin again, and use the newest code."


class TooManyAttempts(APIException):
    """Too many tries within minutes."""

    status_code = 429
    default_code = "too_many_attempts"
    default_detail = "Too many attempts. Wait a few minutes, then try again."
    wait = COUNTED_SECONDS


class SignInAway(APIException):
    """What counts the guesses does not answer, so nobody may guess."""

    status_code = 503
    default_code = "not_ready"
    default_detail = "Signing in is not possible right now. Try again in a moment."
    wait = RETRY_SECONDS


class UnknownSession(APIException):
    """No such device, or somebody else's."""

    status_code = 404
    default_code = "not_found"
    default_detail = "There is no such session."


class ProviderOff(APIException):
    """The operator has not set this provider up."""

    status_code = 404
    default_code = "provider_off"
    default_detail = "Signing in that way is not possible here."


class ProviderAway(APIException):
    """The provider's keys could not be fetched, or this one is not among them yet."""

    status_code = 503
    default_code = "provider_away"
    default_detail = (
        "Signing in that way is not possible right now. Try again in a minute, or sign in by mail."
    )
    wait = COUNTED_SECONDS


class SignUpNeeded(APIException):
    """Nobody has an account by this identity yet; the same token makes one."""

    status_code = 409
    default_code = "sign_up_needed"
    default_detail = (
        "There is no account for this yet. Say where you live and that you are 18 or older."
    )


class AccountExists(APIException):
    """The address is an account's, and an address alone opens none."""

    status_code = 409
    default_code = "account_exists"
    default_detail = (
        "There is an account with this address. Sign in to it first, then connect the two."
    )


class AddressNeeded(APIException):
    """The token carries no address that the provider has verified."""

    status_code = 409
    default_code = "address_needed"
    default_detail = "Share an e-mail address that your provider has verified, then try again."


class UnknownFactor(APIException):
    """No such passkey or identity, or somebody else's."""

    status_code = 404
    default_code = "not_found"
    default_detail = "There is no such passkey or sign-in."


class NoRecoveryCodes(APIException):
    """There are none before there is a second factor."""

    status_code = 404
    default_code = "not_found"
    default_detail = "There are no recovery codes."
