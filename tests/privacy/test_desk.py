"""A request comes in, somebody has it, nobody else acts on it, and it is proven and closed once."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Region, User
from privacy import audit, claims, erasure, retention, terms
from privacy.desk import answers, cases, entries, incoming, law
from privacy.desk.errors import (
    CaseClosed,
    CaseNotTaken,
    CaseTaken,
    CaseUnknown,
    NobodyThere,
)
from privacy.errors import KeyDestroyed, OwnerErased, SealBroken, TooManyRequests
from privacy.models import AuditEvent, Case, CaseEntry, FaceClaim
from privacy.retention import Term
from tests.portraits.making import consenting, now, person
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

CLOSED = answers.Answer(answers.Ending.TAKEN_BACK)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def verbs(case: Case) -> list[int]:
    events = AuditEvent.objects.filter(object_id=case.pk).order_by("at", "pk")
    return list(events.values_list("verb", flat=True))


# --- Coming in ----------------------------------------------------------------------------------


def test_who_is_signed_in_asks_and_the_clocks_of_their_region_run() -> None:
    who = consenting()
    User.objects.filter(pk=who).update(region=Region.US_CA)
    case = asked(Kind.ACCESS, who)
    assert (case.subject_id, case.region, case.source) == (who, "us_ca", Case.Source.API)
    assert case.first_due_at - case.received_at == retention.CASE_ANSWER == timedelta(hours=48)
    assert case.due_at == law.due("us_ca", case.received_at)
    assert verbs(case) == [audit.Verb.CASE_OPENED]


@pytest.mark.parametrize("proven", [True, False])
def test_it_is_proven_by_a_fresh_sign_in_and_by_nothing_else(proven: bool) -> None:
    case = asked(Kind.DELETION, proven=proven)
    assert case.identity == ("proven" if proven else "none")


def test_the_same_asked_again_while_it_is_open_is_the_same() -> None:
    who = consenting()
    first, again = asked(Kind.ACCESS, who, proven=False), asked(Kind.ACCESS, who)
    other = asked(Kind.OBJECTION, who)
    assert first.pk == again.pk != other.pk
    assert again.identity == Case.Identity.PROVEN
    assert again.entries.count() == 2
    answers.finish(first.pk, taken(first), CLOSED, now())
    assert asked(Kind.ACCESS, who).pk != first.pk


def test_two_at_once_are_one() -> None:
    who = consenting()
    made: list[uuid.UUID] = []

    def ask() -> None:
        made.append(asked(Kind.ACCESS, who).pk)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_it_needs_no_words() -> None:
    said = incoming.Asked(Kind.ABUSE, "en")
    case = incoming.from_person(person(), said, now(), proven=False)
    assert not case.entries.exists()


def test_one_person_asks_so_often_in_a_day() -> None:
    who, at = person(), now()
    for _ in range(incoming.PER_PERSON):
        incoming.admit(who, at)
    with pytest.raises(TooManyRequests) as refused:
        incoming.admit(who, at)
    assert (refused.value.retry_after or 0) > 60


@pytest.mark.parametrize("by", ["address", "id", "shouted"])
def test_staff_note_a_letter_of_an_account_that_they_name_exactly(by: str) -> None:
    who = consenting()
    names = {"address": address(who), "id": str(who), "shouted": f" {address(who).upper()} "}
    came = now() - timedelta(days=5)
    case = noted(Kind.ACCESS, names[by], received=came)
    assert (case.subject_id, case.source, case.identity) == (who, Case.Source.STAFF, "none")
    # The account's own region counts, not what staff have guessed.
    assert case.region == User.objects.get(pk=who).region != "us_ca"
    assert case.received_at == came
    assert case.due_at == law.due(case.region, came)


@pytest.mark.parametrize("who", ["nobody@example.org", str(uuid.uuid4()), "not an id"])
def test_a_request_for_a_person_who_does_not_exist_is_refused_and_nothing_is_kept(who: str) -> None:
    before = Case.objects.count(), CaseEntry.objects.count()
    with pytest.raises(NobodyThere, match="Ask which address"):
        noted(Kind.ACCESS, who)
    assert (Case.objects.count(), CaseEntry.objects.count()) == before


def test_whoever_is_shut_out_has_no_account_to_ask_for() -> None:
    who = consenting()
    User.objects.filter(pk=who).update(is_active=False)
    with pytest.raises(NobodyThere):
        noted(Kind.ACCESS, str(who))


def test_letters_of_one_sender_are_one_group_and_the_earliest_date_counts() -> None:
    contact = fresh()
    first = noted(Kind.ABUSE, contact=contact)
    came = now() - timedelta(days=9)
    second = noted(Kind.ABUSE, contact=contact.upper(), received=came)
    third = noted(Kind.ACCESS, contact=contact)
    assert (second.lead_id, third.lead_id) == (first.pk, None)
    assert seen(first).due_at == second.due_at < first.due_at
    assert seen(first).first_due_at == second.first_due_at


def test_a_letter_of_an_account_joins_what_its_owner_asked_in_the_app() -> None:
    who = consenting()
    first = asked(Kind.DELETION, who, proven=False)
    assert noted(Kind.DELETION, str(who)).lead_id == first.pk


def test_a_report_of_a_face_is_a_request_and_the_same_sender_is_a_group() -> None:
    contact = fresh()
    one, two = (claims.receive(contact, WORDS, "de", now()) for _ in range(2))
    first, second = (Case.objects.get(claim_id=claim.pk) for claim in (one, two))
    assert (first.kind, first.language, first.subject_id) == (Kind.FACE, "de", None)
    assert first.first_due_at == one.due_at
    assert second.lead_id == first.pk


def test_what_comes_while_its_group_is_closed_leads_a_new_one() -> None:
    contact = fresh()
    first = noted(Kind.ABUSE, contact=contact)
    me = taken(first)
    joined: list[Case] = []

    def join() -> None:
        joined.append(noted(Kind.ABUSE, contact=contact))
        connection.close()

    with transaction.atomic():
        case = cases.held(first.pk, me)
        thread = threading.Thread(target=join)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive()
        cases.close(case, Case.Outcome.DONE, now())
    thread.join()
    assert (seen(joined[0]).lead_id, seen(joined[0]).state) == (None, Case.State.OPEN)


# --- What is written ----------------------------------------------------------------------------


def test_no_column_holds_what_was_written_or_where_to_answer() -> None:
    secret = fresh()
    case = noted(Kind.ABUSE, contact=secret)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c::text || e::text FROM privacy_case c JOIN privacy_caseentry e"
            " ON e.case_id = c.id WHERE c.id = %s",
            [case.pk],
        )
        (row,) = cursor.fetchone()
    for hidden in (secret, "Zoë"):
        assert hidden not in row
        assert hidden.encode().hex() not in row
    assert secret not in str(case)
    assert str(case.entries.get()) == f"asked of {case.pk}"


def test_opening_it_is_on_record() -> None:
    case = asked(Kind.ACCESS)
    entry = case.entries.get()
    assert entries.open_entry(entry, why=audit.Reason.STAFF) == {"words": WORDS}
    event = AuditEvent.objects.get(object_id=entry.pk)
    assert (event.verb, event.reason) == (audit.Verb.BLOB_READ, audit.Reason.STAFF)
    assert event.subject_id == case.subject_id


def test_what_concerns_an_account_ends_with_it() -> None:
    who = consenting()
    case = asked(Kind.ABUSE, who)
    entry = case.entries.select_related("case").get()
    me = taken(case)
    erasure.request(who, now())
    with pytest.raises(KeyDestroyed):
        entries.open_entry(entry, why=audit.Reason.STAFF)
    with pytest.raises(OwnerErased):
        cases.note(case.pk, me, "too late", now())


def test_it_opens_in_its_own_place_only() -> None:
    one, other = asked(Kind.ACCESS).entries.get(), asked(Kind.ACCESS).entries.get()
    one.capsule, one.body = other.capsule, other.body
    with pytest.raises(SealBroken):
        entries.open_entry(one, why=audit.Reason.STAFF)


# --- Two officers -------------------------------------------------------------------------------


def test_two_officers_on_one_case_and_one_of_them_has_it() -> None:
    case = asked(Kind.ACCESS)
    first, second = officer(), officer()
    cases.take(case.pk, first, now())
    cases.take(case.pk, first, now())
    with pytest.raises(CaseTaken, match="A colleague has taken this request"):
        cases.take(case.pk, second, now())
    with pytest.raises(CaseTaken):
        cases.note(case.pk, second, "mine", now())
    assert seen(case).officer_id == first
    assert seen(case).entries.count() == 1


def test_of_many_at_once_one_has_it() -> None:
    case, refused, won = asked(Kind.ACCESS), [], []

    def take(me: uuid.UUID) -> None:
        try:
            cases.take(case.pk, me, now())
            won.append(me)
        except CaseTaken as error:
            refused.append(error)
        connection.close()

    threads = [threading.Thread(target=take, args=(officer(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 5)
    assert seen(case).officer_id == won[0]


def test_it_is_taken_over_from_whom_one_has_seen_to_have_it() -> None:
    case = asked(Kind.ACCESS)
    first, second, third = taken(case), officer(), officer()
    cases.take(case.pk, second, now(), instead_of=first)
    with pytest.raises(CaseTaken):
        cases.take(case.pk, third, now(), instead_of=first)
    assert seen(case).officer_id == second


def test_whoever_gives_it_back_has_it_no_longer() -> None:
    case = asked(Kind.ACCESS)
    me = taken(case)
    cases.give_back(case.pk, me)
    assert (seen(case).officer_id, seen(case).taken_at) == (None, None)
    with pytest.raises(CaseNotTaken, match="Take the request first"):
        cases.give_back(case.pk, me)


def test_taking_a_duplicate_takes_its_group() -> None:
    contact = fresh()
    first, second = noted(Kind.ABUSE, contact=contact), noted(Kind.ABUSE, contact=contact)
    me = taken(second)
    assert seen(first).officer_id == me
    cases.note(second.pk, me, "of the group", now())
    assert seen(first).entries.filter(sort="note").count() == 1


def test_what_does_not_exist_is_said() -> None:
    for act in (cases.find, lambda pk: cases.take(pk, officer(), now())):
        with pytest.raises(CaseUnknown):
            act(uuid.uuid4())


def test_what_is_closed_stays_closed() -> None:
    case = asked(Kind.ACCESS)
    me = taken(case)
    answers.finish(case.pk, me, CLOSED, now())
    for act in (
        lambda: cases.take(case.pk, me, now()),
        lambda: cases.note(case.pk, me, "more", now()),
        lambda: cases.prove(whose(case), case.pk),
        lambda: answers.finish(case.pk, me, CLOSED, now()),
    ):
        with pytest.raises(CaseClosed):
            act()


# --- Identity -----------------------------------------------------------------------------------


def test_its_own_person_proves_it_and_nobody_else() -> None:
    who = consenting()
    case = noted(Kind.DELETION, str(who))
    with pytest.raises(CaseUnknown):
        cases.prove(consenting(), case.pk)
    assert cases.prove(who, case.pk).identity == Case.Identity.PROVEN
    assert verbs(case)[-1] == audit.Verb.CASE_PROVEN


def test_proving_a_duplicate_proves_its_group() -> None:
    who = consenting()
    first = asked(Kind.DELETION, who, proven=False)
    second = noted(Kind.DELETION, str(who))
    assert cases.prove(who, second.pk).identity == Case.Identity.PROVEN
    assert seen(first).identity == Case.Identity.PROVEN


# --- What PostgreSQL refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"state": "closed"},
        {"state": "closed", "closed_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"outcome": "done"},
        {"officer_id": uuid.uuid4()},
        {"receipt": "export"},
        {"receipt_id": uuid.uuid4()},
    ],
)
def test_no_case_is_half_written(change: dict[str, Any]) -> None:
    case = asked(Kind.ACCESS)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**change)


# --- The clocks ---------------------------------------------------------------------------------


def test_what_nobody_answered_in_time_is_counted() -> None:
    case = noted(Kind.ABUSE, contact=fresh(), received=datetime(2004, 4, 4, tzinfo=UTC))
    before = cases.backlog(case.first_due_at - timedelta(seconds=1))
    assert cases.backlog(case.first_due_at) == {
        "requests_unanswered": before["requests_unanswered"] + 1,
        "requests_overdue": before["requests_overdue"],
    }
    late = cases.backlog(case.due_at)
    assert late["requests_overdue"] == before["requests_overdue"] + 1
    answers.finish(case.pk, taken(case), CLOSED, now())
    assert cases.backlog(case.due_at) == before


def test_it_ends_with_its_terms(born: Any) -> None:
    contact = fresh()
    case, again = noted(Kind.ABUSE, contact=contact), noted(Kind.ABUSE, contact=contact)
    words = case.entries.get()
    closed = datetime(2011, 1, 1, tzinfo=UTC)
    answers.finish(case.pk, taken(case), CLOSED, closed)
    CaseEntry.objects.filter(pk=words.pk).update(expires_at=closed)
    born("upkeep")
    terms.end(closed, only=("case_words",))
    assert not CaseEntry.objects.filter(pk=words.pk).exists()
    end = closed + retention.term(Term.CASE)
    terms.end(end - timedelta(seconds=1), only=("cases",))
    assert Case.objects.filter(pk__in=(case.pk, again.pk)).count() == 2
    terms.end(end, only=("cases",))
    assert not Case.objects.filter(pk__in=(case.pk, again.pk)).exists()


def test_nothing_open_ends_by_its_term(born: Any) -> None:
    case = noted(Kind.ABUSE, contact=fresh(), received=datetime(2004, 4, 5, tzinfo=UTC))
    born("upkeep")
    terms.end(now(), only=("cases",))
    assert seen(case).state == Case.State.OPEN
    assert not FaceClaim.objects.filter(pk=case.pk).exists()
