"""Asking to be forgotten: an account, everything that shows a face, one set, photo or portrait.

The request makes it unreadable in one transaction: of an account the owner key goes first, and
whatever number of portraits was sealed to it; of a part the capsules go. What is then still lying
in the bucket is noise, and its names are on the erasure's row, for stages.py to delete and prove.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from privacy import audit, closing, dispatch, export, keys, leases, restore, retention, stops
from privacy.crypto import Recipient
from privacy.errors import OwnerErased
from privacy.models import Blob, Capsule, Consent, Erasure, OwnerKey
from privacy.parts import Scope, parts
from privacy.retention import Kind, Term

LEASE: Final = closing.LEASE
LATE: Final = timedelta(hours=1)
# One step may have a hundred thousand bodies to delete before it can say that it got on.
STEP_LIMIT: Final = timedelta(minutes=10)
BATCH: Final = 10_000


@dataclass(frozen=True)
class Body:
    """What the erasure needs to know of one blob."""

    id: uuid.UUID
    kind: int
    recipient: int
    name: str
    living: bool


@dataclass(frozen=True)
class Asked:
    """Who wants their account erased, since when, and the id under which the receipt will be."""

    id: uuid.UUID
    owner_id: uuid.UUID
    at: datetime


def request(
    owner_id: uuid.UUID,
    now: datetime,
    *,
    erasure_id: uuid.UUID | None = None,
    requested_at: datetime | None = None,
) -> Erasure:
    """Erase an account: shred everything and start the machine. Asked again, it is the first one.

    A replay of the restore's ledger hands in the id and the time of the first request. Raises
    LedgerDown; then nothing has changed.
    """
    if erasure_id is not None:
        return _request(Asked(erasure_id, owner_id, requested_at or now), now)
    known = Erasure.objects.filter(subject_id=owner_id, scope=Scope.ACCOUNT).first()
    if known is not None:
        return known
    with restore.intend(restore.Intent.ERASE, owner_id, now, scope=Scope.ACCOUNT) as entry:
        return _request(Asked(entry.id, owner_id, now), now)


def _request(asked: Asked, now: datetime) -> Erasure:
    with transaction.atomic():
        erasure = _begin([asked], now)[asked.owner_id]
        if erasure.pk == asked.id:
            dispatch.send(LEASE, erasure.id)
    return erasure


def request_all(asked: Sequence[Asked], now: datetime) -> None:
    """Erase many accounts at once, for a replay of the restore's ledger.

    All of them are unreadable with one commit. Nobody is told to go on: the replay does itself.
    """
    with transaction.atomic():
        _begin(asked, now)


def _begin(asked: Sequence[Asked], now: datetime) -> dict[uuid.UUID, Erasure]:
    """The erasure of each person, in the caller's transaction: a new one, or the first."""
    ids = sorted({one.owner_id for one in asked})
    # In one order for everybody, so that two replays wait for each other and never in a circle.
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    users = {user.pk: user for user in locked}
    known = Erasure.objects.filter(subject_id__in=ids, scope=Scope.ACCOUNT)
    found = {erasure.subject_id: erasure for erasure in known}
    fresh = {one.owner_id: one for one in asked if one.owner_id not in found}
    if not fresh:
        return found
    prefixes = closing.hold_or_bury(list(fresh), now)
    counts, ends = closing.count(list(fresh)), closing.unopenable_by(list(fresh), now)
    begun = {
        owner_id: Erasure(
            id=one.id,
            subject_id=owner_id,
            prefix=prefixes[owner_id],
            counts=counts[owner_id],
            unopenable_by=ends[owner_id],
            requested_at=one.at,
        )
        for owner_id, one in fresh.items()
    }
    closing.shred_accounts(list(begun), [users[pk] for pk in begun if pk in users], now)
    _withdraw_consents(list(begun), now)
    for erasure in begun.values():
        stops.run(erasure.subject_id, now, erase_results=False)
        _start(erasure)
    return found | begun


def request_part(
    owner_id: uuid.UUID,
    scope: Scope,
    target_id: uuid.UUID | None,
    now: datetime,
    *,
    erasure_id: uuid.UUID | None = None,
    requested_at: datetime | None = None,
) -> Erasure:
    """Erase a part and keep the account. Asked again for the same thing, it is the first one.

    Raises what the part's own `halt` raises when there is no such thing or when it is in use, and
    OwnerErased and LedgerDown; then nothing has changed.
    """
    if erasure_id is not None:
        return _request_part(owner_id, scope, target_id, now, erasure_id, requested_at or now)
    known = _asked_before(owner_id, scope, target_id, _bodies(owner_id, scope, target_id))
    if known is not None:
        return known
    intent = restore.Intent.ERASE
    with restore.intend(intent, owner_id, now, scope=scope, target_id=target_id) as entry:
        return _request_part(owner_id, scope, target_id, now, entry.id, now)


def _request_part(
    owner_id: uuid.UUID,
    scope: Scope,
    target_id: uuid.UUID | None,
    now: datetime,
    erasure_id: uuid.UUID,
    requested_at: datetime,
) -> Erasure:
    part = parts[scope]
    with transaction.atomic():
        _hold_living(owner_id)
        bodies = _bodies(owner_id, scope, target_id)
        known = _asked_before(owner_id, scope, target_id, bodies)
        if known is not None:
            return known
        part.halt(owner_id, target_id or owner_id, now)
        erasure = Erasure(
            id=erasure_id,
            subject_id=owner_id,
            scope=scope,
            target_id=target_id,
            names=[body.name for body in bodies],
            counts=_classes(bodies),
            unopenable_by=_backups_end(bodies, now),
            requested_at=requested_at,
        )
        _shred(owner_id, bodies, one_by_one=scope is not Scope.BIOMETRIC)
        if scope is Scope.BIOMETRIC:
            _withdraw_consents([owner_id], now)
            leases.revoke(but=LEASE, owner_id=owner_id)
            stops.run(owner_id, now, erase_results=False)
        _start(erasure)
        dispatch.send(LEASE, erasure.id)
    return erasure


def late(now: datetime) -> int:
    """Erasures that are not proved an hour after they were asked for. Must be 0."""
    open_ones = Erasure.objects.exclude(stage=Erasure.Stage.PROVED)
    return open_ones.filter(requested_at__lt=now - LATE).count()


# --- A part ------------------------------------------------------------------------------------


def _hold_living(owner_id: uuid.UUID) -> None:
    """Hold the owner's row alone, or the account's where a person never had a key."""
    User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
    try:
        keys.hold_owner(owner_id, exclusive=True)
    except OwnerErased:
        if OwnerKey.objects.filter(owner_id=owner_id).exists():
            raise


def _bodies(owner_id: uuid.UUID, scope: Scope, target_id: uuid.UUID | None) -> list[Body]:
    """What it holds, and what an export has copied from that."""
    rows = parts[scope].blobs(owner_id, target_id or owner_id).filter(owner_id=owner_id)
    everything = Blob.objects.filter(
        Q(pk__in=rows.values("pk")) | Q(pk__in=export.copies_of(rows).values("pk"))
    )
    found = everything.values_list("pk", "kind", "recipient", "name", "state")
    return [
        Body(pk, kind, recipient, name, state != Blob.State.SHREDDED)
        for pk, kind, recipient, name, state in found
    ]


def _asked_before(
    owner_id: uuid.UUID, scope: Scope, target_id: uuid.UUID | None, bodies: Sequence[Body]
) -> Erasure | None:
    """The first request for the same thing; a face that has come back since is not the same."""
    rows = Erasure.objects.filter(subject_id=owner_id, scope=scope, target_id=target_id)
    found = rows.order_by("-requested_at", "-pk").first()
    if scope is Scope.BIOMETRIC and (any(body.living for body in bodies) or _granted([owner_id])):
        return None
    return found


def _classes(bodies: Sequence[Body]) -> dict[str, int]:
    return dict(Counter(Kind(body.kind).name.lower() for body in bodies if body.living))


def _backups_end(bodies: Sequence[Body], now: datetime) -> datetime:
    """When no backup can bring it back: with the fleet's seed, or with the last old backup.

    The owner key lives on, so a portrait's capsule in a backup opens as long as that backup is
    kept; until then the restore's ledger destroys it again before anybody is served.
    """
    if all(body.recipient == Recipient.FLEET for body in bodies):
        return now + retention.term(Term.FLEET_SEED) + timedelta(days=1)
    return now + retention.term(Term.RESTORE)


def _shred(owner_id: uuid.UUID, bodies: Sequence[Body], *, one_by_one: bool) -> None:
    """Delete the capsules of a part. Of few things each is noted, of all of them the request is."""
    ids = [body.id for body in bodies if body.living]
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        Capsule.objects.filter(pk__in=batch).delete()
        Blob.objects.filter(pk__in=batch).update(state=Blob.State.SHREDDED)
    if one_by_one:
        destroyed = [(pk, owner_id) for pk in ids]
        audit.record_many(audit.Verb.BLOB_DESTROYED, destroyed, reason=audit.Reason.ERASURE)


# --- Both --------------------------------------------------------------------------------------


def _granted(owner_ids: Sequence[uuid.UUID]) -> list[Consent]:
    """The consents that hold: the newest entry of each purpose, where it is a signature."""
    order = ("subject_id", "document__purpose")
    rows = Consent.objects.filter(subject_id__in=owner_ids).order_by(*order, "-at", "-pk")
    return [entry for entry in rows.distinct(*order) if entry.verb == Consent.Verb.GRANTED]


def _withdraw_consents(owner_ids: Sequence[uuid.UUID], now: datetime) -> None:
    """Erasing is no withdrawal that the person has to give first; the machine stops the work."""
    entries = [
        Consent(
            subject_id=entry.subject_id,
            document_id=entry.document_id,
            verb=Consent.Verb.WITHDRAWN,
            act=Consent.Act.ERASURE,
            client="erasure",
            at=now,
        )
        for entry in _granted(owner_ids)
    ]
    Consent.objects.bulk_create(entries)
    audit.record_many(
        audit.Verb.CONSENT_WITHDRAWN,
        [(entry.pk, entry.subject_id) for entry in entries],
        reason=audit.Reason.ERASURE,
    )


def _start(erasure: Erasure) -> None:
    """Write the row and open the work."""
    erasure.save(force_insert=True)
    leases.open_work(LEASE, erasure.id, erasure.subject_id)
    audit.record(
        audit.Verb.ERASURE_REQUESTED,
        subject_id=erasure.subject_id,
        object_id=erasure.id,
        count=max(1, sum(erasure.counts.values())),
        reason=audit.Reason.ERASURE,
    )
