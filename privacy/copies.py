"""The parts of an export, made by the roles that can open the sources, under a lease.

The intake re-seals photos to the owner's key, the keeper re-seals signatures as releases. Each part
commits by itself, so a worker that dies costs one part; what has ended meanwhile is left out. Erase
wins: a part that comes late is refused.
"""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from django.db import DatabaseError, transaction

from privacy import audit, crypto, export, heartbeats, keys, leases, release, storage, vault
from privacy.consent import EVIDENCE_KIND
from privacy.crypto import Context, Recipient
from privacy.errors import BlobGone, OwnerErased, PrivacyError, SealBroken
from privacy.models import Blob, ConsentEvidence, Export, ExportPart, Lease
from privacy.plain import Plain
from privacy.retention import Kind

log = logging.getLogger(__name__)
RETRY_AFTER: Final = timedelta(seconds=5)
Clock = Callable[[], datetime]


def prepare(sort: ExportPart.Sort, clock: Clock) -> int:
    """Prepare the parts of one sort for every export that waits; returns how many exports."""
    done = 0
    while not storage.resting() and (held := leases.claim(export.LEASES[sort])):
        done += 1
        try:
            with heartbeats.during(held) as lost:
                _fill(held, sort, clock, lost)
        except OwnerErased:
            leases.close(held)
        except PrivacyError:
            # The bucket or a key is away: the lease brings the export back.
            leases.give_back(held, after=RETRY_AFTER, forgiven=True)
        except DatabaseError:
            leases.forgive(held)
            raise
        except Exception as error:  # noqa: BLE001 - the next export must not wait for this one
            extra = {"work_id": str(held.work_id), "error": type(error).__name__}
            log.warning("export_postponed", extra=extra)
            leases.give_back(held, after=RETRY_AFTER)
    return done


def _fill(held: leases.Claim, sort: ExportPart.Sort, clock: Clock, lost: Event) -> None:
    asked = Export.objects.filter(pk=held.work_id, expires_at__gt=clock()).first()
    if asked is None:
        leases.close(held)
        return
    if held.attempts > leases.MAX_ATTEMPTS:
        # It is delivered without the parts that nobody can make; the archive says which.
        _finish(held, asked, clock(), given_up=True)
        return
    for part in asked.parts.filter(sort=sort, blob=None).order_by("pk"):
        if lost.is_set():
            return
        try:
            plain = OPENERS[sort](asked, part, clock())
        except (BlobGone, SealBroken):
            continue  # it has ended meanwhile; the archive says what it could not include
        _put(held, asked, part, plain, clock())
        if not leases.renew(held, progressed=True):
            return
    _finish(held, asked, clock())


def _photo(asked: Export, part: ExportPart, now: datetime) -> Plain:
    """Intake: whatever it is that was sealed to the fleet."""
    return vault.read(part.source_id, now, why=audit.Reason.EXPORT)


def _signature(asked: Export, part: ExportPart, now: datetime) -> Plain:
    """Keeper: the release, opened for the person who signed it."""
    return release_of(
        asked.owner_id, part.source_id, now, noted=asked.owner_id, why=audit.Reason.EXPORT
    )


def release_of(
    owner_id: uuid.UUID,
    consent_id: uuid.UUID,
    now: datetime,
    *,
    noted: uuid.UUID | None,
    why: audit.Reason,
) -> Plain:
    """Keeper: a signature, opened, as a document; on record under `noted`.

    Raises BlobGone past its term, SealBroken.
    """
    row = (
        ConsentEvidence.objects.filter(consent_id=consent_id, expires_at__gt=now)
        .select_related("consent__document")
        .first()
    )
    if row is None:
        raise BlobGone
    context = Context(EVIDENCE_KIND, Recipient.EVIDENCE, owner_id, consent_id)
    sealed = crypto.stored(bytes(row.enc), bytes(row.body))
    evidence = crypto.unseal(sealed, keys.evidence_seed(row.key_label), context)
    audit.record(audit.Verb.EVIDENCE_OPENED, subject_id=noted, object_id=consent_id, reason=why)
    if row.consent.release_sha256 is None:
        # Signed before releases were composed, when the typed name was all that was sealed.
        evidence = Plain(json.dumps({"typed_name": evidence.reveal().decode()}).encode())
    said = release.document(row.consent, evidence)
    return Plain(json.dumps(said, ensure_ascii=False, indent=2).encode())


OPENERS: Final = {ExportPart.Sort.PHOTO: _photo, ExportPart.Sort.SIGNATURE: _signature}


def _put(held: leases.Claim, asked: Export, part: ExportPart, plain: Plain, now: datetime) -> None:
    draft = vault.draft(Kind.EXPORT, held.owner_id, plain, now, expires_at=asked.expires_at)
    kept = False
    try:
        kept = _commit(held, part, draft)
    finally:
        if not kept:
            vault.discard([draft])


def _commit(held: leases.Claim, part: ExportPart, draft: vault.Draft) -> bool:
    with transaction.atomic():
        keys.hold_owner(held.owner_id)
        if not leases.still_held(held):
            return False
        source = Blob.objects.filter(pk=part.source_id, state=Blob.State.STORED)
        if part.sort == ExportPart.Sort.PHOTO and not source.exists():
            return False
        moved = ExportPart.objects.filter(pk=part.pk, blob=None).update(blob_id=draft.blob_id)
        if not moved or not vault.commit([draft]):
            transaction.set_rollback(True)
            return False
    return True


def _finish(held: leases.Claim, asked: Export, now: datetime, *, given_up: bool = False) -> None:
    """Close the work; whoever closes the last of it makes the export ready."""
    with transaction.atomic():
        keys.hold_owner(held.owner_id)
        if not leases.close(held):
            return
        if given_up:
            leases.give_up(held, now)
        # Alone with the row: of two roles that end at once, the second one sees the first.
        Export.objects.select_for_update(of=("self",)).filter(pk=asked.pk).first()
        others = Lease.objects.filter(work_id=asked.pk, kind__in=export.LEASES.values())
        if not others.exists():
            Export.objects.filter(pk=asked.pk, state=Export.State.REQUESTED).update(
                state=Export.State.READY, ready_at=now
            )
