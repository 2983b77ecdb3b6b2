"""What can go wrong with an account, one sentence each."""

from rest_framework.exceptions import AuthenticationFailed, PermissionDenied


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
