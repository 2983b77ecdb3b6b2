"""The sealed ledgers: whatever is done to an entry, a link or a signature is found and named."""

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.stack.supervisor import Stack
from privacy import audit, chain, heads, ledgercheck, ledgerstore, links, retention, signing
from privacy.audit import Actor, Reason, Verb
from privacy.errors import StorageDown
from privacy.models import (
    AuditEvent,
    Checkpoint,
    Consent,
    ConsentDocument,
    ConsentEvidence,
    Ledger,
    LedgerLink,
    ReceiptKey,
)
from privacy.retention import Term
from tests.figures import figure
from tests.portraits.making import now
from tests.privacy.alone import acting_as, alone, give_grants, superuser

HOUR = timedelta(hours=1)
OLD = retention.term(Term.AUDIT) + timedelta(days=2)


@pytest.fixture(scope="module")
def _alone(stack: Stack) -> Iterator[None]:
    with alone("sitter_chain"):
        give_grants(stack.admin_database_url)
        yield


@pytest.fixture(autouse=True)
def _clean(_alone: None, born: Any, stack: Stack) -> None:
    born("upkeep")
    with superuser(stack.admin_database_url) as admin:
        for model in (ConsentEvidence, Consent, AuditEvent, LedgerLink, Checkpoint):
            admin.execute(f"DELETE FROM {model._meta.db_table}".encode())
    ledgerstore.delete(ledgerstore.names("heads/"))


@pytest.fixture
def tamper(stack: Stack) -> Iterator[Any]:
    """`tamper("UPDATE …", value)`: as a superuser with the triggers off."""
    with superuser(stack.admin_database_url) as admin:
        yield lambda statement, *values: admin.execute(statement.encode(), values)


def events(count: int, at: datetime | None = None) -> list[AuditEvent]:
    moment = at or now()
    return AuditEvent.objects.bulk_create(
        [
            AuditEvent(
                verb=Verb.BLOB_READ,
                actor=Actor.GPU,
                reason=Reason.PAINTING,
                subject_id=uuid.uuid4(),
                object_id=uuid.uuid4(),
                at=moment + timedelta(microseconds=number),
            )
            for number in range(count)
        ]
    )


def consent(at: datetime | None = None, *, evidence: bool = True, known: bool = True) -> Consent:
    moment = at or now()
    enc, body = uuid.uuid4().bytes, uuid.uuid4().bytes
    entry = Consent.objects.create(
        subject_id=uuid.uuid4(),
        document=ConsentDocument.objects.filter(language="en")[0],
        verb=Consent.Verb.GRANTED,
        act=Consent.Act.TYPED_NAME,
        client="tests/1",
        at=moment,
        evidence_sha256=hashlib.sha256(enc + body).digest() if known else None,
    )
    if evidence:
        ConsentEvidence.objects.create(
            consent=entry,
            key_label="2026",
            enc=enc,
            body=body,
            expires_at=moment + retention.term(Term.EVIDENCE),
        )
    return entry


def found(at: datetime | None = None) -> list[str]:
    return [finding.what for finding in chain.verify(at or now())]


def found_later() -> list[str]:
    """Two hours from now, when nothing can be waiting any more."""
    return found(now() + 2 * HOUR)


# --- Sealing ------------------------------------------------------------------------------------


def test_what_is_new_is_linked_and_signed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 4)
    events(10)
    consent()
    assert chain.seal(now()) == 11
    assert chain.seal(now()) == 0
    batches = Checkpoint.objects.filter(ledger=Ledger.AUDIT).order_by("last")
    assert [(row.first, row.last) for row in batches] == [(1, 4), (5, 8), (9, 10)]
    assert found_later() == []


def test_an_empty_ledger_is_intact() -> None:
    assert chain.seal(now()) == 0
    assert found() == []


def test_an_entry_that_commits_late_is_sealed_later() -> None:
    at = now()
    events(1, at)
    chain.seal(now())
    events(1, at - timedelta(minutes=50))
    assert chain.seal(now()) == 1
    assert found_later() == []


def test_after_a_long_stop_all_of_it_is_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between two batches too: the next run goes on where the last commit was."""
    monkeypatch.setattr(chain, "BATCH", 2)
    start = now() - timedelta(days=30)
    for day in range(6):
        events(1, start + timedelta(days=day))
    real, batches = chain._seal_batch, iter([True, False])

    def dies(ledger: Ledger, at: datetime) -> int:
        if ledger is Ledger.AUDIT and not next(batches):
            raise KeyboardInterrupt
        return real(ledger, at)

    monkeypatch.setattr(chain, "_seal_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        chain.seal(now())
    monkeypatch.setattr(chain, "_seal_batch", real)
    assert LedgerLink.objects.count() == 2
    assert chain.seal(now()) == 4
    assert found_later() == []


def test_a_seal_that_dies_before_its_signature_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events(3)

    def dies(statement: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(signing, "sign", dies)
        with pytest.raises(KeyboardInterrupt):
            chain.seal(now())
    assert not LedgerLink.objects.exists()
    assert chain.seal(now()) == 3
    assert found_later() == []


def test_two_sealers_at_once_give_no_number_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 25)
    events(200)
    together = threading.Barrier(4)
    sealed: list[int] = []

    def run() -> None:
        together.wait()
        try:
            sealed.append(chain.seal(now()))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sealed) == 200
    numbers = LedgerLink.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 201))
    assert found_later() == []


def test_the_same_entry_has_another_digest_each_time() -> None:
    entry = {"id": uuid.uuid4(), "client": None}
    assert links.digest(b"a" * 16, entry) != links.digest(b"b" * 16, entry)
    assert links.canonical(entry) == links.canonical({**entry, "a_column_of_tomorrow": None})


VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.uuids(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.datetimes(timezones=st.just(UTC)),
)
ROWS = st.dictionaries(st.sampled_from(["id", "at", "verb", "client"]), VALUES)


@given(ROWS, ROWS)
@settings(max_examples=300, deadline=None)
def test_rows_of_one_shape_that_differ_have_other_bytes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    def kinds(row: dict[str, Any]) -> dict[str, type]:
        return {name: type(value) for name, value in row.items() if value is not None}

    def said(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if value is not None}

    if kinds(one) == kinds(other):
        assert (links.canonical(one) == links.canonical(other)) == (said(one) == said(other))


# --- Tampering ----------------------------------------------------------------------------------


def sealed_ledger() -> list[AuditEvent]:
    """Six events in two batches, sealed three hours ago."""
    made = events(3, now() - 3 * HOUR)
    chain.seal(now() - 3 * HOUR + timedelta(seconds=1))
    made += events(3, now() - 3 * HOUR + timedelta(seconds=2))
    chain.seal(now() - 2 * HOUR)
    assert found() == []
    return made


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("verb", Verb.BLOB_WRITTEN),
        ("actor", Actor.WEB),
        ("reason", Reason.OWNER),
        ("subject_id", uuid.uuid4()),
        ("object_id", uuid.uuid4()),
        ("object_id", None),
        ("count", 2),
        ("at", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_changed_entry_is_found(tamper: Any, column: str, value: Any) -> None:
    made = sealed_ledger()
    entry = made[4].pk
    tamper(f"UPDATE privacy_auditevent SET {column} = %s WHERE id = %s", value, entry)
    (finding,) = chain.verify(now())
    assert (finding.what, finding.ledger, finding.number) == ("changed", "audit", 5)
    assert finding.entry_id == entry
    assert finding.sentence.endswith(".")


@pytest.mark.parametrize(
    "column", ["subject_id", "document_id", "verb", "act", "client", "at", "evidence_sha256"]
)
def test_a_changed_consent_is_found(tamper: Any, column: str) -> None:
    entry = consent(now() - 3 * HOUR)
    chain.seal(now())
    other: dict[str, Any] = {
        "subject_id": uuid.uuid4(),
        "document_id": ConsentDocument.objects.filter(language="de")[0].pk,
        "verb": "withdrawn",
        "act": "call",
        "client": "ios/9",
        "at": now() - 2 * HOUR,
        "evidence_sha256": None,
    }
    tamper(f"UPDATE privacy_consent SET {column} = %s WHERE id = %s", other[column], entry.pk)
    assert found() == ["changed"]


def test_a_removed_entry_is_found(tamper: Any) -> None:
    made = sealed_ledger()
    tamper("DELETE FROM privacy_auditevent WHERE id = %s", made[1].pk)
    (finding,) = chain.verify(now())
    assert (finding.what, finding.number) == ("removed", 2)


def test_a_removed_entry_is_found_although_its_link_is_dated_back(tamper: Any) -> None:
    made = sealed_ledger()
    tamper("DELETE FROM privacy_auditevent WHERE id = %s", made[1].pk)
    tamper("UPDATE privacy_ledgerlink SET at = %s WHERE number = 2", now() - OLD)
    assert found() == ["chain"]


def test_an_entry_that_is_dated_back_is_never_sealed_and_found(tamper: Any) -> None:
    sealed_ledger()
    events(1, now() - 5 * HOUR)
    assert chain.seal(now()) == 0
    assert found() == ["inserted"]


def test_an_entry_of_the_future_waits_and_is_found() -> None:
    sealed_ledger()
    events(1, now() + timedelta(days=300))
    assert chain.seal(now()) == 0
    assert found() == ["ahead"]


def test_a_sealer_that_stands_still_is_found() -> None:
    sealed_ledger()
    events(1, now() - HOUR - timedelta(minutes=5))
    assert found() == ["unsealed"]
    chain.seal(now())
    assert found() == []


def test_reordered_entries_are_found(tamper: Any) -> None:
    sealed_ledger()
    tamper("UPDATE privacy_ledgerlink SET number = 99 WHERE number = 4")
    tamper("UPDATE privacy_ledgerlink SET number = 4 WHERE number = 5")
    tamper("UPDATE privacy_ledgerlink SET number = 5 WHERE number = 99")
    (finding,) = chain.verify(now())
    assert (finding.what, finding.number) == ("chain", 4)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM privacy_ledgerlink WHERE number = 5", {"links", "unsealed"}),
        ("UPDATE privacy_ledgerlink SET digest = sha256('x') WHERE number = 5",
         {"changed", "chain"}),
        ("UPDATE privacy_ledgerlink SET salt = '\\x00' WHERE number = 5", {"changed"}),
        ("UPDATE privacy_checkpoint SET signature = sha256('x') WHERE first = 4", {"signature"}),
        ("UPDATE privacy_checkpoint SET key_label = '1999' WHERE first = 4",
         {"signature", "cut"}),
        ("UPDATE privacy_checkpoint SET at = at + interval '1 s' WHERE first = 1",
         {"signature", "cut"}),
        ("UPDATE privacy_checkpoint SET chain = sha256('x') WHERE first = 1",
         {"signature", "chain", "gap", "cut"}),
        ("UPDATE privacy_checkpoint SET previous = sha256('x') WHERE first = 4",
         {"signature", "chain", "gap", "cut"}),
        ("DELETE FROM privacy_checkpoint WHERE first = 1", {"beginning"}),
        ("DELETE FROM privacy_checkpoint WHERE first = 4", {"links", "cut"}),
        ("DELETE FROM privacy_receiptkey", {"signature", "cut"}),
    ],
)  # fmt: skip
def test_a_broken_chain_or_signature_is_found(tamper: Any, statement: str, words: set[str]) -> None:
    keys = list(ReceiptKey.objects.all())
    sealed_ledger()
    tamper(statement)
    try:
        assert set(found()) == words
    finally:
        ReceiptKey.objects.bulk_create(keys, ignore_conflicts=True)


def test_a_forged_chain_needs_the_key_and_still_misses_the_kept_head(tamper: Any) -> None:
    """Whoever stole the signing key and rewrites everything is contradicted by the bucket."""
    made = sealed_ledger()
    tamper("UPDATE privacy_auditevent SET count = 7 WHERE id = %s", made[0].pk)
    tamper("DELETE FROM privacy_ledgerlink")
    tamper("DELETE FROM privacy_checkpoint")
    assert chain.seal(now()) == 6
    assert set(found()) == {"cut"}


def test_a_ledger_that_was_cut_at_its_end_is_found_and_never_papered_over(tamper: Any) -> None:
    sealed_ledger()
    for table, column in (("ledgerlink", "number"), ("checkpoint", "first")):
        tamper(f"DELETE FROM privacy_{table} WHERE {column} >= 4")
    tamper(
        "DELETE FROM privacy_auditevent e WHERE NOT EXISTS"
        " (SELECT 1 FROM privacy_ledgerlink l WHERE l.entry_id = e.id)"
    )
    assert found() == ["cut"]
    events(3)
    assert chain.seal(now()) == 3
    assert Checkpoint.objects.order_by("-last")[0].last == 6
    assert found() == ["cut"]
    events(1)
    chain.seal(now())
    assert found() == ["cut"]
    assert len(ledgerstore.names("heads/audit/")) == 2


def test_after_a_restore_the_heads_ahead_are_dropped_and_it_is_noted(tamper: Any) -> None:
    sealed_ledger()
    tamper("DELETE FROM privacy_ledgerlink WHERE number >= 4")
    tamper("DELETE FROM privacy_checkpoint WHERE first >= 4")
    assert "cut" in found()
    assert chain.restored(now()) == 1
    assert chain.restored(now()) == 0
    event = AuditEvent.objects.get(verb=Verb.RESTORED)
    assert (event.count, event.reason) == (1, Reason.RESTORE)
    chain.seal(now())
    assert found() == []


def test_heads_that_vanished_or_were_garbled_are_found() -> None:
    sealed_ledger()
    names = ledgerstore.names("heads/audit/")
    ledgerstore.delete(names)
    assert found() == ["head"]
    ledgerstore.put(names[-1], {"statement": {"last": 6}, "signature": "AA=="})
    assert found() == ["cut"]
    ledgerstore.put(names[-1], {})
    assert found() == ["cut"]


def test_a_head_is_read_as_nothing_when_it_goes_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_ledger()
    ghost = f"{heads.prefix(Ledger.AUDIT)}{9:012d}"
    monkeypatch.setattr(ledgerstore, "names", lambda prefix: [ghost])
    assert heads.contradicting(Ledger.AUDIT) == [ghost]


def test_heads_of_batches_that_have_ended_contradict_nothing() -> None:
    for days in (9, 6, 3):
        long_ago(1, days)
    AuditEvent.objects.all().delete()
    assert len(ledgerstore.names("heads/audit/")) == 3
    chain.forget(now())
    assert Checkpoint.objects.count() == 1
    assert found() == []


def test_few_heads_are_kept() -> None:
    for _ in range(6):
        events(1)
        chain.seal(now())
    assert len(ledgerstore.names("heads/audit/")) == heads.KEPT
    assert found() == []


def test_a_bucket_that_is_down_delays_the_copy_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any) -> Any:
        raise StorageDown

    events(2)
    with monkeypatch.context() as patch:
        patch.setattr(ledgerstore, "names", down)
        assert chain.seal(now()) == 2
        seen = chain.examine(now())
        assert seen.skipped == ["heads.consent", "heads.audit"]
    assert found() == ["head"]
    chain.seal(now())
    assert found() == []


# --- Past its term ------------------------------------------------------------------------------


def long_ago(count: int, days_past: float) -> list[AuditEvent]:
    """Events whose term ended so many days ago, sealed at the time."""
    at = now() - retention.term(Term.AUDIT) - timedelta(days=days_past)
    made = events(count, at)
    chain.seal(at + timedelta(minutes=1))
    return made


def test_an_entry_past_its_term_may_be_gone() -> None:
    gone = long_ago(2, 1)
    events(1)
    chain.seal(now())
    AuditEvent.objects.filter(pk__in=[row.pk for row in gone]).delete()
    assert found() == []


def test_links_and_checkpoints_past_their_term_go_and_one_stays_as_anchor(tamper: Any) -> None:
    for days in (9, 6, 3):
        long_ago(2, days)
    for _ in range(2):
        events(2)
        chain.seal(now())
    AuditEvent.objects.filter(at__lt=links.cutoff(Ledger.AUDIT, now())).delete()
    assert found() == []
    assert chain.forget(now()) == 6 + 2
    assert chain.forget(now()) == 0
    assert LedgerLink.objects.count() == 4
    assert Checkpoint.objects.filter(ledger=Ledger.AUDIT).count() == 3
    assert found() == []
    tamper("DELETE FROM privacy_checkpoint WHERE first < 7")
    assert set(found()) == {"beginning"}


def test_an_anchor_that_is_not_signed_is_found(tamper: Any) -> None:
    long_ago(2, 3)
    events(1)
    chain.seal(now())
    tamper("UPDATE privacy_checkpoint SET signature = sha256('x') WHERE first = 1")
    assert found() == ["signature"]


# --- Evidence -----------------------------------------------------------------------------------


def test_evidence_that_was_exchanged_or_removed_is_found(tamper: Any) -> None:
    exchanged, removed, _whole = consent(), consent(), consent()
    chain.seal(now())
    tamper("UPDATE privacy_consentevidence SET body = 'x' WHERE consent_id = %s", exchanged.pk)
    tamper("DELETE FROM privacy_consentevidence WHERE consent_id = %s", removed.pk)
    assert {(f.what, f.entry_id) for f in chain.verify(now())} == {
        ("evidence_changed", exchanged.pk),
        ("evidence_missing", removed.pk),
    }


def test_evidence_past_its_term_and_of_old_rows_is_accepted() -> None:
    consent(now() - OLD, evidence=False)
    consent(known=False)
    chain.seal(now())
    assert found() == []


def test_upkeep_seals_and_examines_and_cannot_see_the_evidence() -> None:
    events(1)
    consent()
    with acting_as("upkeep"):
        assert chain.seal(now()) == 2
        seen = chain.examine(now())
    assert (seen.findings, seen.skipped, seen.entries) == ([], ["evidence"], 2)


def test_the_keeper_sees_the_evidence_and_no_chain() -> None:
    consent()
    chain.seal(now())
    with acting_as("keeper"):
        seen = chain.examine(now())
    assert (seen.findings, seen.skipped) == ([], ["ledger.consent", "ledger.audit"])
    assert seen.entries == 1


# --- The commands -------------------------------------------------------------------------------


def test_a_command_seals_at_once_and_only_as_upkeep(born: Any) -> None:
    events(2)
    said = StringIO()
    call_command("seal_ledgers", stdout=said)
    assert said.getvalue() == "2 entries sealed.\n"
    events(1)
    born("web")
    with pytest.raises(CommandError, match="as upkeep"):
        call_command("seal_ledgers")


def test_the_command_says_intact_and_how_fast() -> None:
    sealed_ledger()
    said = StringIO()
    call_command("verify_ledger", stdout=said)
    assert "6 entries" in said.getvalue()
    assert "intact" in said.getvalue()


def test_the_command_names_what_it_found_and_fails(tamper: Any) -> None:
    made = sealed_ledger()
    tamper("UPDATE privacy_auditevent SET count = 2 WHERE id = %s", made[0].pk)
    for options in ((), ("--json",)):
        said = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("verify_ledger", *options, stdout=said)
        assert ended.value.code == 1
        assert "An entry is not what was sealed." in said.getvalue()
    report = json.loads(said.getvalue())
    assert (report["intact"], report["entries"]) == (False, 6)
    assert report["findings"][0]["entry"] == str(made[0].pk)


def test_the_command_says_what_it_could_not_see() -> None:
    sealed_ledger()
    said = StringIO()
    with acting_as("upkeep"):
        call_command("verify_ledger", stdout=said)
    assert "Skipped evidence" in said.getvalue()


def test_who_opened_lists_exactly_what_a_role_opened_in_ten_minutes() -> None:
    start = now() - 5 * HOUR
    minutes = timedelta(minutes=1)
    inside = events(5, start + minutes)
    events(1, start - minutes)
    events(1, start + 10 * minutes)
    other = AuditEvent.objects.create(
        at=start + minutes, verb=Verb.EVIDENCE_OPENED, actor=Actor.KEEPER, reason=Reason.EXPORT
    )
    AuditEvent.objects.create(at=start + minutes, verb=Verb.BLOB_WRITTEN, actor=Actor.GPU)
    window = ("--from", start.isoformat(), "--to", (start + 10 * minutes).isoformat())

    said = StringIO()
    call_command("who_opened", *window, "--role", "gpu", "--json", stdout=said)
    report = json.loads(said.getvalue())
    listed, opened = {row["object"] for row in report["opened"]}, {str(r.object_id) for r in inside}
    figure(
        "L11",
        value=f"{len(opened - listed)} / {len(listed - opened)}",
        n=len(inside),
        holds=listed == opened,
        conditions="manage.py who_opened for ten minutes and one role, among openings before,"
        " behind, by another role, and events that are no opening",
    )
    assert listed == opened
    assert {(row["role"], row["reason"], row["what"]) for row in report["opened"]} == {
        ("gpu", "painting", "blob_read")
    }
    assert report["people"] == 5

    said = StringIO()
    call_command("who_opened", *window, stdout=said)
    assert "6 opened" in said.getvalue()
    assert other.at.isoformat() in said.getvalue()


def test_a_time_without_an_offset_is_utc_and_nonsense_is_refused() -> None:
    from privacy.management.commands.who_opened import moment

    assert moment("2026-11-22T10:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    with pytest.raises(Exception, match="ISO 8601"):
        moment("yesterday")


def test_a_thousand_events_are_one_statement() -> None:
    from django.test.utils import CaptureQueriesContext

    pairs = [(uuid.uuid4(), uuid.uuid4()) for _ in range(1000)]
    with CaptureQueriesContext(connection) as queries:
        audit.record_many(Verb.BLOB_DESTROYED, pairs, reason=Reason.ERASURE)
    assert len([q for q in queries if "INSERT INTO" in q["sql"]]) == 1
    assert AuditEvent.objects.filter(reason=Reason.ERASURE).count() == 1000


def test_pages_cover_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgercheck, "PAGE", 4)
    events(11)
    for _ in range(5):
        consent()
    chain.seal(now())
    assert chain.examine(now()).entries == 11 + 5 + 5
    assert found_later() == []
