"""Second factors at rest: a TOTP secret and the seed of recovery codes are sealed to their owner.

An erasure destroys the owner's key before it deletes a row, so a copy of these in a backup ends
with it too. The web opens them, and no other role could.
"""

import base64
import uuid
from typing import Final

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from accounts.models import uuid7
from privacy import crypto, keys
from privacy.crypto import Context, Recipient
from privacy.errors import SealBroken
from privacy.plain import Plain

KIND: Final = 12  # FORMAT.md's number; it lies in a row of allauth's and is no blob


class Adapter(DefaultMFAAdapter):
    """Named by MFA_ADAPTER."""

    def encrypt(self, text: str) -> str:
        """Only ever called for the person who is signed in."""
        return seal(context.request.user.pk, text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SealBroken, KeyDestroyed."""
        return unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """What passkeys are bound to: never the name by which somebody has called us."""
        return {"id": settings.PASSKEY_DOMAIN, "name": settings.MFA_TOTP_ISSUER}

    def generate_authenticator_name(self, user: AbstractBaseUser, *_: object) -> str:
        """What a passkey is called that nobody has named."""
        return "Passkey"


def seal(owner_id: uuid.UUID, text: str) -> str:
    """As text, because the row's column is JSON: owner, place, and both halves of the sealed."""
    keys.ensure_owner(owner_id, timezone.now())
    place = uuid7()
    _, public = keys.owner_public(owner_id)
    sealed = crypto.seal(Plain(text.encode()), public, _context(owner_id, place))
    both = base64.b64encode(sealed.capsule + bytes(sealed.body)).decode("ascii")
    return f"{owner_id}.{place}.{both}"


def unseal(text: str) -> str:
    """The secret again. Raises SealBroken, KeyDestroyed."""
    try:
        owner, place, both = text.split(".")
        owner_id, whole = uuid.UUID(owner), base64.b64decode(both, validate=True)
        where = _context(owner_id, uuid.UUID(place))
    except ValueError as error:
        raise SealBroken from error
    length = len(crypto.VERSION) + crypto.ENC_BYTES
    sealed = crypto.stored(whole[:length], whole[length:])
    return crypto.unseal(sealed, keys.owner_seed(owner_id), where).reveal().decode()


def _context(owner_id: uuid.UUID, place: uuid.UUID) -> Context:
    return Context(KIND, Recipient.OWNER, owner_id, place)
