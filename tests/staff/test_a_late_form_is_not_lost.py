"""A form sent with too old a proof is done only behind a code, and nothing typed is lost."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.core.cache import cache

from accounts.models import User
from deploy.staff import again
from deploy.staff.engines import ActForm
from deploy.staff.roles import Role
from portraits.admin import StyleForm
from portraits.models import Report, Style
from privacy.desk.forms import FinishForm, NewCaseForm, WordsForm
from privacy.models import Case
from tests.portraits.making import now
from tests.privacy import mailserver
from tests.privacy.desking import Kind, asked, letter, seen, taken
from tests.staff.members import PASSWORD, client, code, enrolled, member

REPORTS = "/admin/portraits/report/"
LATE = timedelta(minutes=11)
FOUND = 'We have looked.\r\n\r\n"Nothing" was found; <b>really</b>.'


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")
    cache.clear()


@pytest.fixture
def server(settings_of: Any) -> Iterator[mailserver.MailServer]:
    with mailserver.running(settings_of) as running:
        yield running


@pytest.fixture
def staff() -> User:
    return member(Role.SUPPORT)


def form(answer: Any) -> tuple[str, dict[str, list[str]]]:
    """(where it goes, what is in it) of the form on the page that offers it again."""
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing was done yet." in page
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r'(?s)action="([^"]+)" id="again-form">(.*?)</form>', page)
    assert found, page
    inside: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', found[2]):
        inside.setdefault(html.unescape(name), []).append(html.unescape(value))
    inside.pop("csrfmiddlewaretoken", None)
    return html.unescape(found[1]), inside


def held(answer: Any) -> str:
    """What the page that asks for a code holds."""
    page = answer.content.decode()
    assert "Is it still you?" in page
    found = re.search(r'name="held" value="([^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


def where(answer: Any) -> str:
    """The address of the page that asks, as the browser was sent to it."""
    return str(answer.redirect_chain[-1][0])


def reported() -> Report:
    style = Style.objects.all()[0]
    return Report.objects.create(
        owner_id=member().pk, portrait_id=member().pk, style=style,
        reason=Report.Reason.values[0], created_at=now(), due_at=now(),
    )  # fmt: skip


def test_what_was_chosen_in_a_list_is_done_behind_the_code_with_one_button(staff: User) -> None:
    (secret, _), http = enrolled(staff), client(staff, proved=LATE)
    two = [reported(), reported()]
    chosen = [str(report.pk) for report in two]
    sent = {"action": "mark_closed", "index": "0", "_selected_action": chosen}
    page = http.post(f"{REPORTS}?state__exact=open", sent, follow=True)
    assert not LogEntry.objects.filter(user=staff).exists()
    answer = http.post(where(page), {"code": code(secret), "held": held(page)})
    assert "You are still you" in answer.content.decode()
    assert "Mark as looked into" in answer.content.decode()
    assert not Report.objects.filter(pk__in=chosen, state=Report.State.CLOSED).exists()
    action, inside = form(answer)
    assert (action, inside) == (
        f"{REPORTS}?state__exact=open",
        {"action": ["mark_closed"], "index": ["0"], "_selected_action": chosen},
    )
    done = http.post(action, inside, follow=True)
    assert "Looked into, and closed: 2." in done.content.decode()
    assert Report.objects.filter(pk__in=chosen, state=Report.State.CLOSED).count() == 2
    assert LogEntry.objects.filter(user=staff).count() == 2


def test_what_was_written_to_a_person_is_still_there(
    staff: User, server: mailserver.MailServer
) -> None:
    (secret, _), http = enrolled(staff), client(staff, proved=LATE)
    case = asked(Kind.ABUSE)
    taken(case, staff.pk)
    address = f"/admin/privacy/case/{case.pk}/finish/"
    page = http.post(address, {"ending": "do", "words": FOUND}, follow=True)
    assert seen(case).state == Case.State.OPEN
    wrong = http.post(where(page), {"code": "000000", "held": held(page)})
    assert wrong.status_code == 403
    assert held(wrong) == held(page)
    answer = http.post(where(page), {"code": code(secret), "held": held(wrong)})
    assert "<b>really</b>" not in answer.content.decode()
    assert "Nothing" not in str(dict(http.session))
    action, inside = form(answer)
    assert (action, inside["words"]) == (address, [FOUND])
    assert server.mails == []
    http.post(action, inside)
    assert seen(case).state == Case.State.CLOSED
    ((_, raw),) = server.mails
    assert '"Nothing" was found; <b>really</b>.' in letter(raw)[1]


def test_a_password_that_was_typed_is_held_nowhere(staff: User) -> None:
    enrolled(staff)
    http = client(staff, proved=LATE)
    typed = {"old_password": PASSWORD, "new_password1": "x" * 20, "new_password2": "x" * 20}
    sent = http.post("/admin/password_change/", typed)
    assert sent.status_code == 302
    page = http.get(sent["Location"]).content.decode()
    assert 'name="held"' not in page
    assert "x" * 20 not in page


def test_what_no_page_has_made_is_a_bad_request(staff: User) -> None:
    for said in ("nonsense", "[1]", '{"a": 1}', "null"):
        cache.clear()
        (secret, _), http = enrolled(staff), client(staff, proved=LATE)
        answer = http.post("/admin/prove/", {"code": code(secret), "held": said, "next": "/admin/"})
        assert answer.status_code == 400, said
        Authenticator.objects.filter(user=staff).delete()


def test_nobody_is_led_elsewhere_with_a_form(staff: User) -> None:
    (secret, _), http = enrolled(staff), client(staff, proved=LATE)
    sent = {"code": code(secret), "held": "[]", "next": "https://elsewhere.example/"}
    answer = http.post("/admin/prove/", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_an_answer_cannot_be_taken_for_a_form() -> None:
    case = asked(Kind.DELETION)
    forms = (FinishForm(case), NewCaseForm(), WordsForm(), ActForm(), StyleForm())
    names = {name for each in forms for name in each.fields}
    assert "words" in names
    assert names.isdisjoint({*again.ANSWERS, again.HELD})
