"""What can go wrong with an account, one sentence each. All answer 401 and name the scheme."""

from rest_framework.exceptions import AuthenticationFailed


class SessionEnded(AuthenticationFailed):
    """The token names no live session."""

    default_code = "session_ended"
    default_detail = "Your session has ended. Sign in again."


class ReauthenticationRequired(AuthenticationFailed):
    """The act needs a password that was given within the last minutes."""

    default_code = "reauthentication_required"
    default_detail = (
        "For your safety, confirm your password first (POST /auth/app/v1/auth/reauthenticate), "
        "then try again."
    )
