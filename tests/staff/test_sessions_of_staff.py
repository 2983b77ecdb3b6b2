"""A session of staff ends unused and by its age, and is no session of the API, nor the reverse."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import authentication
from accounts.errors import SessionEnded
from accounts.models import Session, User
from accounts.staff import session
from deploy.staff.roles import Role
from tests.staff.members import browser, client, member

JOBS = "/admin/portraits/job/"
IDLE, AGE = timedelta(minutes=30), timedelta(hours=10)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture
def staff() -> User:
    return member(Role.SUPPORT)


def row(http: Client) -> Session:
    return Session.objects.get(session_key=http.cookies["sessionid"].value)


def near(moment: Any, wanted: Any) -> bool:
    return bool(abs((moment - wanted).total_seconds()) < 60)


def test_its_row_ends_when_nobody_uses_it(staff: User) -> None:
    http = client(staff)
    assert near(row(http).expire_date, timezone.now() + IDLE)
    # Twenty minutes later it is used, and ends thirty minutes after that.
    words = http.session
    words[session.SEEN] -= 20 * 60
    words.save()
    Session.objects.filter(session_key=words.session_key).update(
        expire_date=timezone.now() + timedelta(minutes=10)
    )
    assert http.get(JOBS).status_code == 200
    assert near(row(http).expire_date, timezone.now() + IDLE)
    Session.objects.filter(session_key=words.session_key).update(expire_date=timezone.now())
    assert http.get(JOBS)["Location"].startswith("/admin/login/")


def test_a_page_that_is_opened_again_at_once_writes_nothing(staff: User) -> None:
    http = client(staff)
    before = row(http).session_data
    assert http.get(JOBS).status_code == 200
    assert row(http).session_data == before


def test_it_ends_by_its_age_however_much_it_is_used(staff: User) -> None:
    http = client(staff)
    words = http.session
    words[session.SINCE] -= (AGE - timedelta(minutes=5)).total_seconds()
    words[session.SEEN] -= 120
    words.save()
    assert http.get(JOBS).status_code == 200
    assert near(row(http).expire_date, timezone.now() + timedelta(minutes=5))


def test_the_limits_are_settings(staff: User, settings_of: Any) -> None:
    settings_of(STAFF_IDLE=timedelta(minutes=3), STAFF_AGE=timedelta(hours=1))
    assert near(row(client(staff)).expire_date, timezone.now() + timedelta(minutes=3))


def test_one_that_only_sets_up_a_factor_ends_soon(staff: User) -> None:
    http = browser()
    http.force_login(staff)
    words = http.session
    session.enrol(words, timezone.now())
    words.save()
    assert near(row(http).expire_date, timezone.now() + session.ENROLLING_LASTS)


def test_signing_in_changes_its_key(staff: User) -> None:
    http = browser()
    http.force_login(staff)
    before = http.session.session_key
    words = http.session
    session.begin(words, timezone.now())
    words.save()
    assert words.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_the_cookie_is_no_token_of_the_api(staff: User) -> None:
    token = client(staff).cookies["sessionid"].value
    with pytest.raises(SessionEnded):
        authentication.signed_in(token)
    answer = browser().get("/v1/me/holdings", headers={"X-Session-Token": token})
    assert answer.status_code == 401
    assert near(Session.objects.get(session_key=token).expire_date, timezone.now() + IDLE)


def test_a_token_of_the_app_is_no_cookie_of_the_admin(staff: User) -> None:
    http = client(staff, proved=None)
    token = http.cookies["sessionid"].value
    assert authentication.signed_in(token)[0].pk == staff.pk
    assert http.get(JOBS)["Location"].startswith("/admin/login/")


def test_whoever_leaves_staff_is_out_at_once(staff: User) -> None:
    http = client(staff)
    assert http.get(JOBS).status_code == 200
    User.objects.filter(pk=staff.pk).update(is_staff=False)
    assert http.get(JOBS)["Location"].startswith("/admin/login/")


def test_signing_out_ends_it(staff: User) -> None:
    http = client(staff)
    token = http.cookies["sessionid"].value
    assert http.post("/admin/logout/").status_code == 200
    assert not Session.objects.filter(session_key=token).exists()
