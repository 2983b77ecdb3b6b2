"""A link to one picture for the system's share sheet: for a minute, for one use, with no login.

It lives in Valkey alone, under the hash of its token, and names ids. Whoever erases the portrait
ends the link with it, since the picture cannot be opened any more.
"""

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from redis import RedisError

from portraits import gallery
from portraits.errors import UnknownLink, UnknownPortrait
from portraits.models import Rendition
from privacy import valkey
from privacy.errors import BlobGone, NotReady
from privacy.plain import Plain

LASTS: Final = timedelta(minutes=1)


def lend(owner_id: uuid.UUID, portrait_id: uuid.UUID, size: str, now: datetime) -> str:
    """The token of a new link. Raises UnknownPortrait, BlobGone for an unknown size, NotReady."""
    gallery.size_of(owner_id, portrait_id, size, now)
    token = secrets.token_urlsafe(32)
    lent = json.dumps([str(owner_id), str(portrait_id), size])
    try:
        valkey.client().set(_key(token), lent, ex=LASTS)
    except RedisError as error:
        raise NotReady from error
    return token


def redeem(
    token: str, now: datetime, *, may: Callable[[Rendition], None]
) -> tuple[Rendition, Plain]:
    """The picture, once. `may` raises for who cannot use it, and the link stays unused.

    Raises UnknownLink, NotReady.
    """
    client, key = valkey.client(), _key(token)
    try:
        lent = client.get(key)
        if lent is None:
            raise UnknownLink
        owner_id, portrait_id, size = json.loads(lent)
        rendition = gallery.size_of(uuid.UUID(owner_id), uuid.UUID(portrait_id), size, now)
        may(rendition)
        # Of those who have come so far, one alone deletes it.
        if not client.delete(key):
            raise UnknownLink
        return rendition, gallery.open_size(rendition, now)
    except RedisError as error:
        raise NotReady from error
    except (UnknownPortrait, BlobGone) as gone:
        raise UnknownLink from gone


def _key(token: str) -> str:
    return f"link:{hashlib.sha256(token.encode()).hexdigest()}"
