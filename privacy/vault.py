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

from accounts.models import uuid7
from privacy import audit, crypto, keys, restore, retention, storage
from privacy.crypto import Context, Recipient
from privacy.errors import BlobGone, DeadlineRefused, OwnerErased, SealBroken, StorageDown
from privacy.models import Blob
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


# The owner's row is held, so that an erasure is seen, while their pieces get rows and names.
_REGISTER: Final = """
    WITH owner AS (
        SELECT owner_id, prefix, public FROM privacy_ownerkey
        WHERE owner_id = %s AND destroyed_at IS NULL FOR SHARE
    ), made AS (
        INSERT INTO privacy_blob (
            id, owner_id, kind, recipient, recipient_label, name, state, created_at, expires_at)
        SELECT piece.id, owner_id, kind, %s, %s, folder || '/' || prefix || '/' || random, %s, %s,
            expires_at
        FROM owner CROSS JOIN unnest(%s::uuid[], %s::integer[], %s::text[], %s::text[],
            %s::timestamptz[]) AS piece (id, kind, folder, random, expires_at)
        RETURNING id, name
    )
    SELECT public, made.id, name FROM owner CROSS JOIN made
"""


def _draft(
    pieces: Sequence[tuple[Kind, Plain, datetime]],
    recipient: Recipient,
    owner_id: uuid.UUID,
    now: datetime,
) -> list[Draft]:
    label, fleet = keys.fleet_public(now.date()) if recipient is Recipient.FLEET else ("", None)
    ids = [uuid7() for _ in pieces]
    mine, names = _register(ids, pieces, (owner_id, int(recipient), label), now)
    made: list[Draft] = []
    try:
        for blob_id, (kind, plain, _) in zip(ids, pieces, strict=True):
            context = Context(kind, recipient, owner_id, blob_id)
            sealed = crypto.seal(plain, fleet or mine, context)
            storage.put(names[blob_id], sealed)
            digest = hashlib.sha256(sealed.body).digest()
            length = len(sealed.body)
            made.append(Draft(blob_id, owner_id, names[blob_id], sealed.capsule, length, digest))
    except BaseException:
        # Those that were put before; the one that failed is the orphan sweep's.
        if made:
            discard(made)
        raise
    return made


def _register(
    ids: Sequence[uuid.UUID],
    pieces: Sequence[tuple[Kind, Plain, datetime]],
    whose: tuple[uuid.UUID, int, str],
    now: datetime,
) -> tuple[bytes, dict[uuid.UUID, str]]:
    """(the owner's public half, each piece's name); every piece has its row. Raises OwnerErased."""
    kinds = [int(kind) for kind, *_ in pieces]
    folders = [kind.name.lower() for kind, *_ in pieces]
    random = [os.urandom(16).hex() for _ in pieces]
    ends = [end for *_, end in pieces]
    state = str(Blob.State.REGISTERED)
    with connection.cursor() as cursor:
        cursor.execute(_REGISTER, [*whose, state, now, list(ids), kinds, folders, random, ends])
        rows = cursor.fetchall()
    if not rows:
        raise OwnerErased
    return bytes(rows[0][0]), {blob_id: name for _, blob_id, name in rows}


# A capsule for each piece whose row was still there.
_STORE: Final = """
    WITH stored AS (
        UPDATE privacy_blob SET state = %s, length = made.length, sha256 = made.sha256
        FROM unnest(%s::uuid[], %s::integer[], %s::bytea[], %s::bytea[])
            AS made (id, length, sha256, enc)
        WHERE privacy_blob.id = made.id AND state = %s
        RETURNING privacy_blob.id, made.enc
    )
    INSERT INTO privacy_capsule (blob_id, enc) SELECT id, enc FROM stored
"""


def commit(drafts: Iterable[Draft]) -> bool:
    """Make drafts readable, all or none, in the caller's transaction, which holds the owner's row.

    False: one of them was destroyed meanwhile, and the caller must roll back.
    """
    made = list(drafts)
    if not made:
        return True
    ids = [item.blob_id for item in made]
    with connection.cursor() as cursor:
        lengths, digests = [item.length for item in made], [item.sha256 for item in made]
        capsules = [item.enc for item in made]
        states = (str(Blob.State.STORED), str(Blob.State.REGISTERED))
        cursor.execute(_STORE, [states[0], ids, lengths, digests, capsules, states[1]])
        if cursor.rowcount != len(made):
            return False
    written = [(item.blob_id, item.owner_id) for item in made]
    audit.record_many(audit.Verb.BLOB_WRITTEN, written, reason=audit.Reason.NONE)
    return True


_FIND: Final = """
    SELECT id, owner_id, kind, recipient, recipient_label, name, length, sha256, enc
    FROM privacy_blob JOIN privacy_capsule ON blob_id = id
    WHERE id = %s AND state = %s AND expires_at > %s
"""


def read(blob_id: uuid.UUID, now: datetime, *, why: audit.Reason) -> Plain:
    """Open one blob; audited. Raises BlobGone, SealBroken, KeyNotHeld, KeyDestroyed."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [blob_id, str(Blob.State.STORED), now])
        row = cursor.fetchone()
    if row is None:
        raise BlobGone
    found, owner_id, kind, recipient, label, name, length, sha256, enc = row
    context = Context(kind, Recipient(recipient), owner_id, found)
    fleet = recipient == Recipient.FLEET
    seed = keys.fleet_seed(label) if fleet else keys.owner_seed(owner_id)
    body = storage.get(name)
    if len(body) != length or hashlib.sha256(body).digest() != bytes(sha256 or b""):
        raise SealBroken
    plain = crypto.unseal(crypto.stored(bytes(enc), body), seed, context)
    audit.record(audit.Verb.BLOB_READ, subject_id=owner_id, object_id=found, reason=why)
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
    # Most callers have a transaction of their own, which needs no second one inside it.
    with transaction.atomic(savepoint=False):
        living = blobs.exclude(state=Blob.State.SHREDDED)
        rows = living.select_for_update(of=("self",), no_key=True)
        return _shred(list(rows.values_list("pk", "owner_id")), verb, why)


_HOLD: Final = """
    SELECT id, owner_id FROM privacy_blob WHERE id = ANY(%s::uuid[]) AND state <> %s
    FOR NO KEY UPDATE
"""


def shred(blob_ids: Sequence[uuid.UUID], *, why: audit.Reason) -> int:
    """The same for blobs that are known by their ids, as at the end of each job."""
    if not blob_ids:
        return 0
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [list(blob_ids), str(Blob.State.SHREDDED)])
            found = cursor.fetchall()
        return _shred(found, audit.Verb.BLOB_DESTROYED, why)


_SHRED: Final = """
    WITH gone AS (DELETE FROM privacy_capsule WHERE blob_id = ANY(%s::uuid[]))
    UPDATE privacy_blob SET state = %s WHERE id = ANY(%s::uuid[])
"""


def _shred(
    found: Sequence[tuple[uuid.UUID, uuid.UUID]], verb: audit.Verb, why: audit.Reason
) -> int:
    """Of (blob, owner), whose rows are held."""
    if not found:
        return 0
    ids = [pk for pk, _ in found]
    with connection.cursor() as cursor:
        cursor.execute(_SHRED, [ids, str(Blob.State.SHREDDED), ids])
    if verb is audit.Verb.BLOB_DESTROYED:
        audit.record_many(verb, found, reason=why)
    else:
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
