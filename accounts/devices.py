"""Where a person is signed in, and the end of it. A session's name is a hash: its key is a secret.

Nothing is stored of the device itself, so a list tells sessions apart by their times.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from accounts.errors import UnknownSession
from accounts.models import Session


@dataclass(frozen=True)
class Device:
    """One living session, as its owner sees it."""

    id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


def name_of(key: str) -> str:
    """What a session is called where its key must not be."""
    return hashlib.sha256(b"session " + key.encode()).hexdigest()[:32]


def living(owner_id: uuid.UUID, token: str, now: datetime) -> list[Device]:
    """The person's sessions, newest first; `token` is the one that asks."""
    rows = Session.objects.filter(user_id=owner_id, expire_date__gt=now).order_by("-created_at")
    return [
        Device(
            name_of(row.session_key),
            row.created_at,
            row.seen_at,
            row.expire_date,
            row.session_key == token,
        )
        for row in rows
    ]


def end(owner_id: uuid.UUID, name: str) -> None:
    """Raises UnknownSession, for somebody else's too."""
    mine = Session.objects.filter(user_id=owner_id)
    keys = [key for key in mine.values_list("session_key", flat=True) if name_of(key) == name]
    if not mine.filter(session_key__in=keys).delete()[0]:
        raise UnknownSession


def end_own(key: str) -> None:
    """Whatever this key opens is closed; asking again changes nothing."""
    Session.objects.filter(session_key=key[:40]).delete()
