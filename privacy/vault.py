"""The only door to personal bytes: draft, commit, write, read, destroy.

The caller says what kind of thing it is and whose; keys, nonces, recipients, object names and
deadlines are chosen here. A row with a deadline exists before the first byte leaves the process,
and a body can be opened only once its capsule is committed.
"""

import hashlib
import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from privacy import audit, crypto, keys, restore, retention, storage
from privacy.crypto import Context, Recipient
from privacy.errors import BlobGone, DeadlineRefused, SealBroken, StorageDown
from privacy.models import Blob, Capsule
from privacy.plain import Plain
from privacy.retention import Kind

RECIPIENTS: Final[dict[Kind, Recipient]] = {
    Kind.UPLOAD: Recipient.FLEET,
    Kind.REFERENCE: Recipient.FLEET,
    Kind.PROMPT: Recipient.FLEET,
    Kind.SOURCE: Recipient.FLEET,
    Kind.CHECK: Recipient.FLEET,
    Kind.PORTRAIT: Recipient.OWNER,
    Kind.RENDITION: Recipient.OWNER,
    Kind.CANARY: Recipient.OWNER,
    Kind.EXPORT: Recipient.OWNER,
}


@dataclass(frozen=True)
class Draft:
    """A body that is in the bucket and cannot be opened by anybody until it is committed."""

    blob_id: uuid.UUID
    owner_id: uuid.UUID
    name: str
    enc: bytes
    length: int
    sha256: bytes


def draft(
    kind: Kind,
    owner_id: uuid.UUID,
    plain: Plain,
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> Draft:
    """Register, seal, put. Raises OwnerErased, NotReady or StorageDown; nothing is half-written.

    BlobGone: what was wanted has ended already, as when a set dies while its photo is checked.
    """
    end = retention.deadline(kind, now, expires_at)
    if end <= now:
        raise BlobGone
    return _draft([(kind, plain, end)], RECIPIENTS[kind], owner_id, now)[0]


def draft_all(
    owner_id: uuid.UUID, pieces: Sequence[tuple[Kind, Plain]], now: datetime
) -> list[Draft]:
    """Several of one owner's that belong together and have one recipient: a portrait's sizes.

    Registered at once, which costs as much as one. What fails in between leaves none of them.
    """
    (recipient,) = {RECIPIENTS[kind] for kind, _ in pieces}
    ending = [(kind, plain, retention.deadline(kind, now, None)) for kind, plain in pieces]
    return _draft(ending, recipient, owner_id, now)


def draft_canary(recipient: Recipient, now: datetime) -> Draft:
    """Random bytes of no person, to see who opens them: the one draft with a chosen recipient."""
    end = retention.deadline(Kind.CANARY, now)
    piece = (Kind.CANARY, Plain(os.urandom(32)), end)
    return _draft([piece], recipient, keys.SYSTEM_OWNER, now)[0]


def _draft(
    pieces: Sequence[tuple[Kind, Plain, datetime]],
    recipient: Recipient,
    owner_id: uuid.UUID,
    now: datetime,
) -> list[Draft]:
    label, public = _public_half(recipient, owner_id, now)
    with transaction.atomic():
        prefix = keys.hold_owner(owner_id)
        blobs = Blob.objects.bulk_create(
            Blob(
                owner_id=owner_id,
                kind=kind,
                recipient=recipient,
                recipient_label=label,
                name=f"{kind.name.lower()}/{prefix}/{os.urandom(16).hex()}",
                created_at=now,
                expires_at=end,
            )
            for kind, _, end in pieces
        )
    made = []
    try:
        for blob, (kind, plain, _) in zip(blobs, pieces, strict=True):
            sealed = crypto.seal(plain, public, Context(kind, recipient, owner_id, blob.id))
            storage.put(blob.name, sealed)
            digest = hashlib.sha256(sealed.body).digest()
            made.append(
                Draft(blob.id, owner_id, blob.name, sealed.capsule, len(sealed.body), digest)
            )
    except BaseException:
        # Those that were put before; the one that failed is the orphan sweep's.
        if made:
            discard(made)
        raise
    return made


_STORE: Final = """
    UPDATE privacy_blob SET state = %s, length = made.length, sha256 = made.sha256
    FROM unnest(%s::uuid[], %s::integer[], %s::bytea[]) AS made (id, length, sha256)
    WHERE privacy_blob.id = made.id AND state = %s
"""


def commit(drafts: Iterable[Draft]) -> bool:
    """Make drafts readable, all or none, in the caller's transaction, which holds the owner's row.

    False: one of them was destroyed meanwhile, and the caller must roll back.
    """
    made = list(drafts)
    ids = [item.blob_id for item in made]
    with connection.cursor() as cursor:
        lengths, digests = [item.length for item in made], [item.sha256 for item in made]
        states = (str(Blob.State.STORED), str(Blob.State.REGISTERED))
        cursor.execute(_STORE, [states[0], ids, lengths, digests, states[1]])
        if cursor.rowcount != len(made):
            return False
    Capsule.objects.bulk_create(Capsule(blob_id=item.blob_id, enc=item.enc) for item in made)
    written = [(item.blob_id, item.owner_id) for item in made]
    audit.record_many(audit.Verb.BLOB_WRITTEN, written, reason=audit.Reason.NONE)
    return True


def read(blob_id: uuid.UUID, now: datetime, *, why: audit.Reason) -> Plain:
    """Open one blob; audited. Raises BlobGone, SealBroken, KeyNotHeld, KeyDestroyed."""
    row = (
        Blob.objects.filter(pk=blob_id, state=Blob.State.STORED, expires_at__gt=now)
        .select_related("capsule")
        .first()
    )
    if row is None or not hasattr(row, "capsule"):
        raise BlobGone
    context = Context(row.kind, Recipient(row.recipient), row.owner_id, row.id)
    seed = _private_half(row)
    body = storage.get(row.name)
    if len(body) != row.length or hashlib.sha256(body).digest() != bytes(row.sha256 or b""):
        raise SealBroken
    plain = crypto.unseal(crypto.stored(bytes(row.capsule.enc), body), seed, context)
    audit.record(audit.Verb.BLOB_READ, subject_id=row.owner_id, object_id=row.id, reason=why)
    return plain


def destroy(
    blobs: QuerySet[Blob],
    *,
    verb: audit.Verb = audit.Verb.BLOB_DESTROYED,
    why: audit.Reason = audit.Reason.NONE,
) -> int:
    """Shred: delete the capsules now, in the caller's transaction; the bodies are noise from here.

    The objects and rows follow by `sweeps.reap`, which the caller may run after the commit.
    """
    with transaction.atomic():
        found = list(
            blobs.exclude(state=Blob.State.SHREDDED)
            .select_for_update(of=("self",), no_key=True)
            .values_list("pk", "owner_id")
        )
        ids = [pk for pk, _ in found]
        Capsule.objects.filter(pk__in=ids).delete()
        Blob.objects.filter(pk__in=ids).update(state=Blob.State.SHREDDED)
        if verb is audit.Verb.BLOB_DESTROYED:
            audit.record_many(verb, found, reason=why)
        elif ids:
            audit.record(verb, count=len(ids), reason=why)
    return len(ids)


def discard(drafts: Iterable[Draft]) -> None:
    """Destroy drafts that may not be committed: the owner left, or somebody else was faster.

    What was committed stays: a connection that broke behind the commit must not cost a portrait.
    The bodies are deleted by name, because an erasure may have taken the rows already. What a
    bucket that is down keeps back is noise, and the orphan sweep's.
    """
    unwanted = {item.blob_id: item.name for item in drafts}
    rows = Blob.objects.filter(pk__in=unwanted)
    destroy(rows.filter(state=Blob.State.REGISTERED), why=audit.Reason.UNFINISHED)
    for kept in rows.filter(state=Blob.State.STORED).values_list("pk", flat=True):
        del unwanted[kept]
    with suppress(StorageDown):
        storage.delete(unwanted.values())


def move_deadline(blobs: QuerySet[Blob], expires_at: datetime, now: datetime) -> None:
    """Move the end of one owner's living blobs.

    Raises DeadlineRefused past the cap, BlobGone if none lives, LedgerDown where an earlier end
    cannot be written down; then nothing has changed. A portrait's end may move both ways, by its
    owner; anything else can only end earlier.
    """
    rows = _movable(blobs, expires_at, now)
    owner_id = rows[0].owner_id
    sooner = tuple(row.pk for row in rows if expires_at < row.expires_at)
    if not sooner:
        _move(owner_id, blobs, expires_at, now)
        return
    intent = restore.Intent.SHORTEN
    with restore.intend(intent, owner_id, now, blobs=sooner, expires_at=expires_at):
        _move(owner_id, blobs, expires_at, now)


def _move(owner_id: uuid.UUID, blobs: QuerySet[Blob], expires_at: datetime, now: datetime) -> None:
    with transaction.atomic():
        keys.hold_owner(owner_id)
        # Asked again behind the lock: an end that moved meanwhile may refuse this one.
        held = blobs.select_for_update(of=("self",), no_key=True)
        moved = [row.pk for row in _movable(held, expires_at, now)]
        audit.record_many(
            audit.Verb.DEADLINE_MOVED, [(pk, owner_id) for pk in moved], reason=audit.Reason.OWNER
        )
        Blob.objects.filter(pk__in=moved).update(expires_at=expires_at)


def _movable(blobs: QuerySet[Blob], expires_at: datetime, now: datetime) -> list[Blob]:
    rows = list(blobs.filter(state=Blob.State.STORED, expires_at__gt=now))
    if not rows:
        raise BlobGone
    for row in rows:
        kind = Kind(row.kind)
        longer = expires_at > row.expires_at
        if expires_at > row.created_at + retention.DEADLINES[kind].cap or expires_at <= now:
            raise DeadlineRefused
        if longer and kind not in (Kind.PORTRAIT, Kind.RENDITION):
            raise DeadlineRefused("This can only be shortened.")
    return rows


def _public_half(recipient: Recipient, owner_id: uuid.UUID, now: datetime) -> tuple[str, bytes]:
    if recipient is Recipient.FLEET:
        return keys.fleet_public(now.date())
    return keys.owner_public(owner_id)


def _private_half(row: Blob) -> bytes:
    if row.recipient == Recipient.FLEET:
        return keys.fleet_seed(row.recipient_label)
    return keys.owner_seed(row.owner_id)
