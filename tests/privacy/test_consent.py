"""The consent ledger: it only grows, hides the name, and stops what it no longer covers."""

import json
import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from portraits import jobs, painting, references
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet
from privacy import consent, crypto, erasure, keys, retention, terms, vault
from privacy.audit import Reason
from privacy.crypto import Context, Recipient
from privacy.errors import (
    BlobGone,
    ConsentMissing,
    ConsentOutdated,
    DocumentUnknown,
    KeyNotHeld,
    OwnerErased,
    PrivacyError,
)
from privacy.models import Blob, Consent, ConsentDocument, ConsentEvidence
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import (
    NAME,
    claimed,
    consenting,
    item_of,
    now,
    person,
    set_with_photo,
    sign,
    sizes,
    style,
    submitted,
    text,
)

PURPOSE = consent.Purpose.GENERATION


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture
def own_text() -> Any:
    """A text in a language of its own, so that retiring it disturbs nobody."""
    text = consent.documents(PURPOSE, "en", "other")[0].text + uuid.uuid4().hex
    made = ConsentDocument.objects.create(
        purpose=PURPOSE, language=uuid.uuid4().hex[:5], version=1, text=text, sha256="0" * 64
    )
    yield made
    ConsentDocument.objects.filter(pk=made.pk).update(retired_at=timezone.now())


# --- The ledger ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE privacy_consent SET verb = 'granted'",
        "DELETE FROM privacy_consent",
        "TRUNCATE privacy_consent CASCADE",
        "UPDATE privacy_auditevent SET verb = 1",
        "DELETE FROM privacy_auditevent",
        "TRUNCATE privacy_auditevent",
        "UPDATE privacy_consentevidence SET key_label = ''",
        "UPDATE privacy_consentdocument SET text = ''",
        "DELETE FROM privacy_consentdocument",
    ],
)
def test_not_even_the_migrator_rewrites_the_ledger(statement: str) -> None:
    consenting()
    before = Consent.objects.count()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Consent.objects.count() == before


def test_each_act_adds_a_line_and_the_newest_counts() -> None:
    who = person()
    for verb in ("granted", "withdrawn", "granted"):
        if verb == "granted":
            sign(who)
            assert consent.require(who, now()).verb == "granted"
        else:
            consent.withdraw(who, PURPOSE, "tests/1", now(), erase_portraits=False)
            with pytest.raises(ConsentMissing):
                consent.require(who, now())
    assert [entry.verb for entry in consent.history(who)] == ["granted", "withdrawn", "granted"]


def test_the_line_says_which_text_when_how_and_by_which_client() -> None:
    who = person()
    document, at = text(who, language="de"), now()
    entry = consent.grant(who, document.pk, NAME, "ios/1.4.2", at)
    row = Consent.objects.get(pk=entry.pk)
    assert (row.subject_id, row.document_id, row.at) == (who, document.pk, at)
    assert (row.act, row.client) == ("typed-name", "ios/1.4.2")


def test_there_is_no_purpose_for_training() -> None:
    assert consent.Purpose.values == ["portrait-generation", "reference-keeping"]


# --- The name -----------------------------------------------------------------------------------


def test_no_table_holds_the_typed_name_in_clear() -> None:
    name = f"Ada {uuid.uuid4().hex}"
    who = person()
    consent.grant(who, text(who).pk, name, "tests/1", now())
    looked_at = 0
    needles = (name, name.encode().hex())
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            # A row as text shows its bytes as hexadecimal digits.
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
            for (row,) in cursor.fetchall():
                looked_at += 1
                assert not any(needle in row for needle in needles), model
    assert looked_at > 50


def test_the_name_opens_for_the_keeper_and_for_nobody_else(born: Any) -> None:
    who = consenting()
    entry = consent.require(who, now())
    kept = ConsentEvidence.objects.get(consent=entry)
    sealed = crypto.stored(bytes(kept.enc), bytes(kept.body))
    place = Context(consent.EVIDENCE_KIND, Recipient.EVIDENCE, who, entry.pk)
    for other in ("web", "intake", "gpu", "upkeep"):
        born(other)
        with pytest.raises(KeyNotHeld):
            keys.evidence_seed(kept.key_label)
    born("keeper")
    seed = keys.evidence_seed(kept.key_label)
    said = json.loads(crypto.unseal(sealed, seed, place).reveal())
    assert said["typed_name"] == NAME


def test_the_evidence_ends_with_its_term(born: Any) -> None:
    who = consenting()
    entry = consent.require(who, now())
    born("upkeep")
    end = ConsentEvidence.objects.get(consent=entry).expires_at
    assert abs(end - now() - retention.term(retention.Term.EVIDENCE)) < timedelta(minutes=1)
    ours = ConsentEvidence.objects.filter(consent=entry)
    terms.end(end - timedelta(seconds=1), only=["evidence"])
    assert ours.exists()
    terms.end(end, only=["evidence"])
    assert not ours.exists()
    assert Consent.objects.filter(pk=entry.pk).exists()


# --- What is refused ----------------------------------------------------------------------------


def test_without_consent_every_door_is_shut_and_nothing_is_stored() -> None:
    """Never given, and withdrawn; tests/api measures it over HTTP."""
    never, withdrawn = person(), consenting()
    made = set_with_photo(withdrawn)
    consent.withdraw(withdrawn, PURPOSE, "tests/1", now(), erase_portraits=True)
    doors, shut = 0, 0
    for who in (never, withdrawn):
        before = Blob.objects.filter(owner_id=who).exclude(state="shredded").count()
        for door in (
            lambda who=who: references.create(who, None, now()),
            lambda who=who: references.add(who, made.pk, "front", Plain(b"x"), now()),
            lambda who=who: jobs.submit(who, made.pk, [jobs.Order("pencil")], "k", now()),
        ):
            doors += 1
            try:
                door()
            except ConsentMissing:
                shut += 1
        after = Blob.objects.filter(owner_id=who).exclude(state="shredded").count()
        assert before == after
    assert shut == doors


def test_a_consent_to_an_older_text_unlocks_nothing(own_text: ConsentDocument) -> None:
    who = person()
    consent.serve(who, [own_text], now())
    consent.grant(who, own_text.pk, NAME, "tests/1", now())
    made = set_with_photo(who)
    ConsentDocument.objects.filter(pk=own_text.pk).update(retired_at=timezone.now())
    for door in (
        lambda: consent.require(who, now()),
        lambda: references.create(who, None, now()),
        lambda: references.add(who, made.pk, "half_body", Plain(b"x"), now()),
        lambda: jobs.submit(who, made.pk, [jobs.Order("pencil")], "k", now()),
    ):
        with pytest.raises(ConsentOutdated):
            door()
    sign(who)
    assert consent.require(who, now())


def test_an_older_or_unknown_text_cannot_be_signed(own_text: ConsentDocument) -> None:
    who = person()
    ConsentDocument.objects.filter(pk=own_text.pk).update(retired_at=timezone.now())
    for document in (own_text.pk, uuid.uuid4()):
        with pytest.raises(DocumentUnknown):
            consent.grant(who, document, NAME, "tests/1", now())
    assert not Consent.objects.filter(subject_id=who).exists()


def test_what_was_not_given_cannot_be_taken_back() -> None:
    who = consenting()
    consent.withdraw(who, PURPOSE, "tests/1", now(), erase_portraits=False)
    with pytest.raises(ConsentMissing):
        consent.withdraw(who, PURPOSE, "tests/1", now(), erase_portraits=False)


def test_two_withdrawals_at_once_take_back_once() -> None:
    """The second one waits for the owner's row, looks again, and finds nothing to take back."""
    who = consenting()
    consent.take_back(who, PURPOSE, "tests/1", now(), erase_portraits=False)
    with pytest.raises(ConsentMissing):
        consent.take_back(who, PURPOSE, "tests/1", now(), erase_portraits=False)
    assert [entry.verb for entry in consent.history(who)] == ["withdrawn", "granted"]


def test_a_consent_does_not_outlive_the_account() -> None:
    who = consenting()
    User.objects.filter(pk=who).delete()
    with pytest.raises(OwnerErased):
        consent.require(who, now())


def test_nobody_signs_after_their_erasure() -> None:
    who = consenting()
    document = text(who)
    erasure.request(who, now())
    with pytest.raises(OwnerErased):
        consent.grant(who, document.pk, NAME, "tests/1", now())
    with pytest.raises(OwnerErased):
        consent.serve(who, [document], now())


# --- Withdrawal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("erase", [True, False])
def test_withdrawing_stops_jobs_and_destroys_photos(born: Any, erase: bool) -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted, count=3)
    finished, running = claimed(painted), claimed(painted)
    assert painting.finish(finished.held, sizes(who), now())
    portrait = Portrait.objects.get(owner_id=who)
    photo = Photo.objects.get(set=job.references_id)
    late = sizes(who)

    consent.withdraw(who, PURPOSE, "tests/1", now(), erase_portraits=erase)

    assert not painting.finish(running.held, late, now())
    assert not painting.progress(running.held, Item.Phase.PAINTING, 50)
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert [item.state for item in job.items.all()] == ["done", "cancelled", "cancelled"]
    assert item_of(running).code == "stopped_by_owner"
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert photo.reference_id is not None
    born("gpu")
    with pytest.raises(BlobGone):
        vault.read(photo.reference_id, now(), why=Reason.OWNER)
    born("web")
    if erase:
        with pytest.raises(BlobGone):
            vault.read(portrait.blob_id, now(), why=Reason.OWNER)
    else:
        assert vault.read(portrait.blob_id, now(), why=Reason.OWNER).reveal()
    assert Portrait.objects.filter(owner_id=who).count() == (0 if erase else 1)


def test_a_photo_that_is_being_checked_is_not_accepted_after_a_withdrawal() -> None:
    who = consenting()
    made = references.create(who, None, now())
    photo = references.add(who, made.pk, "front", Plain(b"a photo"), now())
    taken = references.claim(now())
    while taken is not None and taken[1].pk != photo.pk:
        taken = references.claim(now())
    assert taken is not None
    draft = vault.draft(Kind.REFERENCE, who, Plain(b"clean"), now())
    consent.withdraw(who, PURPOSE, "tests/1", now(), erase_portraits=False)
    verdict = references.Verdict(1.0, None, "")
    assert not references.accept(taken[0], draft, verdict, [])
    vault.discard([draft])
    assert not Blob.objects.filter(owner_id=who, state="stored").exists()


def test_every_refusal_says_a_sentence() -> None:
    for refusal in (ConsentMissing, ConsentOutdated, DocumentUnknown):
        assert issubclass(refusal, PrivacyError)
        assert refusal.code.islower()
        assert str(refusal()).endswith((".", ")."))


def test_a_second_connection_is_refused_too(stack: Any) -> None:
    """The trigger holds for whoever connects, not for Django alone."""
    consenting()
    settings = connection.get_connection_params()
    with psycopg.connect(
        host=settings["host"], port=settings["port"], dbname=settings["dbname"],
        user=settings["user"], password=settings["password"],
    ) as other, pytest.raises(psycopg.errors.RaiseException):  # fmt: skip
        other.execute("DELETE FROM privacy_consent")
