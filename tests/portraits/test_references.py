"""Reference sets: how long they live, whom they serve, and what the intake may do to them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from portraits import jobs, painting, references
from portraits.errors import (
    EmptyUpload,
    IntakeBehind,
    ReferencesInUse,
    UnknownReferences,
    UnknownSlot,
    UploadTooLarge,
)
from portraits.models import Job, Photo, ReferenceSet
from portraits.refusals import FACE, FILE, sentence_for
from privacy import leases, sweeps, vault
from privacy.consent import Purpose
from privacy.models import Blob, Lease
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    set_with_photo,
    sign,
    sizes,
    style,
)

FINE = references.Verdict(0.9, (0.2, 0.2, 0.5, 0.5), "")


def sent(who: uuid.UUID, made: ReferenceSet, slot: str = "front") -> Photo:
    return references.add(who, made.pk, slot, Plain(b"a photo"), now())


def taken(photo: Photo) -> leases.Claim:
    """The intake takes this photo."""
    held = leases.claim(references.LEASE, among=[photo.pk])
    assert held is not None
    return held


def cleaned(who: uuid.UUID) -> vault.Draft:
    return vault.draft(Kind.REFERENCE, who, Plain(b"clean"), now())


def test_a_photo_that_could_not_be_checked_in_time_is_not_taken(settings_of: Any) -> None:
    who = consenting()
    made = references.create(who, None, now())
    waiting = Lease.objects.filter(kind=references.LEASE).count()
    settings_of(UPLOAD_QUEUE_LIMIT=waiting + 1)
    sent(who, made)
    with pytest.raises(IntakeBehind) as told:
        sent(who, made, "half_body")
    assert told.value.retry_after > 0
    assert Photo.objects.filter(set=made).count() == 1
    assert Blob.objects.filter(owner_id=who).count() == 1


# --- How long -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "got"), [(None, 24), (1, 1), (24, 24), (168, 168), (169, 168), (9999, 168)]
)
def test_a_set_lives_a_day_or_as_asked_and_seven_days_at_most(asked: int | None, got: int) -> None:
    who = consenting()
    sign(who, Purpose.KEEPING)
    at = now()
    made = references.create(who, asked, at)
    assert made.expires_at == at + timedelta(hours=got)
    assert made.keep is (asked is not None)


def test_a_set_dies_with_its_time() -> None:
    who, at = consenting(), now()
    made = set_with_photo(who, at=at)
    blob = Photo.objects.get(set=made).reference_id
    references.expire(at + timedelta(hours=24) - timedelta(seconds=1))
    assert ReferenceSet.objects.filter(pk=made.pk).exists()
    references.expire(at + timedelta(hours=24))
    assert not ReferenceSet.objects.filter(pk=made.pk).exists()
    assert not Blob.objects.filter(pk__in=[blob], state=Blob.State.STORED).exists()


def test_a_set_past_its_time_cannot_be_found_even_before_it_is_swept() -> None:
    who, at = consenting(), now()
    made = set_with_photo(who, at=at)
    with pytest.raises(UnknownReferences):
        references.find(who, made.pk, at + timedelta(hours=24))


def test_a_set_that_is_kept_serves_further_jobs() -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who, keep_hours=48)
    for number in range(2):
        job, _ = jobs.submit(who, made.pk, [jobs.Order(painted.slug)], f"k{number}", now())
        assert painting.finish(claimed(painted).held, sizes(who), now())
        job.refresh_from_db()
        made.refresh_from_db()
        assert (job.state, made.state) == (Job.State.DONE, ReferenceSet.State.OPEN)


def test_a_set_that_is_kept_dies_when_its_job_ends_too_late() -> None:
    who, painted, at = consenting(), style(), now()
    made = set_with_photo(who, keep_hours=1, at=at)
    jobs.submit(who, made.pk, [jobs.Order(painted.slug)], "k", at)
    assert painting.finish(claimed(painted).held, sizes(who), at + timedelta(hours=1))
    assert not ReferenceSet.objects.filter(pk=made.pk).exists()


# --- Sending ------------------------------------------------------------------------------------


def test_what_cannot_be_a_photo_is_refused_before_a_byte_is_stored() -> None:
    who = consenting()
    made, other = references.create(who, None, now()), set_with_photo(consenting())
    too_long = b"x" * (settings.UPLOAD_MAX_BYTES + 1)
    for set_id, slot, data, error in (
        (made.pk, "nose", b"x", UnknownSlot),
        (made.pk, "front", b"", EmptyUpload),
        (made.pk, "front", too_long, UploadTooLarge),
        (other.pk, "front", b"x", UnknownReferences),
        (uuid.uuid4(), "front", b"x", UnknownReferences),
    ):
        with pytest.raises(error):
            references.add(who, set_id, slot, Plain(data), now())
    assert not Blob.objects.filter(owner_id=who).exists()


def test_sending_again_replaces_the_photo() -> None:
    who = consenting()
    made = references.create(who, None, now())
    first, second = sent(who, made), sent(who, made)
    assert [row.pk for row in Photo.objects.filter(set=made)] == [second.pk]
    assert not Blob.objects.filter(pk__in=[first.upload_id], state=Blob.State.STORED).exists()
    assert not Lease.objects.filter(work_id=first.pk).exists()


def test_a_photo_that_was_replaced_is_not_accepted() -> None:
    who = consenting()
    made = references.create(who, None, now())
    held = taken(sent(who, made))
    sent(who, made)
    assert not references.accept(held, cleaned(who), FINE, [])
    assert not references.refuse(held, "no_face")


def test_a_job_that_took_the_set_during_an_upload_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    real = vault.draft

    def draft(*arguments: object, **options: object) -> vault.Draft:
        got = real(*arguments, **options)  # type: ignore[arg-type]
        jobs.submit(who, made.pk, [jobs.Order(painted.slug)], "k", now())
        return got

    monkeypatch.setattr(vault, "draft", draft)
    with pytest.raises(ReferencesInUse):
        references.add(who, made.pk, "half_body", Plain(b"late"), now())
    assert not Blob.objects.filter(owner_id=who, kind=Kind.UPLOAD, state="stored").exists()
    assert Photo.objects.filter(set=made).count() == 1


# --- The verdict --------------------------------------------------------------------------------


def test_an_accepted_photo_keeps_the_clean_copy_and_loses_the_upload() -> None:
    who = consenting()
    photo = sent(who, references.create(who, None, now()))
    draft = cleaned(who)
    assert references.accept(taken(photo), draft, FINE, [])
    photo.refresh_from_db()
    assert (photo.state, photo.reference_id) == (Photo.State.ACCEPTED, draft.blob_id)
    living = Blob.objects.filter(owner_id=who, state=Blob.State.STORED)
    assert [blob.kind for blob in living] == [Kind.REFERENCE]


def test_a_refused_photo_leaves_nothing_but_its_code() -> None:
    who = consenting()
    photo = sent(who, references.create(who, None, now()))
    assert references.refuse(taken(photo), "several_faces")
    photo.refresh_from_db()
    assert (photo.state, photo.code) == (Photo.State.REFUSED, "several_faces")
    assert not Blob.objects.filter(owner_id=who, state=Blob.State.STORED).exists()


def test_a_photo_is_compared_with_every_photo_of_its_set() -> None:
    who = consenting()
    made = references.create(who, None, now())
    photo, other = sent(who, made), sent(who, made, "half_body")
    assert references.accept(taken(other), cleaned(who), FINE, [])
    held = taken(photo)
    assert not references.accept(held, cleaned(who), FINE, [])
    assert references.accept(held, cleaned(who), FINE, references.others(photo))


def test_a_photo_that_kills_the_intake_three_times_is_refused() -> None:
    who = consenting()
    photo = sent(who, references.create(who, None, now()))
    for _ in range(leases.MAX_ATTEMPTS):
        held = taken(photo)
        Lease.objects.filter(work_id=held.work_id).update(held_until=None)
    assert references.claim(now()) is None
    photo.refresh_from_db()
    assert (photo.state, photo.code) == (Photo.State.REFUSED, "decode_failed")


@pytest.mark.parametrize("swept_first", ["uploads", "sets"])
def test_a_photo_that_nobody_checks_in_time_is_said_to_have_expired(swept_first: str) -> None:
    who = consenting()
    photo = sent(who, references.create(who, None, now()))
    later = now() + timedelta(minutes=10)
    if swept_first == "uploads":
        sweeps.expire(later)
    references.expire(later)
    photo.refresh_from_db()
    assert (photo.state, photo.code) == (Photo.State.EXPIRED, "upload_expired")
    assert not Lease.objects.filter(work_id=photo.pk).exists()
    assert "Send it again" in sentence_for(photo.code)


def test_an_expired_photo_does_not_hold_a_job_back() -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    sent(who, made, "half_body")
    references.expire(now() + timedelta(minutes=11))
    job, new = jobs.submit(who, made.pk, [jobs.Order(painted.slug)], "k", now())
    assert new
    assert len(claimed(painted).photos) == 1
    assert job.references_id == made.pk


def test_every_code_has_its_own_sentence() -> None:
    sentences = {**FILE, **FACE}
    assert len(set(sentences.values())) == len(sentences) == len(FILE) + len(FACE)
    for sentence in sentences.values():
        assert sentence.endswith(".")
        assert len(sentence) > 30
