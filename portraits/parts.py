"""What an erasure of a photo, a set, a portrait or of everything that shows a face means here."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from portraits import endings, references
from portraits.errors import UnknownPhoto, UnknownPortrait
from portraits.models import Photo, Portrait, ReferenceSet, Rendition
from privacy.models import Blob
from privacy.parts import Part, Scope

Id = uuid.UUID


# --- One portrait, all its sizes ---------------------------------------------------------------


def _portrait_blobs(owner_id: Id, target_id: Id) -> QuerySet[Blob]:
    sizes = Rendition.objects.filter(portrait_id=target_id, portrait__owner_id=owner_id)
    return Blob.objects.filter(pk__in=sizes.values("blob_id"))


def _halt_portrait(owner_id: Id, target_id: Id, now: datetime) -> None:
    """It leaves the list at once, and nothing is made from it any more."""
    found = Portrait.objects.filter(
        pk=target_id,
        owner_id=owner_id,
        blob__state=Blob.State.STORED,
        blob__expires_at__gt=now,
    )
    if not found.exists():
        raise UnknownPortrait
    endings.end_made_from(target_id, now)
    found.delete()


def _portrait_rows(owner_id: Id, target_id: Id) -> Sequence[QuerySet[Any]]:
    return (
        Rendition.objects.filter(portrait_id=target_id, portrait__owner_id=owner_id),
        Portrait.objects.filter(pk=target_id, owner_id=owner_id),
    )


# --- One photo, one set ------------------------------------------------------------------------


def _blobs_of(photos: QuerySet[Photo]) -> QuerySet[Blob]:
    uploaded, cleaned = photos.values("upload_id"), photos.values("reference_id")
    return Blob.objects.filter(Q(pk__in=uploaded) | Q(pk__in=cleaned))


def _photo_blobs(owner_id: Id, target_id: Id) -> QuerySet[Blob]:
    return _blobs_of(Photo.objects.filter(pk=target_id, set__owner_id=owner_id))


def _halt_photo(owner_id: Id, target_id: Id, now: datetime) -> None:
    """Refused while it serves an open job; the slot is empty at once."""
    photo = Photo.objects.filter(pk=target_id, set__owner_id=owner_id).first()
    if photo is None:
        raise UnknownPhoto
    references.lock(owner_id, photo.set_id, now)
    references.drop([photo])


def _photo_rows(owner_id: Id, target_id: Id) -> Sequence[QuerySet[Any]]:
    return (Photo.objects.filter(pk=target_id, set__owner_id=owner_id),)


def _set_blobs(owner_id: Id, target_id: Id) -> QuerySet[Blob]:
    return _blobs_of(Photo.objects.filter(set_id=target_id, set__owner_id=owner_id))


def _halt_set(owner_id: Id, target_id: Id, now: datetime) -> None:
    """Refused while it serves an open job; the set is gone at once."""
    found = references.lock(owner_id, target_id, now)
    references.drop(list(found.photos.all()))
    found.delete()


def _set_rows(owner_id: Id, target_id: Id) -> Sequence[QuerySet[Any]]:
    return (
        Photo.objects.filter(set_id=target_id, set__owner_id=owner_id),
        ReferenceSet.objects.filter(pk=target_id, owner_id=owner_id),
    )


# --- Everything that shows the person ----------------------------------------------------------


def _all_blobs(owner_id: Id, target_id: Id) -> QuerySet[Blob]:
    return Blob.objects.filter(owner_id=owner_id)


def _halt_all(owner_id: Id, target_id: Id, now: datetime) -> None:
    """Nothing more than the stops, which run for every withdrawal too."""


def _all_rows(owner_id: Id, target_id: Id) -> Sequence[QuerySet[Any]]:
    """Of what was destroyed; a photo that the person has sent since is none of it."""
    mine = Portrait.objects.filter(owner_id=owner_id)
    dead = mine.filter(blob__state=Blob.State.SHREDDED)
    return (Rendition.objects.filter(portrait__in=dead), dead)


PARTS: Final = {
    Scope.PORTRAIT: Part(_portrait_blobs, _halt_portrait, _portrait_rows),
    Scope.PHOTO: Part(_photo_blobs, _halt_photo, _photo_rows),
    Scope.SET: Part(_set_blobs, _halt_set, _set_rows),
    Scope.BIOMETRIC: Part(_all_blobs, _halt_all, _all_rows),
}
