"""Erasing a photo, a portrait, a set or all that shows a face: the account stays, the part goes."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from portraits import gallery, painting, references
from portraits.errors import (
    ReferencesInUse,
    UnknownPhoto,
    UnknownPortrait,
    UnknownReferences,
    UnknownSlot,
)
from portraits.models import Job, Photo, Portrait, ReferenceSet, Rendition
from privacy import consent, erasure, leases, retention, storage, sweeps, vault
from privacy.audit import Reason, Verb
from privacy.errors import BlobGone, ConsentMissing, NotYetGone, OwnerErased
from privacy.models import AuditEvent, Blob, Capsule, Consent, Erasure, Lease, OwnerKey
from privacy.parts import Scope
from privacy.plain import Plain
from privacy.retention import Kind, Term
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    owner,
    person,
    photo_of,
    set_with_photo,
    sign,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.erasing import advance, live_fully, painted_for, proved


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def bodies(who: uuid.UUID, *kinds: Kind) -> list[Blob]:
    return list(Blob.objects.filter(owner_id=who, kind__in=kinds, state=Blob.State.STORED))


# --- One portrait -------------------------------------------------------------------------------


def test_a_portrait_is_unreadable_and_unlisted_with_the_request(born: Any) -> None:
    who = consenting()
    portrait, kept = painted_for(who), painted_for(who)
    blobs = list(portrait.renditions.values_list("blob_id", flat=True))
    begun = gallery.delete(who, portrait.pk, now())
    assert (begun.scope, begun.stage, begun.target_id) == ("portrait", "shredded", portrait.pk)
    assert begun.counts == {"portrait": 1, "rendition": 1}
    assert [row.pk for row in gallery.living(who, now())] == [kept.pk]
    assert not Capsule.objects.filter(pk__in=blobs).exists()
    for blob_id in blobs:
        with pytest.raises(BlobGone):
            vault.read(blob_id, now(), why=Reason.OWNER)


def test_a_portrait_is_gone_when_it_is_proved_and_others_are_not(born: Any) -> None:
    who = consenting()
    portrait, kept = painted_for(who), painted_for(who)
    begun = gallery.delete(who, portrait.pk, now())
    names = begun.names
    assert len(names) == 2
    assert storage.traces_of(names)
    assert advance(born, begun)
    assert not storage.traces_of(names)
    assert not Blob.objects.filter(name__in=names).exists()
    found = proved(begun)
    assert found.names == []
    assert found.receipt is not None
    assert found.receipt["statement"]["scope"] == "portrait"
    born("web")
    assert gallery.open_own(kept.owner_id, kept.pk, "full", now())[1].reveal()
    assert consent.require(who, now())


def test_a_second_request_for_a_portrait_is_the_first_one_for_ever(born: Any) -> None:
    who = consenting()
    portrait = painted_for(who)
    first = gallery.delete(who, portrait.pk, now())
    assert gallery.delete(who, portrait.pk, now()).pk == first.pk
    advance(born, first)
    born("web")
    again = gallery.delete(who, portrait.pk, now())
    assert (again.pk, again.stage) == (first.pk, Erasure.Stage.PROVED)
    assert Lease.objects.filter(work_id=first.pk).count() == 0


def test_who_deleted_what_is_written_down_by_object() -> None:
    who = consenting()
    portrait = painted_for(who)
    blobs = set(portrait.renditions.values_list("blob_id", flat=True))
    begun = gallery.delete(who, portrait.pk, now())
    events = AuditEvent.objects.filter(subject_id=who, reason=Reason.ERASURE)
    destroyed = events.filter(verb=Verb.BLOB_DESTROYED).values_list("object_id", flat=True)
    assert set(destroyed) == blobs
    assert events.get(verb=Verb.ERASURE_REQUESTED).object_id == begun.pk


def test_somebody_elses_portrait_or_none_cannot_be_erased() -> None:
    who, other = consenting(), consenting()
    portrait = painted_for(who)
    for stranger, target in ((other, portrait.pk), (who, uuid.uuid4())):
        with pytest.raises(UnknownPortrait):
            gallery.delete(stranger, target, now())
    later = now() + timedelta(days=31)
    with pytest.raises(UnknownPortrait):
        gallery.delete(who, portrait.pk, later)
    assert not Erasure.objects.filter(subject_id__in=[who, other]).exists()
    assert gallery.open_own(portrait.owner_id, portrait.pk, "full", now())[1].reveal()


# --- One photo, one set -------------------------------------------------------------------------


def test_a_photo_leaves_its_slot_at_once_and_is_proved_gone(born: Any) -> None:
    who = consenting()
    made = set_with_photo(who)
    kept = photo_of(made, who, now(), "half_body")
    begun = references.remove(who, made.pk, "front", now())
    assert (begun.scope, begun.counts) == ("photo", {"reference": 1})
    assert [row.slot for row in Photo.objects.filter(set=made)] == ["half_body"]
    assert advance(born, begun)
    proved(begun)
    assert [blob.pk for blob in bodies(who, Kind.REFERENCE)] == [kept.reference_id]


def test_a_photo_that_is_being_checked_is_taken_from_the_intake(born: Any) -> None:
    who = consenting()
    made = references.create(who, None, now())
    photo = references.add(who, made.pk, "front", Plain(b"a photo"), now())
    held = leases.claim(references.LEASE, among=[photo.pk])
    assert held is not None
    clean = vault.draft(Kind.REFERENCE, who, Plain(b"clean"), now())
    begun = references.remove(who, made.pk, "front", now())
    assert begun.counts == {"upload": 1}
    assert not references.accept(held, clean, references.Verdict(0.9, None, ""), [])
    assert advance(born, begun)
    assert bodies(who, Kind.UPLOAD, Kind.REFERENCE) == []


def test_an_empty_slot_and_one_that_does_not_exist_are_told_apart() -> None:
    who = consenting()
    made = set_with_photo(who)
    with pytest.raises(UnknownPhoto):
        references.remove(who, made.pk, "half_body", now())
    with pytest.raises(UnknownSlot):
        references.remove(who, made.pk, "nose", now())
    with pytest.raises(UnknownReferences):
        references.remove(consenting(), made.pk, "front", now())
    with pytest.raises(UnknownPhoto):
        erasure.request_part(who, Scope.PHOTO, uuid.uuid4(), now())


def test_a_set_goes_with_all_its_photos(born: Any) -> None:
    who = consenting()
    made = set_with_photo(who)
    photo_of(made, who, now(), "half_body")
    begun = references.discard(who, made.pk, now())
    assert (begun.scope, begun.counts) == ("set", {"reference": 2})
    assert not ReferenceSet.objects.filter(pk=made.pk).exists()
    assert references.discard(who, made.pk, now()).pk == begun.pk
    assert advance(born, begun)
    proved(begun)
    assert bodies(who, Kind.REFERENCE) == []
    with pytest.raises(UnknownReferences):
        references.discard(who, uuid.uuid4(), now())


def test_photos_that_serve_an_open_job_stay(born: Any) -> None:
    who, painted = consenting(), style()
    job = submitted(who, painted)
    assert job.references_id is not None
    with pytest.raises(ReferencesInUse):
        references.remove(who, job.references_id, "front", now())
    with pytest.raises(ReferencesInUse):
        references.discard(who, job.references_id, now())
    assert not Erasure.objects.filter(subject_id=who).exists()
    assert len(bodies(who, Kind.REFERENCE)) == 1
    assert painting.finish(claimed(painted).held, sizes(who), now())


# --- All that shows the person ------------------------------------------------------------------


def test_everything_that_shows_the_person_goes_and_the_account_stays(born: Any) -> None:
    who = live_fully()
    written(Kind.EXPORT, who, b"a part of an export")
    lost = erasure.request_part(who, Scope.BIOMETRIC, None, now())
    assert lost.counts == {"reference": 1, "portrait": 1, "rendition": 1, "export": 1}
    assert not Capsule.objects.filter(blob__owner_id=who).exists()
    assert not gallery.living(who, now()).exists()
    with pytest.raises(ConsentMissing):
        consent.require(who, now())
    assert not Job.objects.filter(owner_id=who, state__in=Job.OPEN).exists()
    assert advance(born, lost)
    found = proved(lost)
    assert not Blob.objects.filter(owner_id=who).exists()
    assert not Portrait.objects.filter(owner_id=who).exists()
    assert not Rendition.objects.filter(portrait__owner_id=who).exists()
    assert OwnerKey.objects.get(pk=who).wrapped is not None
    newest = Consent.objects.filter(subject_id=who).order_by("-at", "-pk")[0]
    assert (newest.verb, newest.act) == ("withdrawn", "erasure")
    assert found.receipt is not None
    assert found.receipt["statement"]["scope"] == "biometric"


def test_a_face_that_came_back_is_another_erasure(born: Any) -> None:
    who = live_fully()
    first = erasure.request_part(who, Scope.BIOMETRIC, None, now())
    assert erasure.request_part(who, Scope.BIOMETRIC, None, now()).pk == first.pk
    sign(who)
    made = set_with_photo(who)
    advance(born, first)
    proved(first)
    assert len(bodies(who, Kind.REFERENCE)) == 1
    assert ReferenceSet.objects.filter(pk=made.pk).exists()
    born("web")
    second = erasure.request_part(who, Scope.BIOMETRIC, None, now())
    assert second.pk != first.pk
    assert advance(born, second)
    assert bodies(who, Kind.REFERENCE) == []
    born("web")
    assert erasure.request_part(who, Scope.BIOMETRIC, None, now()).pk == second.pk


def test_who_never_sent_anything_gets_a_receipt_too_and_may_still_begin(born: Any) -> None:
    who = person()
    begun = erasure.request_part(who, Scope.BIOMETRIC, None, now())
    assert advance(born, begun)
    assert proved(begun).counts == {}
    born("web")
    sign(who)
    assert set_with_photo(who)


def test_behind_the_erasure_of_the_account_no_part_can_be_erased(born: Any) -> None:
    who = owner()
    erasure.request(who, now())
    with pytest.raises(OwnerErased):
        erasure.request_part(who, Scope.BIOMETRIC, None, now())


# --- Beside each other --------------------------------------------------------------------------


def test_the_account_goes_while_a_part_is_still_going_and_both_are_proved(born: Any) -> None:
    who = consenting()
    part = gallery.delete(who, painted_for(who).pk, now())
    whole = erasure.request(who, now())
    assert advance(born, whole)
    assert advance(born, part)
    proved(whole)
    proved(part)
    assert not Lease.objects.filter(owner_id=who).exists()


def test_the_reaper_may_be_faster(born: Any) -> None:
    who = consenting()
    begun = gallery.delete(who, painted_for(who).pk, now())
    born("upkeep")
    sweeps.reap()
    assert advance(born, begun)
    proved(begun)


def test_a_part_is_not_proved_while_a_row_or_a_body_of_it_is_left(born: Any) -> None:
    who = consenting()
    begun = gallery.delete(who, painted_for(who).pk, now())
    name = begun.names[0]
    Erasure.objects.filter(pk=begun.pk).update(stage=Erasure.Stage.ROWS)
    with pytest.raises(NotYetGone, match=r"privacy\.Blob, objects by name"):
        advance(born, begun)
    begun.refresh_from_db()
    assert (begun.stage, begun.receipt) == (Erasure.Stage.SHREDDED, None)
    assert advance(born, begun)
    assert not storage.traces(name)


def test_a_replay_keeps_the_id_and_the_time_of_the_request() -> None:
    who, before = consenting(), now() - timedelta(days=2)
    portrait, wanted = painted_for(who), uuid.uuid4()
    made = erasure.request_part(
        who, Scope.PORTRAIT, portrait.pk, now(), erasure_id=wanted, requested_at=before
    )
    same: dict[str, Any] = {"erasure_id": uuid.uuid4(), "requested_at": before}
    again = erasure.request_part(who, Scope.PORTRAIT, portrait.pk, now(), **same)
    whole = erasure.request(who, now(), **same)
    assert (again.pk, erasure.request(who, now(), **same).pk) == (made.pk, whole.pk)
    assert (made.pk, made.requested_at, whole.requested_at) == (wanted, before, before)


def test_backups_open_a_portrait_until_they_end_and_a_photo_until_its_seed_does() -> None:
    who, moment = consenting(), now()
    portrait, made = painted_for(who), set_with_photo(who)
    painted = erasure.request_part(who, Scope.PORTRAIT, portrait.pk, moment)
    sent = erasure.request_part(who, Scope.SET, made.pk, moment)
    assert painted.unopenable_by == moment + retention.term(Term.RESTORE)
    assert sent.unopenable_by == moment + retention.term(Term.FLEET_SEED) + timedelta(days=1)
