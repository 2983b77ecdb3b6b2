"""What a browser carries from the password to the second factor: signed, short-lived, no session.

It ends with the password that it was given for.
"""

from typing import Final

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

SECONDS: Final = 300
SALT: Final = "deploy.staff.ticket"


def issue(user: User) -> str:
    """Their password was right a moment ago."""
    return signing.dumps([str(user.pk), _mark(user)], salt=SALT)


def holder(ticket: str) -> User | None:
    """Whose it is, if it still counts and they are still on staff."""
    try:
        user_id, mark = signing.loads(ticket, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=user_id, is_staff=True, is_active=True).first()
    return user if user and constant_time_compare(mark, _mark(user)) else None


def _mark(user: User) -> str:
    return salted_hmac(SALT, user.get_session_auth_hash(), algorithm="sha256").hexdigest()
