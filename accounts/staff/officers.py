"""Whether a member of staff is at the keyboard: their password and a code of their own, together.

For what is decided at a command line, outside of any session. One refusal for whatever is wrong, so
that it tells nothing about who is on staff.
"""

import uuid

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import check_password, make_password

from accounts.models import User


class OfficerRefused(Exception):
    """Not on staff, without the right, or password or code are not theirs."""

    def __init__(self) -> None:
        super().__init__(
            "No officer with this right is known by this address, password and code. Nothing has"
            " changed; each code counts once."
        )


def prove(address: str, password: str, code: str, permission: str) -> uuid.UUID:
    """The officer's id. Raises OfficerRefused."""
    user = User.objects.filter(email=address.strip().lower(), is_active=True, is_staff=True).first()
    if user is None:
        make_password(password)  # as long as for somebody who is there
        raise OfficerRefused
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if (
        not check_password(password, user.password)
        or not user.has_perm(permission)
        or factor is None
        or not TOTP(factor).validate_code(code)
    ):
        raise OfficerRefused
    return user.pk
