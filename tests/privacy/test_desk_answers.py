"""An answer does what the person could have done, tells them, leaves its receipt; or nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from privacy import claims, consent, erasure, ledgerstore, restore
from privacy.desk import answers, cases, letters, post, verbs
from privacy.desk.answers import Answer, Ending
from privacy.desk.errors import (
    AddressRefused,
    CaseTaken,
    ExtendedAlready,
    IdentityOpen,
    MailAway,
    RegionMissing,
    WordsMissing,
)
from privacy.desk.letters import TEXTS, Template
from privacy.desk.verbs import Choice
from privacy.errors import (
    ConsentMissing,
    ConsentOutdated,
    LedgerDown,
    OwnerErased,
    StorageDown,
)
from privacy.models import AuditEvent, Case, Consent, Erasure, Export, FaceClaim
from privacy.parts import Scope
from tests.portraits.making import consenting, now, set_with_photo, sign
from tests.privacy import mailserver
from tests.privacy.desking import (
    WORDS,
    Kind,
    address,
    asked,
    fresh,
    letter,
    noted,
    officer,
    seen,
    taken,
    whose,
)

FOUND = "We have looked, {really}, and found nothing."
DO = Answer(Ending.DO)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture(autouse=True)
def server(settings_of: Any) -> Iterator[mailserver.MailServer]:
    with mailserver.running(settings_of) as running:
        yield running


def finished(case: Case, answer: Answer = DO) -> Case:
    return answers.finish(case.pk, taken(case), answer, now())


def crashing(*args: object, **more: object) -> None:
    raise SystemExit


def is_closed_as(case: Case, outcome: str) -> bool:
    row = seen(case)
    return (row.state, row.outcome) == ("closed", outcome) and row.closed_at is not None


# --- What is done -------------------------------------------------------------------------------


def test_a_copy_is_the_persons_own_export(server: mailserver.MailServer) -> None:
    who = consenting()
    case = finished(asked(Kind.ACCESS, who))
    export = Export.objects.get(owner_id=who)
    assert (case.receipt, case.receipt_id) == (Case.Receipt.EXPORT, export.pk)
    assert is_closed_as(case, "done")
    ((to, raw),) = server.mails
    assert to == address(who)
    subject, body = letter(raw)
    assert subject == "Your copy is being prepared"
    assert f"/v1/requests/{case.pk}" in body


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.BIOMETRIC])
def test_a_deletion_is_an_erasure_and_its_receipt_is_attached(
    server: mailserver.MailServer, scope: str
) -> None:
    who = consenting()
    to = address(who)
    case = finished(asked(Kind.DELETION, who), Answer(Ending.DO, choice=Choice(scope)))
    begun = Erasure.objects.get(subject_id=who)
    assert begun.scope == scope
    assert (case.receipt, case.receipt_id) == (Case.Receipt.ERASURE, begun.pk)
    assert is_closed_as(case, "done")
    assert [one for one, _ in server.mails] == [to]


def test_whoever_is_erased_is_told_before_the_address_goes(
    server: mailserver.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    request = erasure.request

    def asking(*args: Any, **more: Any) -> Any:
        told.append(len(server.mails))
        return request(*args, **more)

    monkeypatch.setattr(erasure, "request", asking)
    finished(asked(Kind.DELETION))
    assert told == [1]


def test_a_correction_moves_the_region_and_asks_for_that_regions_consent() -> None:
    who = consenting()
    case = finished(asked(Kind.CORRECTION, who), Answer(Ending.DO, choice=Choice(region="us_il")))
    assert User.objects.get(pk=who).region == "us_il"
    assert (case.receipt, case.receipt_id) == ("", None)
    with pytest.raises(ConsentOutdated):
        consent.require(who, now())
    assert AuditEvent.objects.filter(
        subject_id=who, verb=AuditEvent.Verb.CORRECTED, reason=AuditEvent.Reason.STAFF
    ).exists()


def test_a_correction_says_what_is_right() -> None:
    case = asked(Kind.CORRECTION)
    with pytest.raises(RegionMissing):
        finished(case)
    assert seen(case).state == Case.State.OPEN


def test_nobody_is_corrected_who_has_left() -> None:
    case = asked(Kind.CORRECTION)
    User.objects.filter(pk=whose(case)).update(is_active=False)
    verbs.VERBS[Kind.CORRECTION](whose(case), case, Choice(region="x"), now(), crashing)
    corrected = AuditEvent.objects.filter(verb=AuditEvent.Verb.CORRECTED)
    assert not corrected.filter(subject_id=whose(case)).exists()


def test_an_objection_takes_every_consent_back() -> None:
    who = consenting()
    set_with_photo(who, keep_hours=5)
    case = finished(asked(Kind.OBJECTION, who))
    back = Consent.objects.filter(subject_id=who, verb=Consent.Verb.WITHDRAWN).order_by("at", "pk")
    assert {entry.document.purpose for entry in back} == set(consent.Purpose.values)
    assert {entry.client for entry in back} == {verbs.CLIENT}
    assert case.receipt_id in {entry.pk for entry in back}
    with pytest.raises(ConsentMissing):
        consent.require(who, now())


def test_an_objection_pressed_again_behind_a_crash_finds_what_it_took_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = asked(Kind.OBJECTION)
    me = taken(case)
    with monkeypatch.context() as crash:
        crash.setattr(cases, "keep_receipt", crashing)
        with pytest.raises(SystemExit):
            answers.finish(case.pk, me, DO, now())
    done = answers.finish(case.pk, me, DO, now())
    back = Consent.objects.get(subject_id=whose(case), verb=Consent.Verb.WITHDRAWN)
    assert done.receipt_id == back.pk


def test_where_nothing_is_processed_nothing_is_stopped() -> None:
    case = noted(Kind.OBJECTION, address(officer()))
    cases.prove(whose(case), case.pk)
    with pytest.raises(ConsentMissing):
        finished(case)
    assert seen(case).state == Case.State.OPEN


def test_a_face_claim_is_answered_with_what_was_found(server: mailserver.MailServer) -> None:
    contact = fresh()
    claim = claims.receive(contact, WORDS, "de", now())
    again = claims.receive(contact, WORDS, "de", now())
    case = Case.objects.get(claim_id=claim.pk)
    finished(case, Answer(Ending.DO, FOUND))
    states = FaceClaim.objects.filter(pk__in=(claim.pk, again.pk)).values_list("state", flat=True)
    assert set(states) == {"closed"}
    assert is_closed_as(Case.objects.get(claim_id=again.pk), "done")
    assert seen(case).sender is None
    ((to, raw),) = server.mails
    subject, body = letter(raw)
    assert (to, subject) == (contact, "Deine Meldung über dein Gesicht")
    assert FOUND in " ".join(body.split())


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.DELETION, Kind.CORRECTION, Kind.OBJECTION])
@pytest.mark.parametrize("anonymous", [True, False])
def test_nothing_is_done_for_whom_nobody_has_proven_to_be_it(kind: Kind, anonymous: bool) -> None:
    contact = fresh()
    case = noted(kind, contact=contact) if anonymous else asked(kind, proven=False)
    with pytest.raises(IdentityOpen, match="never take a copy of a document"):
        finished(case)
    assert seen(case).state == Case.State.OPEN
    assert anonymous or not Export.objects.filter(owner_id=whose(case)).exists()


# --- How else it ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "outcome", "mails"),
    [
        (Ending.NOTHING, "nothing", 1),
        (Ending.REFUSE, "refused", 1),
        (Ending.TAKEN_BACK, "taken_back", 0),
        (Ending.UNREACHABLE, "unreachable", 0),
    ],
)
def test_it_ends_without_anything_done(
    server: mailserver.MailServer, ending: Ending, outcome: str, mails: int
) -> None:
    case = asked(Kind.DELETION, proven=False)
    assert is_closed_as(finished(case, Answer(ending, FOUND)), outcome)
    assert len(server.mails) == mails
    assert not Erasure.objects.filter(subject_id=whose(case)).exists()


@pytest.mark.parametrize(
    ("kind", "ending"),
    [(Kind.FACE, Ending.DO), (Kind.ABUSE, Ending.DO), (Kind.ACCESS, Ending.REFUSE)],
)
def test_an_answer_without_what_was_found_is_none(kind: Kind, ending: Ending) -> None:
    case = noted(kind, contact=fresh())
    with pytest.raises(WordsMissing):
        finished(case, Answer(ending))


def test_a_second_officer_ends_nothing(server: mailserver.MailServer) -> None:
    case = asked(Kind.DELETION)
    taken(case)
    with pytest.raises(CaseTaken):
        answers.finish(case.pk, officer(), DO, now())
    assert seen(case).state == Case.State.OPEN
    assert server.mails == []
    assert not Erasure.objects.filter(subject_id=whose(case)).exists()


# --- The first answer, and a later date ---------------------------------------------------------


def test_the_first_answer_asks_to_confirm_and_stops_the_first_clock(
    server: mailserver.MailServer,
) -> None:
    case = noted(Kind.DELETION, address(consenting()))
    answers.acknowledge(case.pk, taken(case), now())
    row = seen(case)
    assert row.answered_at is not None
    assert row.identity == Case.Identity.ASKED
    subject, body = letter(server.mails[0][1])
    assert subject == "Bitte bestätige deine Anfrage"
    assert f"{row.due_at:%Y-%m-%d}" in body
    entry = row.entries.get(sort="answer")
    assert entry.template == Template.CONFIRM


def test_who_has_proven_it_is_not_asked_again(server: mailserver.MailServer) -> None:
    case = asked(Kind.ACCESS)
    answers.acknowledge(case.pk, taken(case), now())
    assert seen(case).identity == Case.Identity.PROVEN
    assert letter(server.mails[0][1])[0] == "We have your request"


def test_the_claims_own_clock_stops_at_the_first_answer() -> None:
    claim = claims.receive(fresh(), WORDS, "en", now())
    case = Case.objects.get(claim_id=claim.pk)
    answers.acknowledge(case.pk, taken(case), now())
    assert FaceClaim.objects.get(pk=claim.pk).state == FaceClaim.State.CLOSED
    assert seen(case).state == Case.State.OPEN


def test_a_date_is_moved_once_with_its_reason(server: mailserver.MailServer) -> None:
    case = asked(Kind.ACCESS)
    me = taken(case)
    with pytest.raises(WordsMissing):
        answers.extend(case.pk, me, "", now())
    end = answers.extend(case.pk, me, FOUND, now())
    assert seen(case).due_at == end == case.due_at + timedelta(days=60)
    body = letter(server.mails[0][1])[1]
    assert FOUND in " ".join(body.split())
    assert f"{end:%Y-%m-%d}" in body
    with pytest.raises(ExtendedAlready):
        answers.extend(case.pk, me, FOUND, now())


def test_a_date_that_has_passed_is_not_moved() -> None:
    case = asked(Kind.ACCESS)
    me = taken(case)
    with pytest.raises(ExtendedAlready):
        answers.extend(case.pk, me, FOUND, case.due_at)


# --- When the mail does not go ------------------------------------------------------------------


@pytest.mark.parametrize("ending", [Ending.REFUSE, Ending.NOTHING, Ending.DO])
def test_a_mail_server_that_is_away_leaves_everything_as_it_was(
    settings_of: Any, ending: Ending
) -> None:
    case = asked(Kind.DELETION)
    me = taken(case)
    settings_of(EMAIL_PORT=1)
    with pytest.raises(MailAway) as away:
        answers.finish(case.pk, me, Answer(ending, FOUND), now())
    assert away.value.__cause__ is None
    row = seen(case)
    assert (row.state, row.answered_at, row.entries.count()) == ("open", None, 1)
    assert not Erasure.objects.filter(subject_id=whose(case)).exists()


@pytest.mark.parametrize(("code", "error"), [(450, MailAway), (550, AddressRefused)])
def test_an_address_that_is_refused_is_told_from_one_that_is_busy(
    server: mailserver.MailServer, code: int, error: type[Exception]
) -> None:
    case = asked(Kind.ACCESS)
    server.refused[address(whose(case))] = code
    with pytest.raises(error):
        answers.acknowledge(case.pk, taken(case), now())
    assert seen(case).answered_at is None


def test_whoever_has_left_meanwhile_is_closed_without_a_letter(
    server: mailserver.MailServer,
) -> None:
    case = asked(Kind.ACCESS)
    me = taken(case)
    erasure.request(whose(case), now())
    with pytest.raises(OwnerErased):
        answers.finish(case.pk, me, DO, now())
    with pytest.raises(OwnerErased):
        answers.acknowledge(case.pk, me, now())
    assert is_closed_as(
        answers.finish(case.pk, me, Answer(Ending.UNREACHABLE), now()), "unreachable"
    )
    assert server.mails == []


def test_nobody_is_written_to_where_there_is_no_address() -> None:
    gone = noted(Kind.ABUSE, contact=fresh())
    gone.entries.all().delete()
    assert post.address(gone, now()) is None
    with pytest.raises(AddressRefused):
        post.send(gone, Template.RECEIVED, "", now())
    contact = fresh()
    claim = claims.receive(contact, WORDS, "en", now())
    case = Case.objects.get(claim_id=claim.pk)
    assert post.address(case, now()) == contact
    assert post.address(case, claim.expires_at) is None
    shut = asked(Kind.ACCESS)
    User.objects.filter(pk=whose(shut)).update(is_active=False)
    assert post.address(shut, now()) is None


def test_a_ledger_that_is_away_erases_nothing_and_nobody_is_told_that_it_did(
    monkeypatch: pytest.MonkeyPatch, server: mailserver.MailServer
) -> None:
    case = asked(Kind.DELETION)
    me = taken(case)

    def away(*args: Any, **more: Any) -> None:
        raise StorageDown

    with monkeypatch.context() as down:
        down.setattr("privacy.ledgerstore.put", away)
        with pytest.raises(LedgerDown):
            answers.finish(case.pk, me, DO, now())
    row = seen(case)
    assert (row.state, row.answered_at, row.entries.count()) == ("open", None, 1)
    assert server.mails == []
    assert is_closed_as(answers.finish(case.pk, me, DO, now()), "done")
    assert len(server.mails) == 1


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.BIOMETRIC])
def test_a_deletion_that_breaks_off_behind_its_letter_is_pressed_again_and_told_once(
    monkeypatch: pytest.MonkeyPatch, server: mailserver.MailServer, scope: str
) -> None:
    case = asked(Kind.DELETION)
    me, answer = taken(case), Answer(Ending.DO, choice=Choice(scope))
    with monkeypatch.context() as crash:
        for verb in ("request", "request_part"):
            crash.setattr(erasure, verb, crashing)
        with pytest.raises(SystemExit):
            answers.finish(case.pk, me, answer, now())
    assert seen(case).state == Case.State.OPEN
    done = answers.finish(case.pk, me, answer, now())
    assert is_closed_as(done, "done")
    assert done.receipt_id == Erasure.objects.get(subject_id=whose(case)).pk
    assert [letter(raw)[0] for _, raw in server.mails] == ["We are deleting it"]


def test_a_deletion_pressed_again_behind_the_erasure_is_closed_with_its_receipt(
    monkeypatch: pytest.MonkeyPatch, server: mailserver.MailServer
) -> None:
    case = asked(Kind.DELETION)
    me = taken(case)
    with monkeypatch.context() as crash:
        crash.setattr(cases, "keep_receipt", crashing)
        with pytest.raises(SystemExit):
            answers.finish(case.pk, me, DO, now())
    begun = Erasure.objects.get(subject_id=whose(case))
    done = answers.finish(case.pk, me, DO, now())
    assert is_closed_as(done, "done")
    assert done.receipt_id == begun.pk
    assert len(server.mails) == 1


def test_a_letter_that_does_not_go_takes_the_line_of_the_ledger_back(settings_of: Any) -> None:
    case = asked(Kind.DELETION)
    me = taken(case)
    settings_of(EMAIL_PORT=1)
    before = set(ledgerstore.names(restore.INTENTS))
    with pytest.raises(MailAway):
        answers.finish(case.pk, me, DO, now())
    assert set(ledgerstore.names(restore.INTENTS)) <= before


# --- The words ----------------------------------------------------------------------------------


@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_letter_is_whole_in_both_languages(template: Template, language: str) -> None:
    facts = {"case": "NUMBER", "day": "2026-12-01", "words": "{braces} of staff"}
    subject, body = letters.write(template, language, facts)
    assert body.startswith("Hallo" if language == "de" else "Hello")
    assert body.count("NUMBER") == 2
    assert "{braces} of staff" in body
    assert "{" not in (subject + body).replace("{braces}", "")
    text = TEXTS[template]
    assert subject == (text.betreff if language == "de" else text.subject)


def test_both_languages_say_the_same_facts() -> None:
    for template, text in TEXTS.items():
        for fact in ("{day}", "{words}"):
            assert (fact in text.body) is (fact in text.text), template
    assert set(TEXTS) == set(Template)
    assert {kind.value for kind in Kind} <= {template.value for template in Template}


def test_consent_is_needed_again_after_an_objection() -> None:
    who = consenting()
    finished(asked(Kind.OBJECTION, who))
    sign(who)
    assert consent.require(who, now())
