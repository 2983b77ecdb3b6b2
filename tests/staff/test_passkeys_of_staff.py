"""A passkey is a second factor too: made on the page, asked for behind the password."""

import html
import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from deploy.staff import passkeys
from deploy.staff.roles import Role
from privacy.models import AuditEvent
from tests.accounts.authenticator import DOMAIN, PRESENT, Passkey
from tests.staff.members import PASSWORD, browser, client, codes, field, member

Verb = AuditEvent.Verb
LOGIN, ENROL, PROVE = "/admin/login/", "/admin/enrol/", "/admin/prove/"
JOBS = "/admin/portraits/job/"


@pytest.fixture(autouse=True)
def _as_web(born: Any, settings_of: Any) -> None:
    born("web")
    settings_of(PASSKEY_DOMAIN=DOMAIN)
    cache.clear()


@pytest.fixture
def staff() -> User:
    return member(Role.SUPPORT)


@pytest.fixture
def key() -> Passkey:
    return Passkey()


def options(page: Any) -> Any:
    found = re.search(
        r'<script id="passkey-options" type="application/json">(.*?)</script>',
        page.content.decode(),
    )
    return json.loads(html.unescape(found[1])) if found else None


def password(http: Client, user: User) -> Any:
    return http.post(LOGIN, {"email": user.email, "password": PASSWORD})


def enrolled(user: User, key: Passkey) -> list[str]:
    http = browser()
    page = http.get(password(http, user)["Location"])
    made = http.post(ENROL, {"credential": json.dumps(key.make(options(page)))})
    assert made.status_code == 200, made.content
    assert http.get(JOBS).status_code == 200
    return codes(made)


def second(http: Client, user: User, key: Passkey, **lie: Any) -> Any:
    step = password(http, user)
    said = json.dumps(key.sign(options(step), **lie))
    return http.post(LOGIN, {"ticket": field(step, "ticket"), "credential": said})


def test_one_is_made_the_first_time_with_recovery_codes(staff: User, key: Passkey) -> None:
    spare = enrolled(staff, key)
    assert len(spare) == 10
    kinds = Authenticator.objects.filter(user=staff).values_list("type", flat=True)
    assert set(kinds) == {Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES}
    assert second(browser(), staff, key).status_code == 302
    with_code = browser()
    step = password(with_code, staff)
    answer = with_code.post(LOGIN, {"ticket": field(step, "ticket"), "code": spare[0]})
    assert answer.status_code == 302


def test_it_lets_them_in_behind_the_password(staff: User, key: Passkey) -> None:
    enrolled(staff, key)
    http = browser()
    assert second(http, staff, key).status_code == 302
    assert http.get(JOBS).status_code == 200
    heard = AuditEvent.objects.filter(subject_id=staff.pk).order_by("at", "pk")
    assert list(heard.values_list("verb", flat=True)) == [
        Verb.STAFF_ENROLLED,
        Verb.STAFF_SIGNED_IN,
    ]


@pytest.mark.parametrize(
    "lie", [{"origin": "https://elsewhere.example"}, {"domain": "elsewhere.example"}, {"flags": 0}]
)
def test_one_that_lies_does_not(staff: User, key: Passkey, lie: dict[str, Any]) -> None:
    enrolled(staff, key)
    http = browser()
    answer = second(http, staff, key, **lie)
    assert answer.status_code == 403
    assert passkeys.NOT_HERE in answer.content.decode()
    assert http.get(JOBS)["Location"].startswith(LOGIN)
    assert AuditEvent.objects.filter(subject_id=staff.pk, verb=Verb.STAFF_REFUSED).count() == 1


@pytest.mark.parametrize("said", ["{}", "[]", "null", "not json", '"text"', '{"response": 1}'])
def test_what_is_no_passkeys_answer_is_refused(staff: User, key: Passkey, said: str) -> None:
    enrolled(staff, key)
    http = browser()
    ticket = field(password(http, staff), "ticket")
    assert http.post(LOGIN, {"ticket": ticket, "credential": said}).status_code == 403
    fresh = browser()
    page = fresh.get(password(fresh, member(Role.SUPPORT))["Location"])
    assert fresh.post(ENROL, {"credential": said}).status_code == 403
    assert options(page)


def test_an_answer_counts_once(staff: User, key: Passkey) -> None:
    enrolled(staff, key)
    http = browser()
    step = password(http, staff)
    body = {
        "ticket": field(step, "ticket"),
        "credential": json.dumps(key.sign(options(step))),
    }
    assert http.post(LOGIN, body).status_code == 302
    http.post("/admin/logout/")
    assert http.post(LOGIN, body).status_code == 403


def test_somebody_elses_passkey_does_not_count(staff: User, key: Passkey) -> None:
    enrolled(staff, key)
    other, theirs = member(Role.SUPPORT), Passkey()
    enrolled(other, theirs)
    assert second(browser(), staff, theirs).status_code == 403


def test_it_proves_once_more_who_they_are(staff: User, key: Passkey) -> None:
    enrolled(staff, key)
    http = client(staff)
    page = http.get(PROVE)
    said = json.dumps(key.sign(options(page), flags=PRESENT))
    answer = http.post(PROVE, {"credential": said, "next": JOBS})
    assert (answer.status_code, answer["Location"]) == (302, JOBS)


def test_a_second_one_comes_beside_the_first(staff: User, key: Passkey) -> None:
    enrolled(staff, key)
    http, other = client(staff), Passkey()
    page = http.get(ENROL)
    made = http.post(ENROL, {"credential": json.dumps(other.make(options(page)))})
    assert made.status_code == 200
    assert 'id="codes"' not in made.content.decode()
    for one in (key, other):
        assert second(browser(), staff, one).status_code == 302


def test_a_password_alone_adds_none(staff: User, key: Passkey) -> None:
    thief, theirs = browser(), Passkey()
    page = thief.get(password(thief, staff)["Location"])
    enrolled(staff, key)
    answer = thief.post(ENROL, {"credential": json.dumps(theirs.make(options(page)))})
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert second(browser(), staff, theirs).status_code == 403
