"""Finished portraits, for their owner: find, open, move the deadline, delete."""

import uuid
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from portraits.errors import UnknownPortrait
from portraits.models import Item, Portrait, Rendition
from portraits.prompts import Prompt
from privacy import audit, erasure, vault
from privacy.errors import BlobGone
from privacy.models import Blob, Erasure
from privacy.parts import Scope
from privacy.plain import Plain


def living(owner_id: uuid.UUID, now: datetime) -> QuerySet[Portrait]:
    """The person's portraits that can still be opened."""
    return (
        _living(owner_id, now)
        .select_related("blob", "item__style", "item__job")
        .prefetch_related(
            Prefetch("renditions", Rendition.objects.exclude(name=Rendition.PROMPT).order_by("pk"))
        )
    )


def _living(owner_id: uuid.UUID, now: datetime) -> QuerySet[Portrait]:
    return Portrait.objects.filter(
        owner_id=owner_id, blob__state=Blob.State.STORED, blob__expires_at__gt=now
    )


def find(owner_id: uuid.UUID, portrait_id: uuid.UUID, now: datetime) -> Portrait | None:
    """One of the person's own, or None: somebody else's does not exist for them."""
    return living(owner_id, now).filter(pk=portrait_id).first()


def of_job(owner_id: uuid.UUID, job_id: uuid.UUID, now: datetime) -> list[tuple[uuid.UUID, str]]:
    """(id, style) of the portraits of a job that can still be opened, in their order."""
    rows = _living(owner_id, now).filter(item__job=job_id).order_by("item__position")
    return list(rows.values_list("pk", "item__style__slug"))


def open_own(
    owner_id: uuid.UUID, portrait_id: uuid.UUID, size: str, now: datetime
) -> tuple[Rendition, Plain]:
    """The bytes of one size of the person's own, by its id; audited by the vault.

    Raises UnknownPortrait, for somebody else's too, and BlobGone.
    """
    rendition = size_of(owner_id, portrait_id, size, now)
    return rendition, open_size(rendition, now)


def open_size(rendition: Rendition, now: datetime) -> Plain:
    """The bytes of what `size_of` has found, whole and verified. Raises BlobGone, SealBroken."""
    return vault.read(rendition.blob_id, now, why=audit.Reason.OWNER)


def size_of(owner_id: uuid.UUID, portrait_id: uuid.UUID, size: str, now: datetime) -> Rendition:
    """One size of the person's own, unopened. Raises as `open_own` does."""
    mine = _living(owner_id, now).filter(pk=portrait_id)
    # Compared here, because PostgreSQL knows no text with a NUL, and anything may be asked for.
    found = Rendition.objects.filter(portrait__in=mine).exclude(name=Rendition.PROMPT)
    sizes = {row.name: row for row in found}
    if size not in sizes:
        raise BlobGone if sizes else UnknownPortrait
    return sizes[size]


def open_prompt(owner_id: uuid.UUID, portrait_id: uuid.UUID, now: datetime) -> Prompt:
    """What a portrait of the person's own was painted from; audited by the vault.

    Raises UnknownPortrait, also for one that was painted from photos, and BlobGone.
    """
    mine = _living(owner_id, now).filter(pk=portrait_id)
    kept = Rendition.objects.filter(portrait__in=mine, name=Rendition.PROMPT).first()
    if kept is None:
        raise UnknownPortrait
    return Prompt.from_json(vault.read(kept.blob_id, now, why=audit.Reason.OWNER).reveal())


def move_deadline(portrait: Portrait, expires_at: datetime, now: datetime) -> None:
    """Keep it shorter, or longer up to twelve months, as its owner says."""
    vault.move_deadline(_blobs(portrait), expires_at, now)
    copies = Item.objects.filter(made_from=portrait.pk).values("source_id")
    longer = Blob.objects.filter(
        pk__in=copies, state=Blob.State.STORED, expires_at__gt=max(expires_at, now)
    )
    if longer.exists():
        # A copy that a worker was lent does not outlive it.
        vault.move_deadline(longer, expires_at, now)


def delete(owner_id: uuid.UUID, portrait_id: uuid.UUID, now: datetime) -> Erasure:
    """Erase all sizes, down to a receipt. Raises UnknownPortrait."""
    return erasure.request_part(owner_id, Scope.PORTRAIT, portrait_id, now)


def _blobs(portrait: Portrait) -> QuerySet[Blob]:
    # Not through the portrait, whose renditions were read without its prompt.
    sizes = Rendition.objects.filter(portrait_id=portrait.pk)
    return Blob.objects.filter(pk__in=sizes.values("blob_id"))
