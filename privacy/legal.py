"""Legal orders: two officers agree, the keeper seals, upkeep tells the person. No admin page.

The web knows who the officers are and notes what they agree to; the keeper alone can read what it
is about, through a function of PostgreSQL that looks for two different officers first; what it
reads leaves sealed to the recipient's key, whose fingerprint both have agreed to. Photos are not in
it: the keeper holds no key to them, and they end within days. Refuses one person alone.
"""

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import User
from privacy import archive, audit, copies, crypto, keys, storage
from privacy.crypto import Context, Recipient
from privacy.errors import (
    BlobGone,
    OrderAgreed,
    OrderKeyRefused,
    OrderOfNobody,
    OrderSealed,
    OrderStale,
    OrderUnknown,
    SealBroken,
    SecondPersonMissing,
)
from privacy.models import Consent, LegalOrder, OwnerKey
from privacy.plain import Plain

KIND: Final = 15  # FORMAT.md's number; a package is a file outside and no blob
MAGIC: Final = b"sitter/legal/v1\n"
PERMISSION: Final = "privacy.approve_legalorder"
WITHIN: Final = timedelta(days=7)
State = LegalOrder.State
README: Final = """\
Handed out under a legal order. Its number, its reason and its times are in order.json.

account.json    Where the person is reached, and when they were here.
consents.json   What they agreed to or took back; releases/ holds what they signed.
portraits/      Their portraits that have not reached their end; smaller/ holds their sizes, and as
                .json the words that some were painted from.
contents.json   What is in here, and what could not be opened.

Not in here: photos, which nobody who answers orders can open, and which end within days; passwords
and keys; anything about anybody else.
"""


# --- Agreeing: the web ---------------------------------------------------------------------------


def file_order(
    subject_id: uuid.UUID,
    reason: LegalOrder.Reason,
    recipient: bytes,
    officer_id: uuid.UUID,
    now: datetime,
    *,
    silent_until: datetime | None = None,
) -> LegalOrder:
    """The first officer asks. Raises OrderOfNobody, OrderKeyRefused."""
    if not User.objects.filter(pk=subject_id, is_active=True).exists():
        raise OrderOfNobody
    _check_key(recipient)
    order = LegalOrder.objects.create(
        subject_id=subject_id,
        reason=reason,
        recipient_sha256=crypto.fingerprint(recipient),
        first_id=officer_id,
        silent_until=silent_until,
        filed_at=now,
    )
    _note(audit.Verb.ORDER_FILED, order.pk)
    return order


def approve(order_id: uuid.UUID, recipient: bytes, officer_id: uuid.UUID, now: datetime) -> None:
    """The second officer agrees, having the same key in hand.

    Raises OrderUnknown, OrderSealed, OrderAgreed, OrderStale, OrderKeyRefused, and
    SecondPersonMissing where it is the first one again.
    """
    with transaction.atomic():
        order = _find(order_id)
        if order.state == State.SEALED:
            raise OrderSealed
        if order.state == State.APPROVED:
            raise OrderAgreed
        if order.filed_at + WITHIN <= now:
            raise OrderStale
        _compare(order, recipient)
        waiting = LegalOrder.objects.filter(pk=order_id, state=State.FILED)
        other = waiting.exclude(first_id=officer_id)
        if not other.update(state=State.APPROVED, second_id=officer_id, approved_at=now):
            raise SecondPersonMissing
        _note(audit.Verb.ORDER_APPROVED, order_id)


# --- Sealing: the keeper -------------------------------------------------------------------------


def seal(
    order_id: uuid.UUID, recipient: bytes, now: datetime, *, hand_out: Callable[[bytes], None]
) -> None:
    """Make the package once and hand it out; where that fails, nothing was sealed.

    Raises OrderUnknown, SecondPersonMissing, OrderStale, OrderSealed, OrderKeyRefused, OwnerErased
    and StorageDown.
    """
    with transaction.atomic():
        order = _find(order_id)
        if order.state == State.SEALED:
            raise OrderSealed
        if order.second_id is None or order.approved_at is None:
            raise SecondPersonMissing
        if order.approved_at + WITHIN <= now:
            raise OrderStale
        _compare(order, recipient)
        package = _sealed(order, _packed(order, now), recipient)
        if OwnerKey.objects.filter(pk=order.subject_id).exists():
            # Whoever has left meanwhile has left: from here on an erasure waits, and what was
            # packed before it is dropped.
            keys.hold_owner(order.subject_id)
        digest = hashlib.sha256(package).digest()
        LegalOrder.objects.filter(pk=order_id, state=State.APPROVED).update(
            state=State.SEALED, sealed_at=now, package_sha256=digest
        )
        _note(audit.Verb.ORDER_SEALED, order_id)
        hand_out(package)


def _sealed(order: LegalOrder, plain: Plain, recipient: bytes) -> bytes:
    """A header of 48 bytes, then capsule and body, as FORMAT.md says."""
    context = Context(KIND, Recipient.OUTSIDE, order.subject_id, order.pk)
    sealed = crypto.seal(plain, recipient, context)
    head = MAGIC + order.pk.bytes + order.subject_id.bytes
    return b"".join((head, sealed.capsule, sealed.body))


def _packed(order: LegalOrder, now: datetime) -> Plain:
    """The ZIP, in memory alone."""
    held = io.BytesIO()
    left_out: list[dict[str, str]] = []
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", README)
        file.writestr("order.json", _json(_told(order, now)))
        for name, plain in _entries(order, now, left_out):
            file.writestr(name, plain.reveal())
        contents = {"files": sorted(file.namelist()), "left_out": left_out}
        file.writestr("contents.json", _json(contents))
    return Plain(held.getvalue())


def _told(order: LegalOrder, now: datetime) -> dict[str, Any]:
    return {
        "order": str(order.pk),
        "about": str(order.subject_id),
        "reason": order.reason,
        "filed_at": order.filed_at.isoformat(),
        "sealed_at": now.isoformat(),
    }


def _entries(
    order: LegalOrder, now: datetime, left_out: list[dict[str, str]]
) -> Iterator[tuple[str, Plain]]:
    """(name, what is in it) of each file; what does not open is listed instead."""
    for sort, item_id, said, enc in _material(order.pk):
        if sort == "account":
            yield "account.json", Plain(_json(said))
            continue
        folder = archive.FOLDERS[said["kind"]]
        try:
            opened = _opened(order.subject_id, item_id, said, enc)
        except (BlobGone, SealBroken) as error:
            left_out.append({"id": str(item_id), "because": error.code})
            continue
        yield f"{folder}/{item_id}.{archive.ending(opened.reveal())}", opened
    consents = Consent.objects.filter(subject_id=order.subject_id).order_by("at", "pk")
    said_of = consents.values("id", "document_id", "verb", "act", "client", "at", "shown_at")
    yield "consents.json", Plain(_json(list(said_of)))
    for entry in consents.filter(act=Consent.Act.TYPED_NAME):
        try:
            release = copies.release_of(
                order.subject_id, entry.pk, now, noted=None, why=audit.Reason.LEGAL_ORDER
            )
        except (BlobGone, SealBroken) as error:
            left_out.append({"id": str(entry.pk), "because": error.code})
            continue
        yield f"releases/{entry.pk}.json", release


def _material(order_id: uuid.UUID) -> list[tuple[str, uuid.UUID, dict[str, Any], bytes]]:
    """What PostgreSQL gives the keeper of this order: the account, and capsules with their rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM privacy_legal_material(%s)", [order_id])
        rows = cursor.fetchall()
    return [(sort, pk, json.loads(said), bytes(enc or b"")) for sort, pk, said, enc in rows]


def _opened(owner_id: uuid.UUID, blob_id: uuid.UUID, said: dict[str, Any], enc: bytes) -> Plain:
    """One portrait or what belongs to it. Raises BlobGone, SealBroken, StorageDown."""
    body = storage.get(said["name"])
    if hashlib.sha256(body).hexdigest() != said["sha256"]:
        raise SealBroken
    context = Context(said["kind"], Recipient.OWNER, owner_id, blob_id)
    opened = crypto.unseal(crypto.stored(enc, body), keys.owner_seed(owner_id), context)
    # Under nobody's id: what the person may not know yet is in no copy of theirs.
    audit.record(audit.Verb.BLOB_READ, object_id=blob_id, reason=audit.Reason.LEGAL_ORDER)
    return opened


# --- Both ----------------------------------------------------------------------------------------


def _find(order_id: uuid.UUID) -> LegalOrder:
    """Locked. Raises OrderUnknown."""
    order = LegalOrder.objects.select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        raise OrderUnknown
    return order


def _check_key(recipient: bytes) -> None:
    """Whether something can be sealed to it at all."""
    nowhere = Context(KIND, Recipient.OUTSIDE, keys.SYSTEM_OWNER, keys.SYSTEM_OWNER)
    try:
        crypto.seal(Plain(b""), recipient, nowhere)
    except ValueError as error:
        raise OrderKeyRefused from error


def _compare(order: LegalOrder, recipient: bytes) -> None:
    if crypto.fingerprint(recipient) != bytes(order.recipient_sha256):
        raise OrderKeyRefused


def _note(verb: audit.Verb, order_id: uuid.UUID) -> None:
    audit.record(verb, object_id=order_id, reason=audit.Reason.LEGAL_ORDER)


def _json(said: Any) -> bytes:
    return json.dumps(said, indent=1, ensure_ascii=False, default=str).encode()
