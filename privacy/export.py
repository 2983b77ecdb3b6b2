"""A person's export: ask for it, look at it, fetch it once. The parts themselves are copies.py's.

What only a role below can open is re-sealed to the owner's key by that role, as parts: photos by
the intake, signatures by the keeper. A copy ends with what it was copied from, and all of it ends
after Term.EXPORT. Refuses a second fetch, somebody else's export, and one whose time is over.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from privacy import audit, dispatch, keys, leases, storage, vault
from privacy.crypto import Recipient
from privacy.errors import ExportEnded, ExportNotReady, ExportUnknown, ExportUsed
from privacy.models import Blob, Consent, Export, ExportPart
from privacy.retention import Kind, Term, term

State = Export.State
Sort = ExportPart.Sort
# Which role prepares which sort of part; the lease's kind is how its task is found.
LEASES: Final = {Sort.PHOTO: "export", Sort.SIGNATURE: "evidence"}
# A download may take this long before its parts are taken away.
FETCH_WITHIN: Final = timedelta(hours=1)


def request(owner_id: uuid.UUID, now: datetime) -> Export:
    """Begin an export, or return the one that is open. Raises OwnerErased, NotReady."""
    keys.ensure_owner(owner_id, now)
    with transaction.atomic():
        keys.hold_owner(owner_id, exclusive=True)
        known = Export.objects.filter(
            owner_id=owner_id, state__in=(State.REQUESTED, State.READY), expires_at__gt=now
        ).first()
        if known is not None:
            return known
        export = Export.objects.create(
            owner_id=owner_id, requested_at=now, expires_at=now + term(Term.EXPORT)
        )
        open_work = [
            _plan(export, Sort.PHOTO, living(owner_id, Recipient.FLEET, now)),
            _plan(export, Sort.SIGNATURE, _signatures(owner_id, now)),
        ]
        if not any(open_work):
            Export.objects.filter(pk=export.pk).update(state=State.READY, ready_at=now)
            export.refresh_from_db()
        audit.record(
            audit.Verb.EXPORT_REQUESTED,
            subject_id=owner_id,
            object_id=export.id,
            reason=audit.Reason.OWNER,
        )
    return export


def living(owner_id: uuid.UUID, recipient: Recipient, now: datetime) -> QuerySet[Blob]:
    """What a person has that is sealed to this recipient and can be opened now.

    An upload that is still being checked is not among it: minutes later it is a reference or gone.
    """
    rows = Blob.objects.filter(
        owner_id=owner_id, recipient=recipient, state=Blob.State.STORED, expires_at__gt=now
    )
    return rows.exclude(kind__in=(Kind.UPLOAD, Kind.CANARY, Kind.EXPORT)).order_by("pk")


def _signatures(owner_id: uuid.UUID, now: datetime) -> QuerySet[Consent]:
    return Consent.objects.filter(
        subject_id=owner_id,
        verb=Consent.Verb.GRANTED,
        act=Consent.Act.TYPED_NAME,
        at__gt=now - term(Term.EVIDENCE),
    )


def _plan(export: Export, sort: ExportPart.Sort, sources: Iterable[Blob | Consent]) -> bool:
    parts = [ExportPart(export=export, sort=sort, source_id=row.pk) for row in sources]
    ExportPart.objects.bulk_create(parts)
    if parts:
        leases.open_work(LEASES[sort], export.pk, export.owner_id)
        dispatch.send(LEASES[sort], export.pk)
    return bool(parts)


def find(owner_id: uuid.UUID, export_id: uuid.UUID, now: datetime) -> Export:
    """The person's own export. Raises ExportUnknown, ExportEnded."""
    row = Export.objects.filter(pk=export_id, owner_id=owner_id).first()
    if row is None:
        raise ExportUnknown
    if row.expires_at <= now:
        raise ExportEnded
    return row


def fetch(owner_id: uuid.UUID, export_id: uuid.UUID, now: datetime) -> Export:
    """Take the one right to the archive. Raises ExportNotReady, ExportUsed, StorageDown."""
    export = find(owner_id, export_id, now)
    if export.state == State.REQUESTED:
        raise ExportNotReady
    # A bucket that is away must not cost the one fetch.
    storage.ready()
    with transaction.atomic():
        keys.hold_owner(owner_id)
        moved = Export.objects.filter(pk=export.pk, state=State.READY).update(
            state=State.FETCHED, fetched_at=now
        )
        if not moved:
            raise ExportUsed
        audit.record(
            audit.Verb.EXPORT_FETCHED,
            subject_id=owner_id,
            object_id=export.id,
            reason=audit.Reason.OWNER,
        )
    export.refresh_from_db()
    return export


# --- Copies end with what they are copies of -----------------------------------------------------


def copies(parts: QuerySet[ExportPart]) -> QuerySet[Blob]:
    """The bodies of parts."""
    return Blob.objects.filter(pk__in=parts.exclude(blob=None).values("blob_id"))


def copies_of(sources: QuerySet[Blob]) -> QuerySet[Blob]:
    """What was copied from these blobs, for whoever erases them."""
    return copies(ExportPart.objects.filter(source_id__in=sources.order_by().values("pk")))


def stop_person(owner_id: uuid.UUID, now: datetime, *, erase_results: bool) -> None:
    """A withdrawal or an erasure takes the copies of photos with the photos."""
    photos = ExportPart.objects.filter(export__owner_id=owner_id, sort=Sort.PHOTO)
    vault.destroy(copies(photos), why=audit.Reason.WITHDRAWAL)


def end_copies(now: datetime) -> int:
    """Upkeep: destroy copies whose photo has ended, and those of exports that were fetched."""
    source = Blob.objects.filter(
        pk=OuterRef("source_id"), state=Blob.State.STORED, expires_at__gt=now
    )
    orphaned = Q(sort=Sort.PHOTO) & ~Exists(source)
    fetched = Q(export__fetched_at__lte=now - FETCH_WITHIN)
    ended = copies(ExportPart.objects.filter(orphaned | fetched))
    return vault.destroy(ended, why=audit.Reason.SERVED)
