"""What a session says of a member of staff: signed in by both factors, since when, proved when.

Without these words a session opens no page of the admin, whoever it belongs to; with them it is no
session of the API. The times are seconds of the epoch. The session engine ends the row by them
(`end_of`), so an old cookie finds nothing.
"""

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings

SINCE: Final = "staff_since"
PROVED: Final = "staff_proved"
SEEN: Final = "staff_seen"
# The password was right, and there is no second factor yet: good for setting one up and no more.
ENROLLING: Final = "staff_enrolling"

# How long one proof of who somebody is covers acts that cannot be taken back.
PROOF_LASTS: Final = timedelta(minutes=10)
ENROLLING_LASTS: Final = timedelta(minutes=15)
# Seen to the minute: a page that loads ten things writes one row.
SEEN_EVERY: Final = timedelta(minutes=1)


def enrol(session: Any, now: datetime) -> None:
    """From here on it may set up a second factor."""
    session[ENROLLING] = now.timestamp()
    session.set_expiry(0)


def begin(session: Any, now: datetime) -> None:
    """Both factors were right: a session of staff, under a new key, that ends with the browser."""
    session.cycle_key()
    session.pop(ENROLLING, None)
    session[SINCE] = session[PROVED] = session[SEEN] = now.timestamp()
    session.set_expiry(0)


def prove(session: MutableMapping[str, Any], now: datetime) -> None:
    """They have shown once more who they are."""
    session[PROVED] = now.timestamp()


def touch(session: MutableMapping[str, Any], now: datetime) -> None:
    """Somebody uses it."""
    if _older(session.get(SEEN, 0.0), SEEN_EVERY, now):
        session[SEEN] = now.timestamp()


def of_staff(session: Mapping[str, Any]) -> bool:
    """Whether somebody came in by both factors."""
    return SINCE in session


def enrolling(session: Mapping[str, Any]) -> bool:
    """Whether it may set up a first second factor, and nothing else."""
    return ENROLLING in session


def of_admin(session: Mapping[str, Any]) -> bool:
    """Whether it is a session of the admin, good for it or only on its way."""
    return of_staff(session) or enrolling(session)


def fresh(session: Mapping[str, Any], now: datetime) -> bool:
    """Whether the last proof still covers what cannot be taken back."""
    return of_staff(session) and not _older(session[PROVED], PROOF_LASTS, now)


def end_of(session: Mapping[str, Any], now: datetime) -> datetime | None:
    """When a session that is saved now ends: by its age, or unused. None: it is not of staff."""
    if of_staff(session):
        since = datetime.fromtimestamp(session[SINCE], UTC)
        return min(since + settings.STAFF_AGE, now + settings.STAFF_IDLE)
    if enrolling(session):
        return datetime.fromtimestamp(session[ENROLLING], UTC) + ENROLLING_LASTS
    return None


def _older(moment: float, age: timedelta, now: datetime) -> bool:
    return now.timestamp() - moment > age.total_seconds()
