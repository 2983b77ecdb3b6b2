"""The quick look at a session accepts what allauth accepts, and nothing else."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.authentication import SessionTokenAuthentication, owner_of
from accounts.errors import SessionEnded
from accounts.models import Session, User
from accounts.sessions import SessionStore
from tests.portraits.serving import BACKEND, session


@pytest.fixture
def user() -> User:
    email = f"{uuid.uuid4().hex}@example.org"
    return User.objects.create_user(email, "correct-horse-9x", is_adult=True)


def ordinary(token: str) -> uuid.UUID | None:
    """Whom REST framework's way takes the caller for."""
    request = RequestFactory().get("/", headers={"X-Session-Token": token})
    try:
        found = SessionTokenAuthentication().authenticate(request)
    except SessionEnded:
        return None
    return found[0].pk if found else None


def quick(token: str) -> uuid.UUID | None:
    try:
        return owner_of(token)
    except SessionEnded:
        return None


def rewritten(token: str, **changes: Any) -> None:
    store = SessionStore(session_key=token)
    for name, value in changes.items():
        store[name] = value
    store.save()


def expire(token: str, user: User) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    Session.objects.filter(pk=token).update(expire_date=yesterday)


def delete(token: str, user: User) -> None:
    Session.objects.filter(pk=token).delete()


def deactivate(token: str, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def change_password(token: str, user: User) -> None:
    user.set_password("another-horse-9x")
    user.save()


def tamper(token: str, user: User) -> None:
    row = Session.objects.get(pk=token)
    Session.objects.filter(pk=token).update(session_data=row.session_data[:-2] + "xx")


def empty(token: str, user: User) -> None:
    Session.objects.filter(pk=token).update(session_data=SessionStore().encode({}))


def foreign_backend(token: str, user: User) -> None:
    rewritten(token, **{BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend"})


def no_hash(token: str, user: User) -> None:
    rewritten(token, **{HASH_SESSION_KEY: ""})


def column_of_another(token: str, user: User) -> None:
    """The row's column says somebody else than what is signed."""
    other = User.objects.create_user(f"{uuid.uuid4().hex}@example.org", "correct-horse-9x")
    Session.objects.filter(pk=token).update(user_id=other.pk)


def no_column(token: str, user: User) -> None:
    Session.objects.filter(pk=token).update(user_id=None)


def leave(token: str, user: User) -> None:
    user.delete()


@pytest.mark.parametrize(
    ("change", "lives"),
    [
        (expire, False),
        (delete, False),
        (deactivate, False),
        (change_password, False),
        (tamper, False),
        (empty, False),
        (foreign_backend, False),
        (no_hash, False),
        (leave, False),
        # What is signed decides, in both.
        (column_of_another, True),
        (no_column, True),
    ],
)
def test_it_decides_like_allauth(
    user: User, change: Callable[[str, User], None], lives: bool
) -> None:
    token, who = session(user.pk), user.pk
    assert quick(token) == ordinary(token) == who
    change(token, user)
    expected = who if lives else None
    assert quick(token) == expected
    assert ordinary(token) == expected


def test_a_key_that_was_rotated_still_counts(user: User, settings_of: Any) -> None:
    # Two, because Django gives a session that it accepts like that a new key.
    one, other = session(user.pk), session(user.pk)
    settings_of(SECRET_KEY="a-new-one", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY])
    assert quick(one) == ordinary(other) == user.pk


def test_the_plain_case_takes_one_query(user: User) -> None:
    token = session(user.pk)
    with CaptureQueriesContext(connection) as queries:
        assert ordinary(token) == user.pk
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert quick(token) == user.pk
    assert len(queries) == 1


def test_the_person_and_the_session_are_whole(user: User) -> None:
    token = session(user.pk)
    request = RequestFactory().get("/", headers={"X-Session-Token": token})
    found = SessionTokenAuthentication().authenticate(request)
    assert found is not None
    person, store = found
    with CaptureQueriesContext(connection) as queries:
        assert (person.email, person.is_adult, person.region) == (user.email, True, user.region)
    assert len(queries) == 0
    assert store[BACKEND_SESSION_KEY] == BACKEND
    assert store.session_key == token


@pytest.mark.parametrize("token", ["gone", "x" * 5000, "é", "'; DROP TABLE"])
def test_nonsense_is_no_session(token: str) -> None:
    assert quick(token) is None
