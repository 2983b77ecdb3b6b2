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
    """The act needs a password that was given within the last minutes.

    403 and not 401: the session is fine, and many clients sign out on any 401.
    """

    default_code = "reauthentication_required"
    default_detail = (
        "For your safety, confirm your password first (POST /auth/app/v1/auth/reauthenticate), "
        "then try again."
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
