"""The reference set: create, add, accept, refuse. The bytes themselves are the vault's."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from portraits.errors import (
    EmptyUpload,
    IntakeBehind,
    ReferencesInUse,
    UnknownPhoto,
    UnknownReferences,
    UnknownSlot,
    UploadTooLarge,
)
from portraits.models import Photo, ReferenceSet
from privacy import consent, dispatch, erasure, keys, leases, retention, vault
from privacy.audit import Reason
from privacy.models import Blob, Erasure, Lease
from privacy.parts import Scope
from privacy.plain import Plain
from privacy.retention import Kind

LEASE = "reference"
UPLOAD_EXPIRED = "upload_expired"


@dataclass(frozen=True)
class Verdict:
    """What the intake says about a photo that it accepts."""

    quality: float
    face: tuple[float, float, float, float] | None
    hint: str


# Written out because each job ends with it: all that hangs on a set goes in one statement.
_PHOTOS: Final = "SELECT id, upload_id, reference_id FROM portraits_photo WHERE set_id = %s"
_DROP: Final = """
    WITH photo AS (DELETE FROM portraits_photo WHERE set_id = %(set)s),
    job AS (UPDATE portraits_job SET references_id = NULL WHERE references_id = %(set)s)
    DELETE FROM portraits_referenceset WHERE id = %(set)s
"""


def create(owner_id: uuid.UUID, keep_hours: int | None, now: datetime) -> ReferenceSet:
    """A new, empty set. Without `keep_hours` it serves one job and dies with it.

    Keeping it longer is a purpose of its own, with a consent of its own.
    """
    consent.require(owner_id, now)
    keep_for = timedelta(hours=keep_hours) if keep_hours is not None else None
    wanted = now + keep_for if keep_for else None
    with transaction.atomic():
        keys.hold_owner(owner_id)
        # Asked behind the owner's lock: a withdrawal that came first wins.
        consent.require(owner_id, now)
        if keep_for is not None:
            consent.require(owner_id, now, consent.Purpose.KEEPING)
        return ReferenceSet.objects.create(
            owner_id=owner_id,
            keep=keep_for is not None,
            created_at=now,
            expires_at=retention.deadline(Kind.REFERENCE, now, wanted),
        )


def find(owner_id: uuid.UUID, set_id: uuid.UUID, now: datetime) -> ReferenceSet:
    """The person's own living set; everything else does not exist for them."""
    row = ReferenceSet.objects.filter(pk=set_id, owner_id=owner_id, expires_at__gt=now).first()
    if row is None:
        raise UnknownReferences
    return row


def add(owner_id: uuid.UUID, set_id: uuid.UUID, slot: str, upload: Plain, now: datetime) -> Photo:
    """Seal what arrived into a slot and let the intake look at it. Putting again replaces it.

    Raises ConsentMissing, UnknownReferences, UnknownSlot, EmptyUpload, UploadTooLarge,
    ReferencesInUse, IntakeBehind; then nothing is stored.
    """
    consent.require(owner_id, now)
    if slot not in Photo.Slot.values:
        raise UnknownSlot
    if not len(upload):
        raise EmptyUpload
    if len(upload) > settings.UPLOAD_MAX_BYTES:
        raise UploadTooLarge
    if find(owner_id, set_id, now).state != ReferenceSet.State.OPEN:
        raise ReferencesInUse
    _check_intake()
    draft = vault.draft(Kind.UPLOAD, owner_id, upload, now)
    try:
        return _put_into_slot(owner_id, set_id, slot, draft, now)
    except Exception:
        vault.discard([draft])
        raise


def _check_intake() -> None:
    """A photo that waits too long dies unseen, so more than can be seen in that time are refused.

    Counted no further than it takes to know, and without a lock: those of one moment may pass.
    """
    most = settings.UPLOAD_QUEUE_LIMIT
    if Lease.objects.filter(kind=LEASE)[:most].count() >= most:
        raise IntakeBehind


def _put_into_slot(
    owner_id: uuid.UUID, set_id: uuid.UUID, slot: str, draft: vault.Draft, now: datetime
) -> Photo:
    with transaction.atomic():
        keys.hold_owner(owner_id)
        # Asked again under the owner's lock: a withdrawal during the upload wins.
        consent.require(owner_id, now)
        references = lock(owner_id, set_id, now)
        _empty_slot(references, slot)
        photo = Photo.objects.create(
            set=references, slot=slot, upload_id=draft.blob_id, created_at=now
        )
        if not vault.commit([draft]):
            raise UnknownReferences
        leases.open_work(LEASE, photo.id, owner_id)
        dispatch.send(LEASE, photo.id)
    return photo


def remove(owner_id: uuid.UUID, set_id: uuid.UUID, slot: str, now: datetime) -> Erasure:
    """Erase the photo of one slot, down to a receipt. Raises UnknownPhoto when it is empty."""
    if slot not in Photo.Slot.values:
        raise UnknownSlot
    photo = find(owner_id, set_id, now).photos.filter(slot=slot).first()
    if photo is None:
        raise UnknownPhoto
    return erasure.request_part(owner_id, Scope.PHOTO, photo.pk, now)


def discard(owner_id: uuid.UUID, set_id: uuid.UUID, now: datetime) -> Erasure:
    """Erase a whole set that serves no open job, down to a receipt."""
    return erasure.request_part(owner_id, Scope.SET, set_id, now)


def let_go(owner_id: uuid.UUID, now: datetime) -> None:
    """Keep nothing beyond its job any more: privacy calls this on withdrawal of that consent.

    A set that an open job reads dies with the job.
    """
    kept = ReferenceSet.objects.select_for_update().filter(owner_id=owner_id, keep=True)
    for row in kept.filter(state=ReferenceSet.State.OPEN):
        destroy(row.pk, why=Reason.WITHDRAWAL)
    kept.filter(state=ReferenceSet.State.IN_USE).update(keep=False)


def destroy(set_id: uuid.UUID, *, why: Reason) -> None:
    """Shred every photo of a set and drop its rows, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_PHOTOS, [set_id])
        rows = cursor.fetchall()
        vault.shred([pk for _, *blobs in rows for pk in blobs if pk], why=why)
        leases.revoke(LEASE, [pk for pk, *_ in rows])
        cursor.execute(_DROP, {"set": set_id})


def drop(photos: Sequence[Photo]) -> None:
    """Take the work on photos away and drop their rows; what becomes of the bytes is not here."""
    ids = [photo.pk for photo in photos]
    leases.revoke(LEASE, ids)
    Photo.objects.filter(pk__in=ids).delete()


def claim(now: datetime) -> tuple[leases.Claim, Photo] | None:
    """Intake: take one photo to look at; photos whose upload has died are settled on the way."""
    while held := leases.claim(LEASE):
        photo = Photo.objects.filter(pk=held.work_id, state=Photo.State.CHECKING).first()
        if photo is None:
            leases.close(held)
            continue
        if held.attempts > leases.MAX_ATTEMPTS:
            # A file that kills the intake again and again is not a photo that we can use.
            with transaction.atomic():
                if refuse(held, "decode_failed"):
                    leases.give_up(held, now)
            continue
        return held, photo
    return None


def others(photo: Photo) -> list[Photo]:
    """The set's accepted photos beside this one, which it must not repeat."""
    return list(
        Photo.objects.filter(set_id=photo.set_id, state=Photo.State.ACCEPTED).exclude(pk=photo.pk)
    )


def accept(
    held: leases.Claim, draft: vault.Draft, verdict: Verdict, compared: Sequence[Photo]
) -> bool:
    """Commit the cleaned photo and destroy the upload.

    False: the photo was replaced, withdrawn or erased meanwhile, or another photo of the set was
    accepted that this one was not compared with; the draft is to be discarded.
    """
    with transaction.atomic():
        keys.hold_owner(held.owner_id)
        if not leases.still_held(held):
            return False
        photo = Photo.objects.select_related("set").get(pk=held.work_id)
        ReferenceSet.objects.select_for_update().get(pk=photo.set_id)
        if {row.pk for row in others(photo)} != {row.pk for row in compared}:
            return False
        moved = Photo.objects.filter(pk=photo.pk, state=Photo.State.CHECKING).update(
            state=Photo.State.ACCEPTED,
            reference_id=draft.blob_id,
            quality=verdict.quality,
            face=verdict.face,
            hint=verdict.hint,
        )
        if not moved or not vault.commit([draft]):
            transaction.set_rollback(True)
            return False
        vault.destroy(_blobs([photo]), why=Reason.SERVED)
        return leases.close(held)


def refuse(held: leases.Claim, code: str) -> bool:
    """Note why, and destroy the upload."""
    state = Photo.State.EXPIRED if code == UPLOAD_EXPIRED else Photo.State.REFUSED
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        photo = Photo.objects.filter(pk=held.work_id).first()
        Photo.objects.filter(pk=held.work_id, state=Photo.State.CHECKING).update(
            state=state, code=code
        )
        if photo is not None:
            vault.destroy(_blobs([photo]), why=Reason.SERVED)
        return leases.close(held)


def verdict_of(photo: Photo, seconds: float) -> Photo:
    """Wait a while for the intake; returns the photo as it is then."""
    deadline = time.monotonic() + seconds
    while photo.state == Photo.State.CHECKING and time.monotonic() < deadline:
        time.sleep(0.1)
        fresh = Photo.objects.filter(pk=photo.pk).first()
        if fresh is None:
            raise UnknownReferences("This photo was replaced or removed while it was checked.")
        photo = fresh
    return photo


def expire(now: datetime) -> int:
    """Upkeep: settle uploads that nobody looked at, and destroy sets whose time is over."""
    dead = Photo.objects.filter(state=Photo.State.CHECKING, upload=None)
    lapsed = Photo.objects.filter(state=Photo.State.CHECKING, upload__expires_at__lte=now)
    ids = [*dead.values_list("pk", flat=True), *lapsed.values_list("pk", flat=True)]
    with transaction.atomic():
        leases.revoke(LEASE, ids)
        Photo.objects.filter(pk__in=ids, state=Photo.State.CHECKING).update(
            state=Photo.State.EXPIRED, code=UPLOAD_EXPIRED
        )
    over = ReferenceSet.objects.filter(expires_at__lte=now, state=ReferenceSet.State.OPEN)
    total = 0
    for set_id in list(over.values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            row = over.select_for_update(skip_locked=True).filter(pk=set_id).first()
            if row is not None:
                destroy(row.pk, why=Reason.DEADLINE)
                total += 1
    return total


def lock(owner_id: uuid.UUID, set_id: uuid.UUID, now: datetime) -> ReferenceSet:
    """The set, locked; it must serve no open job."""
    row = (
        ReferenceSet.objects.select_for_update()
        .filter(pk=set_id, owner_id=owner_id, expires_at__gt=now)
        .first()
    )
    if row is None:
        raise UnknownReferences
    if row.state != ReferenceSet.State.OPEN:
        raise ReferencesInUse
    return row


def _empty_slot(references: ReferenceSet, slot: str) -> None:
    photos = list(references.photos.filter(slot=slot))
    vault.destroy(_blobs(photos), why=Reason.OWNER)
    drop(photos)


def _blobs(photos: Sequence[Photo]) -> QuerySet[Blob]:
    ids = [photo.upload_id for photo in photos] + [photo.reference_id for photo in photos]
    return Blob.objects.filter(pk__in=[pk for pk in ids if pk])
