"""The API's authentication: allauth's opaque session token in `X-Session-Token`."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from allauth.headless.internal.sessionkit import authenticate_by_x_session_token
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request

from accounts.errors import SessionEnded
from accounts.models import Session, User
from accounts.sessions import SessionStore
from accounts.staff.session import of_admin

SCHEME: Final = "Session-Token"
HOUR: Final = timedelta(hours=1)
_FIND: Final = """
    SELECT session.session_data, session.created_at, session.seen_at, {}
    FROM accounts_session session JOIN accounts_user person ON person.id = session.user_id
    WHERE session.session_key = %s AND session.expire_date > %s AND person.is_active
"""
# Django makes a row of columns in the order of the model.
_ALL: Final = tuple(field.attname for field in User._meta.concrete_fields)
# What deciding takes; no address goes through a connection for a poll.
_LEAST: Final = tuple(name for name in _ALL if name in ("id", "password", "last_seen_at"))


class SessionTokenAuthentication(XSessionTokenAuthentication):
    """Refuses a token that is unknown or ended instead of treating the caller as a stranger."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """(user, session), or None without a token."""
        token = self.get_session_token(request)
        return signed_in(token, _ALL) if token else None

    def authenticate_header(self, request: Any) -> str:
        """Makes DRF answer 401 rather than 403."""
        return SCHEME


def caller(request: Request) -> uuid.UUID:
    """The id of the person who calls; only for views that require a session."""
    if request.user.pk is None:
        raise SessionEnded
    return request.user.pk


def owner_of(token: str) -> uuid.UUID:
    """Whose session a token names. Raises SessionEnded."""
    return signed_in(token)[0].pk


def signed_in(token: str, fields: Sequence[str] = _LEAST) -> tuple[User, Any]:
    """(user, session) of a token. Raises SessionEnded.

    The plain case is decided here, in one query: a living session, signed by us, of an active
    person, made under the password that they still have. Whatever is not as plain is left to
    allauth, which alone decides what else is accepted.
    """
    now = timezone.now()
    found = _plain_case(token, fields, now) or _other_case(token)
    if found is None:
        raise SessionEnded
    found[0].seen(now)
    return found


def _plain_case(token: str, fields: Sequence[str], now: datetime) -> tuple[User, Any] | None:
    columns = ", ".join(f"person.{name}" for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(_FIND.format(columns), [token, now])
        row = cursor.fetchone()
    if row is None:
        return None
    user = User.from_db(connection.alias, fields, row[3:])
    session = SessionStore(session_key=token)
    said = session.decode(row[0])
    plain = (
        not of_admin(said)
        and said.get(SESSION_KEY) == str(user.pk)
        and said.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(said.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )
    if plain and now - row[2] > HOUR:
        # Once an hour at most, as the person's own row is.
        end = Session.end_of(row[1], now)
        Session.objects.filter(session_key=token).update(seen_at=now, expire_date=end)
    # What else the session holds is read by the few who ask for it.
    return (user, session) if plain else None


def _other_case(token: str) -> tuple[User, Any] | None:
    """What allauth accepts, unless it is a session of the admin: a cookie is no token."""
    found: tuple[User, Any] | None = authenticate_by_x_session_token(token)
    return None if found and of_admin(found[1]) else found


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document about the header."""

    target_class = SessionTokenAuthentication
    name = "sessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An API key in a header, as OpenAPI names it."""
        return {"type": "apiKey", "in": "header", "name": "X-Session-Token"}
