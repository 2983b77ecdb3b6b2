"""What can go wrong with an account, one sentence each."""

from rest_framework.exceptions import APIException


class SessionEnded(APIException):
    """The token names no live session."""

    status_code = 401
    default_code = "session_ended"
    default_detail = "Your session has ended. Sign in again."


class ReauthenticationRequired(APIException):
    """The act needs a password that was given within the last minutes."""

    status_code = 401
    default_code = "reauthentication_required"
    default_detail = (
        "For your safety, confirm your password first (POST /auth/app/v1/auth/reauthenticate), "
        "then try again."
    )
