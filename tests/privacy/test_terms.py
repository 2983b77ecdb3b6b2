"""Every term of retention.py is kept: a moment before it a thing is there, at it the thing goes."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction

from accounts.models import Session
from portraits import jobs, painting
from portraits.models import Allowance, Event, Item, Job, Portrait, Report, Style
from privacy import audit, chain, leases, retention, terms, vault
from privacy.models import (
    AuditEvent,
    Blob,
    Case,
    CaseEntry,
    Checkpoint,
    Consent,
    ConsentDocument,
    ConsentEvidence,
    ConsentServing,
    Erasure,
    ErasureRecipient,
    Export,
    ExportPart,
    FaceClaim,
    Lease,
    LedgerLink,
    LegalOrder,
    Notice,
    SignInGrant,
    Verdict,
)
from privacy.retention import TERMS, Kind, Term, term
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    owner,
    person,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.alone import alone

SECOND = timedelta(seconds=1)
# Ended by rooms that hold more than rows: the restore's ledger, keys, accounts (see terms.py).
ELSEWHERE = {Term.RESTORE, Term.FLEET_SEED, Term.ROOT_EPOCH, Term.ACCOUNT}


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_terms"):
        yield


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")
    for model in (Export, ConsentServing, Verdict, Job):
        model.objects.all().delete()


def document() -> ConsentDocument:
    return ConsentDocument.objects.filter(language="en").order_by("pk")[0]


def serving(at: datetime) -> ConsentServing:
    return ConsentServing.objects.create(subject_id=uuid.uuid4(), document=document(), at=at)


def entry(at: datetime) -> Consent:
    return Consent.objects.create(
        subject_id=uuid.uuid4(), document=document(), verb="granted", act="call", client="t", at=at
    )


def evidence(end: datetime) -> ConsentEvidence:
    return ConsentEvidence.objects.create(
        consent=entry(end), key_label="t", enc=b"e", body=b"b", expires_at=end
    )


def event(at: datetime) -> AuditEvent:
    return AuditEvent.objects.create(verb=audit.Verb.BLOB_READ, actor=1, at=at)


def grant(at: datetime) -> SignInGrant:
    return SignInGrant.objects.create(
        subject_id=uuid.uuid4(),
        provider="apple",
        client="app",
        capsule=b"",
        body=b"",
        created_at=at,
        ending_at=at,
    )


def receipt(at: datetime) -> Erasure:
    row = Erasure.objects.create(
        id=uuid.uuid4(), subject_id=uuid.uuid4(), stage="proved", requested_at=at, proved_at=at
    )
    ErasureRecipient.objects.create(erasure=row, name="a", next_at=at)
    return row


def session(end: datetime) -> Session:
    return Session.objects.create(
        session_key=uuid.uuid4().hex, session_data="", expire_date=end, user_id=uuid.uuid4()
    )


def export(end: datetime) -> Export:
    return Export.objects.create(
        owner_id=owner(), requested_at=end - timedelta(hours=24), expires_at=end
    )


def notice(at: datetime) -> Notice:
    return Notice.objects.create(
        subject_id=uuid.uuid4(), sort="account", ends_at=at, days_before=7, sent_at=at
    )


def log_entry(at: datetime) -> LogEntry:
    made = LogEntry.objects.create(
        user_id=person(),
        content_type=ContentType.objects.get_for_model(Erasure),
        object_id="1",
        object_repr="x",
        action_flag=ADDITION,
    )
    LogEntry.objects.filter(pk=made.pk).update(action_time=at)
    return made


def claim(end: datetime) -> FaceClaim:
    return FaceClaim.objects.create(
        language="en", capsule=b"", body=b"", received_at=end, due_at=end, expires_at=end
    )


def verdict(at: datetime) -> Verdict:
    return Verdict.objects.create(run_id=uuid.uuid4(), role="web", outcomes={}, at=at)


def ended_job(at: datetime) -> Job:
    return Job.objects.create(
        owner_id=person(),
        state=Job.State.FAILED,
        body_sha256=b"",
        created_at=at,
        start_by=at,
        ended_at=at,
    )


def told(at: datetime) -> Event:
    return Event.objects.create(
        type=Event.Type.JOB_ENDED, owner_id=person(), object_id=uuid.uuid4(), created_at=at
    )


def reported(at: datetime) -> Report:
    return Report.objects.create(
        owner_id=person(),
        portrait_id=uuid.uuid4(),
        style=Style.objects.order_by("pk")[0],
        reason=Report.Reason.OTHER,
        created_at=at,
        due_at=at,
    )


def closed_case(at: datetime) -> Case:
    return Case.objects.create(
        kind=Case.Kind.ABUSE,
        source=Case.Source.STAFF,
        language="en",
        state=Case.State.CLOSED,
        outcome=Case.Outcome.DONE,
        received_at=at,
        first_due_at=at,
        due_at=at,
        closed_at=at,
    )


def words(end: datetime) -> CaseEntry:
    case = closed_case(now())
    return CaseEntry.objects.create(
        case=case, sort="note", capsule=b"", body=b"", at=end, expires_at=end
    )


def order(at: datetime) -> LegalOrder:
    return LegalOrder.objects.create(
        subject_id=uuid.uuid4(),
        reason="court",
        recipient_sha256=b"",
        first_id=uuid.uuid4(),
        filed_at=at,
    )


# name → how to make one whose end is at a moment, seen from which the term counts back
CASES: dict[str, tuple[Callable[[datetime], Any], Term | None]] = {
    "sessions": (session, None),
    "exports": (export, None),
    "servings": (serving, Term.SERVING),
    "evidence": (evidence, None),
    "consents": (entry, Term.CONSENT),
    "events": (event, Term.AUDIT),
    "receipts": (receipt, Term.RECEIPT),
    "grants": (grant, Term.RECEIPT),
    "notices": (notice, Term.NOTICE),
    "staff_log": (log_entry, Term.STAFF_LOG),
    "face_claims": (claim, None),
    "verdicts": (verdict, Term.VERDICT),
    "jobs": (ended_job, Term.JOB),
    "told": (told, Term.EVENT),
    "reports": (reported, Term.REPORT),
    "case_words": (words, None),
    "cases": (closed_case, Term.CASE),
    "legal_orders": (order, Term.LEGAL_ORDER),
}


def test_every_term_has_somebody_who_enforces_it() -> None:
    assert {ending.term for ending in terms.endings} | ELSEWHERE == set(Term) == set(TERMS)
    names = [ending.name for ending in terms.endings]
    assert len(set(names)) == len(names)
    assert set(names) == set(CASES) | {"links", "mail", "idempotency_keys", "allowances"}


@pytest.mark.parametrize("name", CASES)
def test_a_row_goes_at_its_term_and_not_before(born: Any, name: str) -> None:
    make, counted = CASES[name]
    length = term(counted) if counted else timedelta(0)
    # Behind PostgreSQL's own clock, which the append-only tables ask.
    at = now() - SECOND
    past, young = make(at - length), make(at - length + SECOND)
    born("upkeep")
    before = AuditEvent.objects.filter(verb=audit.Verb.ROWS_ENDED).count()
    assert terms.late(at)[name] == 1
    assert terms.end(at, only=[name]) == 1
    assert terms.late(at)[name] == 0
    assert terms.end(at, only=[name]) == 0
    model = type(past)
    assert not model.objects.filter(pk=past.pk).exists()
    assert model.objects.filter(pk=young.pk).exists()
    noted = AuditEvent.objects.filter(verb=audit.Verb.ROWS_ENDED).order_by("pk")
    assert noted.count() == before + 1
    assert noted.last().reason == audit.Reason.DEADLINE  # type: ignore[union-attr]


def test_what_was_counted_of_a_month_goes_after_two_of_them(born: Any) -> None:
    who, today = person(), now().astimezone(UTC).date()
    ages = (timedelta(0), term(Term.ALLOWANCE) - timedelta(days=1), term(Term.ALLOWANCE))
    for age in ages:
        Allowance.objects.create(owner_id=who, period="month", starts=today - age)
    born("upkeep")
    assert terms.end(now(), only=["allowances"]) == 1
    left = Allowance.objects.filter(owner_id=who).values_list("starts", flat=True)
    assert set(left) == {today - age for age in ages[:2]}


def test_a_batch_after_the_other_ends_whatever_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "BATCH", 7)
    at = now()
    for _ in range(20):
        verdict(at - term(Term.VERDICT))
    assert terms.end(at, only=["verdicts"]) == 20
    counts = AuditEvent.objects.filter(verb=audit.Verb.ROWS_ENDED).order_by("-pk")[:3]
    assert sorted(counts.values_list("count", flat=True)) == [6, 7, 7]


# --- Ledgers ------------------------------------------------------------------------------------


def test_a_clock_that_runs_ahead_of_the_databases_ends_nothing_early() -> None:
    young = entry(now() - term(Term.CONSENT) + timedelta(days=1))
    terms.end(now() + timedelta(days=300), only=["consents", "events", "links"])
    assert Consent.objects.filter(pk=young.pk).exists()


def test_a_consent_waits_for_its_evidence_and_both_go_in_one_run() -> None:
    at = now()
    old = at - term(Term.CONSENT) - SECOND
    longer, both = entry(old), entry(old)
    ends = {longer: at + timedelta(days=1), both: at}
    for row, end in ends.items():
        ConsentEvidence.objects.create(
            consent=row, key_label="t", enc=b"e", body=b"b", expires_at=end
        )
    terms.end(at, only=["evidence", "consents"])
    assert Consent.objects.filter(pk=longer.pk).exists()
    assert not Consent.objects.filter(pk=both.pk).exists()


def test_old_links_go_behind_their_entries_and_the_rest_still_verifies(born: Any) -> None:
    born("upkeep")
    over = term(Term.CONSENT) + timedelta(days=1)
    for age in (over + timedelta(days=20), over + timedelta(days=10), timedelta(days=9)):
        at = now() - age
        entry(at)
        chain.seal(at)
    chain.seal(now())
    mine = LedgerLink.objects.filter(ledger=1)
    assert mine.count() >= 3
    moment = now()
    assert terms.late(moment)["links"] >= 2
    terms.end(moment, only=["consents", "events", "links"])
    assert terms.late(moment)["links"] == 0
    assert not Consent.objects.filter(at__lt=now() - over).exists()
    assert not mine.filter(at__lt=now() - over).exists()
    assert Checkpoint.objects.filter(ledger=1).exists()
    found = [one.what for one in chain.verify(moment) if one.ledger == "consent"]
    assert not {"removed", "gap", "chain", "links", "beginning", "changed"} & set(found)


# --- Exports ------------------------------------------------------------------------------------


def test_an_export_takes_its_parts_and_the_work_on_it_along() -> None:
    at, who = now(), owner()
    made = Export.objects.create(owner_id=who, requested_at=at, expires_at=at + SECOND)
    copy = written(Kind.EXPORT, who, b"a copy", at)
    ExportPart.objects.create(export=made, sort="photo", source_id=uuid.uuid4(), blob=copy)
    ExportPart.objects.create(export=made, sort="signature", source_id=uuid.uuid4())
    leases.open_work("export", made.pk, who)
    assert terms.end(at + SECOND, only=["exports"]) == 1
    assert not ExportPart.objects.filter(export_id=made.pk).exists()
    assert Blob.objects.get(pk=copy.pk).state == Blob.State.SHREDDED
    assert not Lease.objects.filter(work_id=made.pk).exists()


# --- Jobs ---------------------------------------------------------------------------------------


def test_a_job_stays_while_a_portrait_of_it_lives_and_goes_with_its_items() -> None:
    who, painted, at = consenting(), style(), now()
    job = submitted(who, painted, count=2)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), at)
    jobs.cancel(who, job.pk, at)
    end = at + term(Term.JOB)
    assert terms.end(end + SECOND, only=["jobs"]) == 0
    vault.destroy(Blob.objects.filter(owner_id=who))
    Portrait.objects.filter(owner_id=who).delete()
    assert terms.end(end - SECOND, only=["jobs"]) == 0
    assert terms.end(end, only=["jobs"]) == 1
    assert not Item.objects.filter(job_id=job.pk).exists()


def test_an_open_job_never_ends_here() -> None:
    job = submitted(consenting(), style())
    terms.end(now() + timedelta(days=4000), only=["jobs"])
    assert Job.objects.filter(pk=job.pk).exists()


# --- Mail ---------------------------------------------------------------------------------------


def test_mail_leaves_the_local_mailbox_after_a_day(tmp_path: Path, settings_of: Any) -> None:
    settings_of(EMAIL_FILE_PATH=tmp_path)
    at = now()
    for name, age in (("old.log", term(Term.MAIL)), ("new.log", term(Term.MAIL) - SECOND)):
        (tmp_path / name).write_text("a mail")
        moment = (at - age).timestamp()
        os.utime(tmp_path / name, (moment, moment))
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    assert terms.late(at)["mail"] == 1
    assert terms.end(at, only=["mail"]) == 1
    assert [file.name for file in tmp_path.glob("*.log") if file.exists()] == ["new.log"]
    settings_of(EMAIL_FILE_PATH=None)
    assert terms.end(at, only=["mail"]) == 0


# --- Together -----------------------------------------------------------------------------------


def test_one_sort_that_fails_is_named_and_keeps_no_other_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = now()
    stuck, free = serving(at - term(Term.SERVING)), verdict(at - term(Term.VERDICT))

    def broken(now: datetime) -> Any:
        raise DatabaseError("away")

    ours = [
        terms.Rows("servings", Term.SERVING, broken),
        *(ending for ending in terms.endings if ending.name == "verdicts"),
    ]
    with monkeypatch.context() as failing:
        failing.setattr(terms, "endings", ours)
        with pytest.raises(ExceptionGroup) as raised:
            terms.end(at)
    assert [type(error) for error in raised.value.exceptions] == [DatabaseError]
    # The message of an exception is never logged, so whoever looks needs the sort's name.
    [told] = [record for record in caplog.records if record.msg == "not_ended_in_time"]
    assert (told.__dict__["kind"], told.__dict__["error"]) == ("servings", "DatabaseError")
    assert not Verdict.objects.filter(pk=free.pk).exists()
    assert ConsentServing.objects.filter(pk=stuck.pk).exists()
    assert terms.end(at, only=["servings"]) == 1


def test_what_another_upkeep_is_ending_is_left_to_it() -> None:
    at = now()
    verdict(at - term(Term.VERDICT))
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('end verdicts'))")
            taken.set()
            release.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert taken.wait(20)
        assert terms.end(at, only=["verdicts"]) == 0
    finally:
        release.set()
        other.join()
    assert terms.end(at, only=["verdicts"]) == 1


def test_the_grace_of_the_backlog_is_longer_than_the_sweeps_take() -> None:
    from workers.schedule import PERIODS

    assert 4 * timedelta(seconds=PERIODS["expire"][2]) <= retention.BLOB_GRACE
    assert 2 * timedelta(seconds=PERIODS["terms"][2]) <= retention.ROW_GRACE
    assert 2 * timedelta(seconds=PERIODS["accounts"][2]) <= retention.ROW_GRACE
