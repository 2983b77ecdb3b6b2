"""Erasing a person: request, advance, prove. The key goes first, the proof comes last.

`request` makes everything unreadable in one transaction. `advance` then walks
SHREDDED → OBJECTS → RECIPIENTS → ROWS → PROVED; each step may be repeated, none may be skipped,
and PROVED is written only when a fresh look has found nothing.
"""

import hashlib
import os
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Count, QuerySet

from accounts.models import Session, User
from privacy import audit, consent, dispatch, keys, leases, retention, signing, stops, storage
from privacy.crypto import Recipient
from privacy.errors import ConsentMissing, OwnerErased, PrivacyError
from privacy.inventory import TABLES, End
from privacy.models import Blob, Capsule, Consent, Erasure, Lease, OwnerKey
from privacy.retention import Kind, Term

Stage = Erasure.Stage
LEASE = "erasure"
RETRY_AFTER = timedelta(seconds=2)


class NotYetGone(PrivacyError):
    """The proof found something; the machine goes back to work and never claims otherwise."""

    code = "not_yet_gone"
    sentence = "Something of the person is still there."


def request(owner_id: uuid.UUID, now: datetime) -> Erasure:
    """Shred everything and start the machine. A second request returns the first one."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
        known = Erasure.objects.filter(subject_id=owner_id).first()
        if known is not None:
            return known
        prefix = _hold_or_bury(owner_id, now)
        counts = _count(owner_id)
        _withdraw_consents(owner_id, now)
        stops.run(owner_id, now, erase_results=True)
        _shred(owner_id, now)
        erasure = Erasure.objects.create(
            id=uuid.uuid4(),
            subject_id=owner_id,
            prefix=prefix,
            counts=counts,
            requested_at=now,
        )
        leases.open_work(LEASE, erasure.id, owner_id)
        audit.record(audit.Verb.ERASURE_REQUESTED, subject_id=owner_id, object_id=erasure.id)
        dispatch.send(LEASE, erasure.id)
    return erasure


def _hold_or_bury(owner_id: uuid.UUID, now: datetime) -> str:
    """Hold the owner's row alone; a person who never had a key gets a destroyed one."""
    try:
        return keys.hold_owner(owner_id, exclusive=True)
    except OwnerErased:
        OwnerKey.objects.get_or_create(
            owner_id=owner_id,
            defaults={"public": b"", "prefix": os.urandom(16).hex(), "destroyed_at": now},
        )
        return str(OwnerKey.objects.values_list("prefix", flat=True).get(owner_id=owner_id))


def _withdraw_consents(owner_id: uuid.UUID, now: datetime) -> None:
    for purpose in consent.Purpose.values:
        try:
            consent.withdraw(
                owner_id, purpose, "erasure", now, erase_portraits=True, act=Consent.Act.ERASURE
            )
        except (ConsentMissing, OwnerErased):
            continue


def _count(owner_id: uuid.UUID) -> dict[str, int]:
    """What there is by class; what was destroyed before is not counted a second time."""
    living = Blob.objects.filter(owner_id=owner_id).exclude(state=Blob.State.SHREDDED)
    counted = living.values_list("kind").annotate(n=Count("pk"))
    return {Kind(kind).name.lower(): n for kind, n in counted}


def _shred(owner_id: uuid.UUID, now: datetime) -> None:
    """Destroy the owner key and the capsules, end the sessions."""
    Capsule.objects.filter(blob__owner_id=owner_id, blob__recipient=Recipient.FLEET).delete()
    OwnerKey.objects.filter(owner_id=owner_id).update(wrapped=None, public=b"", destroyed_at=now)
    Lease.objects.filter(owner_id=owner_id).delete()
    Session.objects.filter(user_id=owner_id).delete()
    user = User.objects.filter(pk=owner_id).first()
    if user is not None:
        user.is_active = False
        user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])


# --- The machine -------------------------------------------------------------------------------


def advance(held: leases.Claim, now: Callable[[], datetime]) -> bool:
    """Take an erasure as far as it will go. True once it is proved."""
    erasure = Erasure.objects.get(pk=held.work_id)
    steps: dict[str, tuple[Stage, Callable[[Erasure], None]]] = {
        Stage.SHREDDED: (Stage.OBJECTS, _delete_objects),
        Stage.OBJECTS: (Stage.RECIPIENTS, _tell_recipients),
        Stage.RECIPIENTS: (Stage.ROWS, _delete_rows),
    }
    while erasure.stage in steps:
        following, act = steps[erasure.stage]
        act(erasure)
        moved = Erasure.objects.filter(pk=erasure.pk, stage=erasure.stage).update(stage=following)
        if not moved:
            return False
        erasure.refresh_from_db()
    if erasure.stage == Stage.ROWS:
        _prove(erasure, held, now())
    return True


def _delete_objects(erasure: Erasure) -> None:
    for kind in Kind:
        storage.delete(storage.names(f"{kind.name.lower()}/{erasure.prefix}/"))
    Capsule.objects.filter(blob__owner_id=erasure.subject_id).delete()
    Blob.objects.filter(owner_id=erasure.subject_id).delete()


def _tell_recipients(erasure: Erasure) -> None:
    """Nobody outside holds anything: pictures go to no processor but the bucket."""


def _rows(table_model: str, owner: str, subject_id: uuid.UUID) -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model(table_model)._default_manager.all()
    return rows.filter(**{owner: subject_id})


def _delete_rows(erasure: Erasure) -> None:
    own_lease = (LEASE, erasure.pk)
    for table in TABLES:
        if table.end is End.WITH_ACCOUNT and table.owner:
            rows = _rows(table.model, table.owner, erasure.subject_id)
            if table.model == "privacy.Lease":
                rows = rows.exclude(kind=own_lease[0], work_id=own_lease[1])
            rows.delete()


def _left(erasure: Erasure) -> list[str]:
    """Look everything up again: what is still there, by name."""
    left = []
    for table in TABLES:
        if table.owner and table.end in (End.WITH_ACCOUNT, End.BY_ERASURE):
            rows = _rows(table.model, table.owner, erasure.subject_id)
            if table.model == "privacy.Lease":
                rows = rows.exclude(kind=LEASE, work_id=erasure.pk)
            if rows.exists():
                left.append(table.model)
    for kind in Kind:
        prefix = f"{kind.name.lower()}/{erasure.prefix}/"
        if storage.names(prefix) or storage.uploads(prefix):
            left.append(prefix)
    return left


def _prove(erasure: Erasure, held: leases.Claim, now: datetime) -> None:
    left = _left(erasure)
    if left:
        # Something was written late. Go back to the start of the machine; the next attempt
        # deletes it and looks again.
        Erasure.objects.filter(pk=erasure.pk).update(stage=Stage.SHREDDED)
        raise NotYetGone(f"Still there: {', '.join(left)}.")
    receipt = sign_receipt(erasure, now)
    with transaction.atomic():
        proved = Erasure.objects.filter(pk=erasure.pk, stage=Stage.ROWS).update(
            stage=Stage.PROVED, proved_at=now, receipt=receipt
        )
        if proved:
            audit.record(
                audit.Verb.ERASURE_PROVED, subject_id=erasure.subject_id, object_id=erasure.pk
            )
        leases.close(held)


# --- The receipt -------------------------------------------------------------------------------


def sign_receipt(erasure: Erasure, now: datetime) -> dict[str, Any]:
    """Upkeep: the statement and its Ed25519 signature. Names nobody."""
    salt = os.urandom(16)
    subject = hashlib.sha256(salt + erasure.subject_id.bytes).hexdigest()
    statement = {
        "version": 1,
        "erasure": str(erasure.pk),
        "subject": {"salt": salt.hex(), "sha256": subject},
        "destroyed": erasure.counts,
        "unreadable_at": erasure.requested_at.isoformat(),
        "proved_at": now.isoformat(),
        "recipients_pending": [],
        "kept": {
            "consent ledger, sealed evidence": f"{retention.term(Term.EVIDENCE).days} days",
            "audit ids, this receipt": f"{retention.term(Term.RECEIPT).days} days",
        },
    }
    return signing.sign(statement)
