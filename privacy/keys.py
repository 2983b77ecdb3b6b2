"""Who holds which key. Each function works only in the roles that were given the store for it."""

import os
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.db.models import QuerySet

from privacy import crypto, epochs, keystores, retention
from privacy.errors import KeyDestroyed, KeyFileRefused, NotReady, OwnerErased
from privacy.keyfiles import KeyStore
from privacy.models import (
    ConsentEvidence,
    Erasure,
    EvidenceKey,
    FleetKey,
    GrantKey,
    OwnerKey,
    PublishedKey,
    ReceiptKey,
    RootEpoch,
    SignInGrant,
)

# What belongs to no person (checks, canaries) belongs to this owner.
SYSTEM_OWNER = uuid.UUID(int=0)
PUBLISHED_AHEAD = timedelta(days=2)


def _fleet() -> KeyStore:
    return keystores.of("fleet")


def _evidence() -> KeyStore:
    return keystores.of("evidence")


def _grants() -> KeyStore:
    return keystores.of("grant")


def _receipts() -> KeyStore:
    return keystores.of("receipt")


# --- Births and ends: each at the start of the role that owns the key, and from beat -------------


def publish_fleet_keys(today: date) -> None:
    """Intake: today's key and those of the two days to come, so that midnight refuses nothing."""
    for ahead in range(PUBLISHED_AHEAD.days + 1):
        label = (today + timedelta(days=ahead)).isoformat()
        _publish(FleetKey, _fleet(), label, crypto.public_half)


def destroy_old_fleet_keys(today: date) -> int:
    """Intake: remove seeds that no living reference can need any more."""
    return _remove(_fleet(), lambda label: label <= _oldest_fleet_day(today))


def make_root_key(now: datetime) -> None:
    """Keeper: the first portrait root, if there is none; later ones are rotation's."""
    if not RootEpoch.objects.filter(destroyed_at=None, retired_at=None).exists():
        epochs.make(now)
    epochs.newest()


def publish_evidence_key(today: date) -> None:
    """Keeper: this year's key for consent evidence, and in its last days the next year's."""
    for day in (today, today + timedelta(days=7)):
        _publish(EvidenceKey, _evidence(), str(day.year), crypto.public_half)


def destroy_old_evidence_keys(today: date) -> int:
    """Keeper: remove seeds of years whose last evidence is past its term and gone."""
    kept = set(ConsentEvidence.objects.values_list("key_label", flat=True).distinct())
    return _remove(
        _evidence(), lambda label: label < _oldest_evidence_year(today) and label not in kept
    )


def publish_grant_key(today: date) -> None:
    """Courier: this year's key for Apple's tokens; old seeds go with the last token of theirs."""
    _publish(GrantKey, _grants(), str(today.year), crypto.public_half)
    kept = set(SignInGrant.objects.values_list("key_label", flat=True).distinct())
    _remove(_grants(), lambda label: label < str(today.year) and label not in kept)


def publish_receipt_key(today: date) -> None:
    """Upkeep: this year's key for signing receipts."""
    _publish(ReceiptKey, _receipts(), str(today.year), _verifying_half)


def _verifying_half(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _publish(
    model: type[PublishedKey], store: KeyStore, label: str, half: Callable[[bytes], bytes]
) -> None:
    row = model._default_manager.filter(label=label).first()
    if row is None:
        public = half(store.create(label, crypto.new_seed()))
        row, _ = model._default_manager.get_or_create(label=label, defaults={"public": public})
    _compare(row, store, half)


def _compare(row: PublishedKey, store: KeyStore, half: Callable[[bytes], bytes]) -> None:
    if bytes(row.public) != half(store.read(row.label)):
        raise KeyFileRefused(
            f"The {row._meta.verbose_name} {row.label} in this folder is not the one that was "
            "published. Restore the folder, or give this process the right one."
        )


def _remove(store: KeyStore, ended: Callable[[str], bool]) -> int:
    old = [label for label in store.labels() if ended(label)]
    for label in old:
        store.remove(label)
    return len(old)


def _oldest_fleet_day(today: date) -> str:
    """The last sealing day whose seed is destroyed by now."""
    return (today - retention.term(retention.Term.FLEET_SEED)).isoformat()


def _oldest_evidence_year(today: date) -> str:
    """The first year whose evidence may still be within its term."""
    return str((today - retention.term(retention.Term.EVIDENCE)).year)


# --- At the start of a role ---------------------------------------------------------------------


def check_held(now: datetime) -> None:
    """Every key that this role holds is there, whole, private, and the one that is known.

    Raises KeyFileRefused with the name of the first that is not.
    """
    today = now.date()
    if keystores.of("root").held:
        for label in epochs.needed(now):
            epochs.read(label)
    if _fleet().held:
        days = FleetKey.objects.filter(label__gt=_oldest_fleet_day(today))
        _compare_all(days, _fleet(), crypto.public_half)
    if _evidence().held:
        years = EvidenceKey.objects.filter(label__gte=_oldest_evidence_year(today))
        _compare_all(years, _evidence(), crypto.public_half)
    if _grants().held:
        _compare_all(GrantKey.objects.order_by("-label")[:1], _grants(), crypto.public_half)
    if _receipts().held:
        _compare_all(ReceiptKey.objects.order_by("-label")[:1], _receipts(), _verifying_half)


def _compare_all(
    rows: QuerySet[FleetKey] | QuerySet[EvidenceKey] | QuerySet[ReceiptKey] | QuerySet[GrantKey],
    store: KeyStore,
    half: Callable[[bytes], bytes],
) -> None:
    for row in rows:
        _compare(row, store, half)


def give_up(sort: str, label: str, now: datetime) -> bool:
    """The operator: a key is lost for good, so that the system may start without it.

    What was sealed to it cannot be opened again. The day's or year's key is born anew.
    """
    if sort == "root":
        living = RootEpoch.objects.filter(label=label, destroyed_at=None)
        return bool(living.update(retired_at=now, destroyed_at=now))
    models: dict[str, type[PublishedKey]] = {"fleet": FleetKey, "evidence": EvidenceKey}
    return bool(models[sort]._default_manager.filter(label=label).delete()[0])


# --- Public halves: anybody may seal -----------------------------------------------------------


def fleet_public(day: date) -> tuple[str, bytes]:
    """(label, public half) of the sealing day."""
    return _public(FleetKey, day.isoformat())


def evidence_public(day: date) -> tuple[str, bytes]:
    """(label, public half) of the year."""
    return _public(EvidenceKey, str(day.year))


def grant_public() -> tuple[str, bytes] | None:
    """(label, the newest public half), or None where no courier could open a thing."""
    row = GrantKey.objects.order_by("-label").first()
    return (row.label, bytes(row.public)) if row else None


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


def grant_seed(label: str) -> bytes:
    """Courier: the seed of a year."""
    return _grants().read(label)


def evidence_seed(label: str) -> bytes:
    """Keeper: the seed of a year."""
    return _evidence().read(label)


def owner_seed(owner_id: uuid.UUID) -> bytes:
    """Web and keeper: a person's seed, unwrapped for one request."""
    epochs.roots()
    row = OwnerKey.objects.filter(owner_id=owner_id).first()
    if row is None or row.wrapped is None:
        raise KeyDestroyed
    return epochs.open_owner(bytes(row.wrapped), row.root_epoch, owner_id)


def receipt_key() -> tuple[str, Ed25519PrivateKey]:
    """Upkeep: (label, the newest signing key)."""
    label = _receipts().labels()[-1]
    return label, Ed25519PrivateKey.from_private_bytes(_receipts().read(label))


def root_epoch() -> str:
    """Web and keeper: the label of the portrait root that is in turn."""
    return epochs.newest()


def unopenable_under(label: str, now: datetime) -> datetime:
    """By when no backup of the database opens the things of whoever is erased now.

    `label` is the epoch of the root that their key was wrapped with, empty where they had none. A
    copy of the wrapped key ends with that root, one of a capsule that was sealed to the workers
    with the seed of its day, whichever is later.
    """
    ends = [now]
    epoch = RootEpoch.objects.filter(label=label, destroyed_at=None).first()
    if epoch is not None:
        ends.append(epochs.end(epoch, now))
    day = FleetKey.objects.order_by("-label").values_list("label", flat=True).first()
    if day is not None:
        sealed = datetime.combine(date.fromisoformat(day), time.min, UTC)
        ends.append(sealed + retention.term(retention.Term.FLEET_SEED) + epochs.LATE)
    return max(ends)


# --- Owners ------------------------------------------------------------------------------------


def ensure_owner(owner_id: uuid.UUID, now: datetime) -> None:
    """Web: make a person's key when they first need one. Never again after an erasure."""
    found = OwnerKey.objects.filter(owner_id=owner_id).values_list("destroyed_at").first()
    if found is None and not Erasure.objects.filter(subject_id=owner_id, scope="account").exists():
        epoch = root_epoch()
        seed = crypto.new_seed()
        OwnerKey.objects.bulk_create(
            [
                OwnerKey(
                    owner_id=owner_id,
                    public=crypto.public_half(seed),
                    wrapped=crypto.wrap(seed, epochs.read(epoch), owner_id),
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


def hold_owners(owner_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Lock many owners' rows alone, in one order for everybody; the prefixes of those who live."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, prefix FROM privacy_ownerkey WHERE owner_id = ANY(%s::uuid[])"
            " AND destroyed_at IS NULL ORDER BY owner_id FOR NO KEY UPDATE",
            [list(owner_ids)],
        )
        return dict(cursor.fetchall())
