"""Staff come in by a password and a code, set the code up first, and guess neither."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from redis import ConnectionError as BrokerAway

from accounts.models import User
from accounts.staff import session
from deploy.staff import signin
from deploy.staff import ticket as tickets
from deploy.staff.roles import Role
from privacy.models import AuditEvent
from tests.staff.members import (
    PASSWORD,
    browser,
    client,
    code,
    codes,
    enrolled,
    field,
    member,
    shown,
)

Verb = AuditEvent.Verb
LOGIN, ENROL, PROVE = "/admin/login/", "/admin/enrol/", "/admin/prove/"
JOBS = "/admin/portraits/job/"


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")
    # Guesses are counted by address, and every test comes from the same one.
    cache.clear()


@pytest.fixture
def staff() -> User:
    return member(Role.SUPPORT)


def password(http: Client, user: User, said: str = PASSWORD, where: str = "") -> Any:
    return http.post(LOGIN, {"email": user.email, "password": said, "next": where})


def second(http: Client, user: User, said: str, where: str = "") -> Any:
    step = password(http, user, where=where)
    assert step.status_code == 200
    return http.post(LOGIN, {"ticket": field(step, "ticket"), "code": said, "next": where})


def events(user: User) -> list[int]:
    rows = AuditEvent.objects.filter(subject_id=user.pk).order_by("at", "pk")
    return list(rows.values_list("verb", flat=True))


def test_the_first_time_they_set_it_up_and_open_nothing_before(staff: User) -> None:
    http = browser()
    led = password(http, staff, where=JOBS)
    assert led.status_code == 302
    assert led["Location"] == f"{ENROL}?next=%2Fadmin%2Fportraits%2Fjob%2F"
    assert http.get(JOBS)["Location"].startswith(LOGIN)
    page = http.get(led["Location"])
    secret = shown(page, "secret")
    assert secret.replace(" ", "") in page.content.decode().partition('id="link"')[0]
    wrong = http.post(ENROL, {"code": "000000"})
    assert (wrong.status_code, shown(wrong, "secret")) == (403, secret)
    assert http.get(JOBS)["Location"].startswith(LOGIN)
    made = http.post(ENROL, {"code": code(secret), "next": JOBS})
    assert len(set(codes(made))) == 10
    assert f'href="{JOBS}"' in made.content.decode()
    assert http.get(JOBS).status_code == 200
    assert "no-store" in made["Cache-Control"]
    assert events(staff) == [Verb.STAFF_ENROLLED]


def test_the_secret_lies_sealed_in_the_session_and_in_its_row(staff: User) -> None:
    http = browser()
    secret = shown(http.get(password(http, staff)["Location"]), "secret").replace(" ", "")
    assert secret not in str(dict(http.session))
    http.post(ENROL, {"code": code(secret)})
    assert secret not in str(dict(http.session))
    for row in Authenticator.objects.filter(user=staff):
        assert secret not in str(row.data)


def test_from_then_on_a_code_is_asked_for_and_lets_them_in(staff: User) -> None:
    secret, _ = enrolled(staff)
    http = browser()
    step = password(http, staff)
    assert "sessionid" not in http.cookies
    assert http.get(JOBS)["Location"].startswith(LOGIN)
    answer = http.post(LOGIN, {"ticket": field(step, "ticket"), "code": code(secret), "next": JOBS})
    assert (answer.status_code, answer["Location"]) == (302, JOBS)
    assert http.get(JOBS).status_code == 200
    assert http.get(LOGIN)["Location"] == "/admin/"
    assert events(staff) == [Verb.STAFF_ENROLLED, Verb.STAFF_SIGNED_IN]
    cookie = http.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["max-age"] == ""


def test_a_recovery_code_lets_them_in_once(staff: User) -> None:
    _, spare = enrolled(staff)
    assert second(browser(), staff, spare[0]).status_code == 302
    assert second(browser(), staff, spare[0]).status_code == 403
    assert second(browser(), staff, spare[1]).status_code == 302


def test_a_code_of_the_app_counts_once(staff: User) -> None:
    secret, _ = enrolled(staff)
    said = code(secret)
    assert second(browser(), staff, said).status_code == 302
    assert second(browser(), staff, said).status_code == 403


@pytest.mark.parametrize("who", ["nobody", "guest", "wrong", "gone"])
def test_whoever_is_not_let_in_is_told_the_same(staff: User, who: str) -> None:
    email, said = staff.email, PASSWORD
    if who == "nobody":
        email = f"nobody.{staff.pk.hex}@example.org"
    elif who == "guest":
        User.objects.filter(pk=staff.pk).update(is_staff=False)
    elif who == "gone":
        User.objects.filter(pk=staff.pk).update(is_active=False)
    else:
        said = "another passphrase"
    http = browser()
    answer = http.post(LOGIN, {"email": email, "password": said})
    assert answer.status_code == 403
    assert signin.WRONG in answer.content.decode()
    assert "sessionid" not in http.cookies
    noted = {"wrong": [Verb.STAFF_REFUSED], "gone": [Verb.STAFF_REFUSED]}
    assert events(staff) == noted.get(who, [])


def test_passwords_are_not_guessed(staff: User) -> None:
    for _ in range(5):
        assert password(browser(), staff, "another passphrase").status_code == 403
    for said in ("another passphrase", PASSWORD):
        answer = password(browser(), staff, said)
        assert answer.status_code == 429
        assert signin.TOO_MANY in answer.content.decode()
    assert events(staff) == [Verb.STAFF_REFUSED] * 5


def test_codes_are_not_guessed_and_none_is_right_beyond_the_limit(staff: User) -> None:
    secret, _ = enrolled(staff)
    for _ in range(5):
        assert second(browser(), staff, "000000").status_code == 403
    assert second(browser(), staff, code(secret)).status_code == 429
    assert events(staff) == [Verb.STAFF_ENROLLED, *[Verb.STAFF_REFUSED] * 5]


def test_nobody_comes_in_while_nothing_counts_the_guesses(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = enrolled(staff)
    http, inside = browser(), client(staff)
    step = password(http, staff)

    def away(*_: Any, **__: Any) -> Any:
        raise BrokerAway

    for name in ("get", "add", "set"):
        monkeypatch.setattr(RedisCache, name, away)
    for answer in (
        password(browser(), staff),
        http.post(LOGIN, {"ticket": field(step, "ticket"), "code": code(secret)}),
        inside.post(PROVE, {"code": code(secret)}),
        inside.post(ENROL, {"code": code(secret)}),
    ):
        assert answer.status_code == 503
        assert answer["Retry-After"]
    assert http.get(JOBS)["Location"].startswith(LOGIN)


def test_a_ticket_ends_and_is_nobody_elses(
    staff: User, settings_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = enrolled(staff)
    http = browser()
    ticket = field(password(http, staff), "ticket")
    for forged in ("", "made-up", ticket[:-2] + "xx"):
        answer = http.post(LOGIN, {"ticket": forged, "code": code(secret)})
        assert answer.status_code == 403
        assert signin.TOO_LATE in answer.content.decode()
    with monkeypatch.context() as later:
        later.setattr(tickets, "SECONDS", -1)
        assert http.post(LOGIN, {"ticket": ticket, "code": code(secret)}).status_code == 403
    staff.set_password("an entirely new passphrase")
    staff.save()
    assert http.post(LOGIN, {"ticket": ticket, "code": code(secret)}).status_code == 403


def test_a_password_alone_does_not_replace_a_factor_that_is_there(staff: User) -> None:
    """Whoever learnt the password began to enrol before the owner did, and goes on after."""
    thief = browser()
    theirs = shown(thief.get(password(thief, staff)["Location"]), "secret")
    enrolled(staff)
    answer = thief.post(ENROL, {"code": code(theirs)})
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert thief.get(JOBS)["Location"].startswith(LOGIN)


def test_a_new_factor_replaces_the_old_one_behind_a_fresh_proof(staff: User) -> None:
    old, spare = enrolled(staff)
    http = client(staff, proved=timedelta(minutes=11))
    led = http.get(ENROL)
    assert led["Location"] == f"{PROVE}?next=%2Fadmin%2Fenrol%2F"
    assert http.post(PROVE, {"code": spare[0], "next": ENROL})["Location"] == ENROL
    secret = shown(http.get(ENROL), "secret")
    made = http.post(ENROL, {"code": code(secret)})
    assert http.get(JOBS).status_code == 200
    cache.clear()
    assert second(browser(), staff, code(old)).status_code == 403
    assert second(browser(), staff, spare[1]).status_code == 403
    assert second(browser(), staff, codes(made)[0]).status_code == 302


def test_a_proof_is_good_for_ten_minutes(staff: User) -> None:
    _, spare = enrolled(staff)
    http = client(staff, proved=timedelta(minutes=11))
    act = {"action": "mark_closed", "index": "0", "_selected_action": [str(uuid.UUID(int=0))]}
    reports = "/admin/portraits/report/"
    led = http.post(f"{reports}?state__exact=open", act)
    where = f"{reports.replace('/', '%2F')}%3Fstate__exact%3Dopen"
    assert led.status_code == 307
    assert led["Location"] == f"{PROVE}?next={where}&what=Mark+as+looked+into"
    assert http.post(PROVE, {"code": "000000"}).status_code == 403
    back = http.post(led["Location"], {"code": spare[0], "next": reports})
    assert back["Location"] == reports
    assert http.post(reports, act)["Location"].startswith(reports)
    assert events(staff)[-1] == Verb.STAFF_REFUSED


@pytest.mark.parametrize(
    "where", ["https://elsewhere.example/", "//elsewhere.example", "/v1/schema", "javascript:x"]
)
def test_nobody_is_led_anywhere_else(staff: User, where: str) -> None:
    secret, _ = enrolled(staff)
    assert second(browser(), staff, code(secret), where)["Location"] == "/admin/"


def test_a_form_of_another_page_is_refused(staff: User) -> None:
    http = browser(enforce_csrf_checks=True)
    for path in (LOGIN, ENROL, PROVE):
        assert http.post(path, {"email": staff.email, "password": PASSWORD}).status_code in (
            302,
            403,
        )
    assert "sessionid" not in http.cookies
    assert session.SINCE not in http.session
