"""The desk's pages: states, times, a sentence where something is refused, never an address."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from deploy.staff.roles import Role
from privacy import claims, erasure
from privacy.desk import answers, cases, shown
from privacy.models import Case, Erasure, LegalOrder
from tests.portraits.making import consenting, now
from tests.privacy import mailserver
from tests.privacy.desking import (
    WORDS,
    Kind,
    address,
    asked,
    fresh,
    noted,
    officer,
    seen,
    taken,
    whose,
)
from tests.staff.members import client, member

LIST = "/admin/privacy/case/"
ADD = f"{LIST}add/"


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture(autouse=True)
def server(settings_of: Any) -> Iterator[mailserver.MailServer]:
    with mailserver.running(settings_of) as running:
        yield running


@pytest.fixture
def me() -> User:
    """Support staff."""
    return member(Role.SUPPORT)


@pytest.fixture
def browser(me: User) -> Client:
    return client(me)


def page(case: Case) -> str:
    return f"{LIST}{case.pk}/change/"


def act(browser: Client, case: Case, do: str, **more: str) -> str:
    """Press a button of the page; returns what the page then shows."""
    answer = browser.post(f"{LIST}{case.pk}/act/", {"do": do, **more}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def finish(browser: Client, case: Case, **said: str) -> str:
    answer = browser.post(f"{LIST}{case.pk}/finish/", said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- The list -----------------------------------------------------------------------------------


def test_the_list_shows_clocks_and_no_address(browser: Client, me: User) -> None:
    case = noted(Kind.DELETION, address(consenting()))
    taken(case, me.pk)
    body = browser.get(LIST, {"q": str(case.pk)}).content.decode()
    assert str(case.pk)[:8] in body
    assert str(me.pk)[-8:] in body
    assert f"{case.first_due_at:%Y-%m-%d %H:%M}" in body
    assert address(whose(case)) not in body


def test_a_person_is_found_by_exact_address_or_id(browser: Client) -> None:
    who = consenting()
    case = asked(Kind.ACCESS, who)
    for wanted, there in (
        (address(who), True),
        (str(who), True),
        (str(case.pk), True),
        (address(who)[:12], False),
        (address(who)[1:], False),
        ("nothing", False),
    ):
        body = browser.post(LIST, {"q": wanted}, follow=True).content.decode()
        assert (f"/{case.pk}/change/" in body) is there, wanted


def test_a_report_is_found_by_the_number_that_its_sender_was_told(browser: Client) -> None:
    claim = claims.receive(fresh(), WORDS, "en", now())
    case = Case.objects.get(claim_id=claim.pk)
    assert f"/{case.pk}/change/" in browser.get(LIST, {"q": str(claim.pk)}).content.decode()


def test_groups_say_so(browser: Client) -> None:
    contact = fresh()
    first, second = noted(Kind.ABUSE, contact=contact), noted(Kind.ABUSE, contact=contact)
    answers.acknowledge(first.pk, taken(first), now())
    assert "1 more" in browser.get(LIST, {"q": str(first.pk)}).content.decode()
    listed = browser.get(LIST, {"q": str(second.pk)}).content.decode()
    assert "goes with the first" in listed
    assert "answered" in listed
    assert str(second.pk)[:8] in browser.get(page(first)).content.decode()
    assert page(first) in browser.get(page(second)).content.decode()
    assert browser.get(LIST).status_code == 200


# --- One request --------------------------------------------------------------------------------


def test_what_was_written_is_opened_on_demand_once_and_on_record(browser: Client, me: User) -> None:
    case = asked(Kind.ABUSE)
    taken(case, me.pk)
    cases.note(case.pk, me.pk, "My own note.", now())
    cases.note(case.pk, me.pk, "<script>alert(1)</script>", now())
    closed = browser.get(page(case)).content.decode()
    assert "Bitte hilf mir" not in closed
    opened = act(browser, case, "show")
    assert "Bitte hilf mir" in opened
    assert "My own note." in opened
    assert "<script>alert(1)" not in opened
    assert "Bitte hilf mir" not in browser.get(page(case)).content.decode()
    kept = LogEntry.objects.filter(user=me, object_id=str(case.pk))
    assert [row.change_message for row in kept] == ["privacy.open_case"]


def test_a_claims_words_are_shown_and_its_contact_is_not(browser: Client) -> None:
    contact = fresh()
    claim = claims.receive(contact, WORDS, "en", now())
    case = Case.objects.get(claim_id=claim.pk)
    body = act(browser, case, "show")
    assert "Bitte hilf mir" in body
    assert contact not in body


def test_an_erased_persons_words_are_gone_with_a_sentence(browser: Client) -> None:
    case = asked(Kind.ABUSE)
    erasure.request(whose(case), now())
    assert "This was erased and cannot be opened again." in act(browser, case, "show")


def test_the_buttons_do_what_they_say(browser: Client, me: User) -> None:
    case = noted(Kind.ACCESS, address(consenting()))
    assert "It is yours." in act(browser, case, "take")
    assert seen(case).officer_id == me.pk
    assert "Send the first answer" in browser.get(page(case)).content.decode()
    body = act(browser, case, "acknowledge")
    assert "The first answer is sent." in body
    assert "Send it once more" in body
    assert "Send the first answer" not in body
    assert "Noted." in act(browser, case, "note", words="A note.")
    assert "The person was told." in act(browser, case, "extend", words="It is much.")
    assert seen(case).extended_at is not None
    assert "Anybody can take it now." in act(browser, case, "give_back")
    assert seen(case).officer_id is None


def test_a_note_without_words_is_asked_for_them(browser: Client, me: User) -> None:
    case = asked(Kind.ACCESS)
    taken(case, me.pk)
    assert "This field is required." in act(browser, case, "note", words="")
    assert seen(case).entries.count() == 1


def test_every_label_leads_to_a_field_of_its_own(browser: Client, me: User) -> None:
    case = asked(Kind.ABUSE)
    taken(case, me.pk)
    body = browser.get(page(case)).content.decode()
    ids = re.findall(r'<(?:textarea|select|input)[^>]* id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert {"id_words", "id_note_words"} <= set(ids)
    assert {"id_words", "id_note_words"} <= set(re.findall(r'<label for="([^"]+)"', body))


def test_what_was_typed_is_still_there_when_the_letter_cannot_go(
    browser: Client, me: User, settings_of: Any
) -> None:
    case = asked(Kind.ABUSE)
    taken(case, me.pk)
    settings_of(EMAIL_PORT=1)
    body = finish(browser, case, ending="do", words="We have looked at it for long.")
    assert "The mail server does not answer" in body
    assert "We have looked at it for long." in body
    body = act(browser, case, "extend", words="There is much of it.")
    assert "The mail server does not answer" in body
    assert "There is much of it." in body
    assert (seen(case).state, seen(case).extended_at) == (Case.State.OPEN, None)


def test_a_note_on_what_does_not_exist_leads_back_to_the_list(browser: Client) -> None:
    sent = {"do": "note", "words": "A note."}
    answer = browser.post(f"{LIST}{uuid.uuid4()}/act/", sent, follow=True)
    assert "There is no such request." in answer.content.decode()


@pytest.mark.parametrize("sent", [{"do": "nonsense"}, {"do": "take", "instead_of": "nobody"}, {}])
def test_what_no_button_sends_does_nothing(browser: Client, sent: dict[str, str]) -> None:
    case = asked(Kind.ACCESS)
    answer = browser.post(f"{LIST}{case.pk}/act/", sent)
    assert (answer.status_code, answer["Location"]) == (302, page(case))
    assert seen(case).officer_id is None
    assert browser.get(f"{LIST}{case.pk}/finish/").status_code == 302


def test_the_second_of_two_officers_is_told_in_a_sentence(browser: Client) -> None:
    case = asked(Kind.ACCESS)
    first = taken(case)
    body = browser.get(page(case)).content.decode()
    assert "Nothing; a colleague has it." in body
    assert "Take it over" in body
    assert "A colleague has taken this request." in act(browser, case, "take")
    assert "A colleague has taken this request." in finish(browser, case, ending="do")
    assert seen(case).officer_id == first
    assert "It is yours." in act(browser, case, "take", instead_of=str(first))


def test_a_request_is_ended_with_its_receipt_on_the_page(browser: Client, me: User) -> None:
    case = asked(Kind.DELETION)
    taken(case, me.pk)
    assert "This field is required." in finish(browser, case, ending="do")
    body = finish(browser, case, ending="do", scope="account")
    begun = Erasure.objects.get(subject_id=whose(case))
    assert f"/v1/erasures/{begun.pk}" in body
    assert "Nothing; it is closed." in body


def test_who_is_not_proven_is_said_before_and_after(browser: Client, me: User) -> None:
    case = asked(Kind.ACCESS, proven=False)
    taken(case, me.pk)
    assert "has not confirmed yet" in browser.get(page(case)).content.decode()
    assert "never take a copy of a document" in finish(browser, case, ending="do")


def test_a_region_is_corrected(browser: Client, me: User) -> None:
    case = asked(Kind.CORRECTION)
    taken(case, me.pk)
    finish(browser, case, ending="do", region="us_tx")
    assert User.objects.get(pk=whose(case)).region == "us_tx"


@pytest.mark.parametrize("name", [str(uuid.uuid4()), "nonsense"])
def test_what_does_not_exist_leads_back_to_the_list(browser: Client, name: str) -> None:
    answer = browser.get(f"{LIST}{name}/change/")
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    gone = browser.post(f"{LIST}{uuid.uuid4()}/finish/", {"ending": "do"}, follow=True)
    assert "There is no such request." in gone.content.decode()


def test_what_to_do_next_follows_the_case() -> None:
    me = officer()
    case = asked(Kind.ACCESS, proven=False)
    said = [shown.next_step(case, me)]
    taken(case, me)
    said.append(shown.next_step(seen(case), me))
    answers.acknowledge(case.pk, me, now())
    said.append(shown.next_step(seen(case), me))
    cases.prove(whose(case), case.pk)
    said.append(shown.next_step(seen(case), me))
    assert [sentence.split()[0] for sentence in said] == ["Take", "Send", "Wait", "Answer"]
    follower = noted(Kind.ACCESS, address(whose(case)))
    assert shown.next_step(follower, me).startswith("Work on the first")


# --- What came by mail --------------------------------------------------------------------------


def form(**changed: str) -> dict[str, str]:
    today = now().date().isoformat()
    return {
        "kind": "abuse",
        "language": "de",
        "who": "",
        "contact": fresh(),
        "region": "eu_uk",
        "received": today,
        "words": WORDS,
    } | changed


def test_a_letter_is_noted(browser: Client, me: User) -> None:
    assert browser.get(ADD).status_code == 200
    came = (now() - timedelta(days=3)).date().isoformat()
    answer = browser.post(ADD, form(received=came), follow=True)
    assert "Noted. Take it" in answer.content.decode()
    case = Case.objects.get(pk=re.findall(r"case/([0-9a-f-]{36})/", answer.redirect_chain[0][0])[0])
    assert f"{case.received_at:%Y-%m-%d %H:%M}" == f"{came} 00:00"
    assert (case.region, case.entries.get().author_id) == ("eu_uk", me.pk)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"who": "nobody@example.org"}, "No account has this address or id."),
        ({"contact": ""}, "Name the account, or say where to answer."),
        ({"received": "2999-01-01"}, "This day has not come yet."),
        ({"received": "yesterday"}, "Enter a valid date."),
        ({"words": ""}, "This field is required."),
        ({"words": "x" * 2001}, "at most 2000 characters"),
        ({"kind": "gossip"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_answered_is_refused_and_nothing_is_kept(
    browser: Client, change: dict[str, str], says: str
) -> None:
    before = Case.objects.count()
    body = browser.post(ADD, form(**change)).content.decode()
    assert says in body
    assert Case.objects.count() == before


# --- Who may ------------------------------------------------------------------------------------


def test_an_auditor_looks_and_does_nothing() -> None:
    case = asked(Kind.ABUSE)
    http = client(member(Role.AUDITOR))
    body = http.get(page(case)).content.decode()
    assert "Take the request" not in body
    assert "Show what was written" not in body
    for answer in (
        http.get(ADD),
        http.post(page(case), {}),
        http.post(f"{LIST}{case.pk}/act/", {"do": "take"}),
        http.post(f"{LIST}{case.pk}/act/", {"do": "show"}),
        http.post(f"{LIST}{case.pk}/finish/", {"ending": "do"}),
        http.post(f"{LIST}{case.pk}/delete/", {"post": "yes"}),
    ):
        assert answer.status_code == 403
    assert seen(case).officer_id is None


def test_whoever_may_handle_may_not_open_by_that(me: User, browser: Client) -> None:
    case = asked(Kind.ABUSE)
    group = me.groups.get()
    right = group.permissions.get(codename="open_case")
    group.permissions.remove(right)
    try:
        assert browser.post(f"{LIST}{case.pk}/act/", {"do": "show"}).status_code == 403
        assert "It is yours." in act(browser, case, "take")
    finally:
        group.permissions.add(right)


def test_ending_one_takes_a_fresh_proof_and_nothing_was_done_without(me: User) -> None:
    case = asked(Kind.DELETION)
    taken(case, me.pk)
    http = client(me, proved=timedelta(minutes=11))
    answer = http.post(f"{LIST}{case.pk}/finish/", {"ending": "do", "scope": "account"})
    assert answer.status_code == 307
    assert answer["Location"].startswith("/admin/prove/?next=")
    assert answer["Location"].endswith("&what=Answer+and+close")
    assert seen(case).state == Case.State.OPEN
    assert not Erasure.objects.filter(subject_id=whose(case)).exists()


def test_orders_are_listed_without_whom_they_are_about(born: Any) -> None:
    who = consenting()
    order = LegalOrder.objects.create(
        subject_id=who, reason="court", recipient_sha256=b"", first_id=officer(), filed_at=now()
    )
    http = client(member(Role.PRIVACY))
    listed = http.get("/admin/privacy/legalorder/").content.decode()
    shown_alone = http.get(f"/admin/privacy/legalorder/{order.pk}/change/").content.decode()
    assert str(order.first_id) in shown_alone
    assert str(who) not in listed + shown_alone
