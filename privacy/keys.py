"""Who holds which key. Each function works only in the roles that were given the folder for it."""

import os
import uuid
from datetime import date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection

from privacy import crypto, retention
from privacy.errors import KeyDestroyed, KeyFileRefused, KeyNotHeld, NotReady, OwnerErased
from privacy.keyfiles import KeyFolder
from privacy.models import Erasure, EvidenceKey, FleetKey, OwnerKey, PublishedKey, ReceiptKey

# What belongs to no person (checks, canaries) belongs to this owner.
SYSTEM_OWNER = uuid.UUID(int=0)
PUBLISHED_AHEAD = timedelta(days=2)


def _roots() -> KeyFolder:
    return KeyFolder(settings.ROOT_KEYS, "root")


def _fleet() -> KeyFolder:
    return KeyFolder(settings.FLEET_KEYS, "fleet")


def _evidence() -> KeyFolder:
    return KeyFolder(settings.EVIDENCE_KEYS, "evidence")


def _receipts() -> KeyFolder:
    return KeyFolder(settings.RECEIPT_KEYS, "receipt")


# --- Births: each at the start of the role that owns the key, and from beat ---------------------


def publish_fleet_keys(today: date) -> None:
    """Intake: today's key and those of the two days to come, so that midnight refuses nothing."""
    for ahead in range(PUBLISHED_AHEAD.days + 1):
        label = (today + timedelta(days=ahead)).isoformat()
        _publish(FleetKey, _fleet(), label)


def destroy_old_fleet_keys(today: date) -> int:
    """Intake: remove seeds that no living reference can need any more."""
    oldest = (today - retention.term(retention.Term.FLEET_SEED)).isoformat()
    folder = _fleet()
    old = [label for label in folder.labels() if label <= oldest]
    for label in old:
        folder.remove(label)
    return len(old)


def make_root_key(today: date) -> None:
    """Keeper: the first portrait root, if there is none."""
    folder = _roots()
    if not folder.path or not folder.path.is_dir() or not folder.labels():
        folder.create(today.isoformat(), os.urandom(crypto.SEED_BYTES))


def publish_evidence_key(today: date) -> None:
    """Keeper: this year's key for consent evidence, and in its last days the next year's."""
    for day in (today, today + timedelta(days=7)):
        _publish(EvidenceKey, _evidence(), str(day.year))


def publish_receipt_key(today: date) -> None:
    """Upkeep: this year's key for signing receipts."""
    label = str(today.year)
    seed = _receipts().create(label, os.urandom(crypto.SEED_BYTES))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    _announce(ReceiptKey, label, public)


def _publish(model: type[PublishedKey], folder: KeyFolder, label: str) -> None:
    seed = folder.read(label) if folder.has(label) else folder.create(label, crypto.new_seed())
    _announce(model, label, crypto.public_half(seed))


def _announce(model: type[PublishedKey], label: str, public: bytes) -> None:
    row, _ = model._default_manager.get_or_create(label=label, defaults={"public": public})
    if bytes(row.public) != public:
        raise KeyFileRefused(
            f"The {model._meta.verbose_name} {label} in this folder is not the one that was "
            "published. Restore the folder, or give this process the right one."
        )


# --- Public halves: anybody may seal -----------------------------------------------------------


def fleet_public(day: date) -> tuple[str, bytes]:
    """(label, public half) of the sealing day."""
    return _public(FleetKey, day.isoformat())


def evidence_public(day: date) -> tuple[str, bytes]:
    """(label, public half) of the year."""
    return _public(EvidenceKey, str(day.year))


def owner_public(owner_id: uuid.UUID) -> tuple[str, bytes]:
    """(label, public half) of a living owner."""
    row = (
        OwnerKey.objects.filter(owner_id=owner_id, destroyed_at=None)
        .values_list("public", flat=True)
        .first()
    )
    if row is None:
        raise OwnerErased
    return "", bytes(row)


def _public(model: type[PublishedKey], label: str) -> tuple[str, bytes]:
    row = model._default_manager.filter(label=label).first()
    if row is None:
        raise NotReady
    return label, bytes(row.public)


# --- Private halves ----------------------------------------------------------------------------


def fleet_seed(label: str) -> bytes:
    """Intake and gpu: the seed of a sealing day."""
    return _fleet().read(label)


def evidence_seed(label: str) -> bytes:
    """Keeper: the seed of a year."""
    return _evidence().read(label)


def owner_seed(owner_id: uuid.UUID) -> bytes:
    """Web and keeper: a person's seed, unwrapped for one request."""
    roots = _roots()
    if roots.path is None:
        raise KeyNotHeld("This process holds no root keys.")
    row = OwnerKey.objects.filter(owner_id=owner_id).first()
    if row is None or row.wrapped is None:
        raise KeyDestroyed
    return crypto.unwrap(bytes(row.wrapped), roots.read(row.root_epoch), owner_id)


def receipt_key() -> tuple[str, Ed25519PrivateKey]:
    """Upkeep: (label, the newest signing key)."""
    label = _receipts().labels()[-1]
    return label, Ed25519PrivateKey.from_private_bytes(_receipts().read(label))


def root_epoch() -> str:
    """Web and keeper: the label of the newest portrait root."""
    folder = _roots()
    if folder.path is None:
        raise KeyNotHeld("This process holds no root keys.")
    labels = folder.labels() if folder.path.is_dir() else []
    if not labels:
        raise NotReady
    return labels[-1]


# --- Owners ------------------------------------------------------------------------------------


def ensure_owner(owner_id: uuid.UUID, now: datetime) -> None:
    """Web: make a person's key when they first need one. Never again after an erasure."""
    found = OwnerKey.objects.filter(owner_id=owner_id).values_list("destroyed_at").first()
    if found is None and not Erasure.objects.filter(subject_id=owner_id).exists():
        epoch, roots = root_epoch(), _roots()
        seed = crypto.new_seed()
        OwnerKey.objects.bulk_create(
            [
                OwnerKey(
                    owner_id=owner_id,
                    public=crypto.public_half(seed),
                    wrapped=crypto.wrap(seed, roots.read(epoch), owner_id),
                    root_epoch=epoch,
                    prefix=os.urandom(16).hex(),
                    created_at=now,
                )
            ],
            ignore_conflicts=True,
        )
        return
    if found is None or found[0] is not None:
        raise OwnerErased


def hold_owner(owner_id: uuid.UUID, *, exclusive: bool = False) -> str:
    """Lock the owner's row until the transaction ends and return the object prefix.

    Writers share the lock; erasure, withdrawal and cancel take it alone, so that whichever commits
    first is seen by the other. Raises OwnerErased when there is no living owner.
    """
    lock = "FOR NO KEY UPDATE" if exclusive else "FOR SHARE"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prefix FROM privacy_ownerkey"  # noqa: S608 - the lock is one of two constants
            f" WHERE owner_id = %s AND destroyed_at IS NULL {lock}",
            [owner_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise OwnerErased
    return str(row[0])
