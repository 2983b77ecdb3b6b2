"""Purposes are apart, a signature runs out, and taking one back takes back that one."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from portraits import jobs, painting, references
from portraits.models import Job, Photo, ReferenceSet
from privacy import consent, keys
from privacy.errors import ConsentExpired, ConsentMissing, ConsentOutdated
from privacy.models import AuditEvent, Blob, ConsentDocument, Lease
from privacy.plain import Plain
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    person,
    set_with_photo,
    sign,
    sizes,
    style,
    text,
)

GENERATION, KEEPING = consent.Purpose.GENERATION, consent.Purpose.KEEPING


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def stored(who: uuid.UUID) -> int:
    return Blob.objects.filter(owner_id=who, state=Blob.State.STORED).count()


def take_back(who: uuid.UUID, purpose: str) -> None:
    consent.withdraw(who, purpose, "tests/1", now(), erase_portraits=False)


def test_keeping_photos_takes_a_consent_of_its_own() -> None:
    who = consenting()
    with pytest.raises(ConsentMissing, match="reference-keeping") as refused:
        references.create(who, 48, now())
    assert refused.value.field == "keep"
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert not references.create(who, None, now()).keep
    sign(who, KEEPING)
    assert references.create(who, 48, now()).keep


def test_the_consent_to_keeping_opens_no_other_door() -> None:
    who = person()
    sign(who, KEEPING)
    for door in (
        lambda: references.create(who, None, now()),
        lambda: references.create(who, 48, now()),
        lambda: references.add(who, uuid.uuid4(), "front", Plain(b"x"), now()),
        lambda: jobs.submit(who, uuid.uuid4(), [jobs.Order("pencil")], "k", now()),
    ):
        with pytest.raises(ConsentMissing) as refused:
            door()
        assert refused.value.field is None
    assert stored(who) == 0


@pytest.mark.parametrize("purpose", consent.Purpose.values)
def test_a_signature_runs_out_and_can_be_given_anew(born: Any, purpose: str) -> None:
    who, at = person(), now()
    entry = sign(who, purpose)
    assert entry.expires_at is not None
    assert consent.require(who, entry.expires_at - timedelta(seconds=1), purpose) == entry
    with pytest.raises(ConsentExpired) as refused:
        consent.require(who, entry.expires_at, purpose)
    assert refused.value.field == ("keep" if purpose == KEEPING else None)
    later = at + timedelta(days=400)
    born("keeper")
    keys.publish_evidence_key(later.date())
    born("web")
    consent.serve(who, [text(who, purpose)], later)
    again = consent.grant(who, entry.document_id, "Grace", "tests/1", later)
    assert consent.require(who, later, purpose) == again


def test_an_expired_or_outdated_consent_can_still_be_taken_back() -> None:
    who = consenting()
    made = references.create(who, None, now())
    late = now() + timedelta(days=366)
    with pytest.raises(ConsentExpired):
        references.add(who, made.pk, "front", Plain(b"x"), late)
    take_back(who, GENERATION)
    assert not ReferenceSet.objects.filter(owner_id=who).exists()


def test_a_changed_text_of_one_purpose_leaves_the_other_alone() -> None:
    who = consenting()
    old = ConsentDocument.objects.create(
        purpose=KEEPING, language=uuid.uuid4().hex[:5], version=1, sha256="0" * 64,
        text=text(who, KEEPING).text,
    )  # fmt: skip
    consent.serve(who, [old], now())
    consent.grant(who, old.pk, "Grace", "tests/1", now())
    ConsentDocument.objects.filter(pk=old.pk).update(retired_at=now())
    with pytest.raises(ConsentOutdated) as refused:
        references.create(who, 48, now())
    assert refused.value.field == "keep"
    assert references.create(who, None, now())


def test_taking_keeping_back_destroys_kept_sets_at_once_and_nothing_else() -> None:
    who = consenting()
    kept, single = set_with_photo(who, keep_hours=48), set_with_photo(who)
    photo = Photo.objects.get(set=kept)
    take_back(who, KEEPING)
    assert list(ReferenceSet.objects.filter(owner_id=who)) == [single]
    assert stored(who) == 1
    gone = AuditEvent.objects.get(object_id=photo.reference_id, verb=AuditEvent.Verb.BLOB_DESTROYED)
    assert gone.reason == AuditEvent.Reason.WITHDRAWAL
    assert consent.require(who, now(), GENERATION)
    with pytest.raises(ConsentMissing):
        references.create(who, 48, now())


def test_a_photo_of_a_kept_set_that_is_being_checked_goes_too() -> None:
    who = consenting()
    sign(who, KEEPING)
    made = references.create(who, 48, now())
    photo = references.add(who, made.pk, "front", Plain(b"a photo"), now())
    take_back(who, KEEPING)
    assert not Lease.objects.filter(work_id=photo.pk).exists()
    assert stored(who) == 0


def test_a_job_from_a_kept_set_goes_on_and_takes_the_set_along() -> None:
    who, painted = consenting(), style()
    kept = set_with_photo(who, keep_hours=48)
    job, _ = jobs.submit(who, kept.pk, [jobs.Order(painted.slug)], uuid.uuid4().hex, now())
    work = claimed(painted)
    take_back(who, KEEPING)
    kept.refresh_from_db()
    assert (kept.state, kept.keep) == (ReferenceSet.State.IN_USE, False)
    assert painting.finish(work.held, sizes(who), now())
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert not ReferenceSet.objects.filter(owner_id=who).exists()


def test_taking_generation_back_leaves_the_consent_to_keeping_and_nothing_to_keep() -> None:
    who = consenting()
    set_with_photo(who, keep_hours=48)
    take_back(who, GENERATION)
    assert not ReferenceSet.objects.filter(owner_id=who).exists()
    assert stored(who) == 0
    assert consent.require(who, now(), KEEPING)
    with pytest.raises(ConsentMissing):
        references.create(who, 48, now())
