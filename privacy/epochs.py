"""The life of portrait roots: made, in turn, retired, destroyed. One row an epoch, one key a store.

The key is kept first and the row written second, so that a row always has its key; the web wraps
under the newest row alone. A key is destroyed first and its row closed second, so that no row says
"destroyed" of a key that is still there. Refuses a key that is not the one of its row.
"""

import hashlib
import os
import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from privacy import audit, crypto, keystores
from privacy.errors import KeyFileRefused, KeyNotHeld, NotReady, SealBroken
from privacy.keyfiles import KeyStore
from privacy.models import OwnerKey, RootEpoch
from privacy.retention import ROOT_TURN, ROOT_WAIT

# Two keepers that turn at once would make two roots; the lock ends with the transaction.
TURN_LOCK: Final = 0x5177E2
# Beat comes hourly, and a keeper may be away for a while.
LATE: Final = timedelta(days=1)


def roots() -> KeyStore:
    """Web and keeper: where the roots lie. Raises KeyNotHeld in any other role."""
    store = keystores.of("root")
    if not store.held:
        raise KeyNotHeld("This process holds no root keys.")
    return store


def newest() -> str:
    """The label of the root that is in turn."""
    roots()
    row = _living().filter(retired_at=None).order_by("-label").first()
    if row is None:
        raise NotReady
    return row.label


def check_sha256(secret: bytes) -> bytes:
    """By what a row knows its root, without telling anything about it."""
    return hashlib.sha256(b"sitter/root-check/v1" + secret).digest()


def read(label: str) -> bytes:
    """The root of an epoch; raises KeyFileRefused when another lies under its name."""
    secret = roots().read(label)
    row = RootEpoch.objects.filter(label=label).first()
    if row is not None and bytes(row.check_sha256) != check_sha256(secret):
        raise KeyFileRefused(
            f"The root key {label} is not the one of this epoch; it belongs to another installation"
            " or was exchanged. Put back the right one."
        )
    return secret


def open_owner(wrapped: bytes, label: str, owner_id: uuid.UUID) -> bytes:
    """An owner's seed; what does not open under another root is that root's fault, by name."""
    try:
        return crypto.unwrap(wrapped, roots().read(label), owner_id)
    except SealBroken:
        read(label)
        raise


def make(now: datetime, *, force: bool = False) -> str | None:
    """Keeper: a new root, when there is none, when its turn is over, or when forced."""
    store = roots()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN_LOCK])
        _adopt(store, now)
        current = _living().filter(retired_at=None).order_by("-label").first()
        if current is not None and not force and now < current.created_at + ROOT_TURN:
            return None
        label = _free_label(now)
        # A leftover of a keeper that died between the two steps is taken as the new root.
        secret = store.create(label, os.urandom(crypto.SEED_BYTES))
        _living().filter(retired_at=None).update(retired_at=now)
        RootEpoch.objects.create(label=label, check_sha256=check_sha256(secret), created_at=now)
        audit.record(audit.Verb.ROOT_MADE)
    return label


def destroy_due(now: datetime) -> list[str]:
    """Keeper: end the roots whose wait is over and which no living owner refers to."""
    store = roots()
    ended = list(_unneeded(now).values_list("label", flat=True))
    for label in ended:
        store.remove(label)
        with transaction.atomic():
            if RootEpoch.objects.filter(pk=label, destroyed_at=None).update(destroyed_at=now):
                audit.record(audit.Verb.ROOT_DESTROYED)
    return ended


def needed(now: datetime) -> list[str]:
    """Epochs whose key must be there: all that live, but those which are just being destroyed."""
    ending = set(_unneeded(now).values_list("label", flat=True))
    labels = _living().order_by("label").values_list("label", flat=True)
    return [label for label in labels if label not in ending]


def late(now: datetime) -> list[str]:
    """Epochs that have outlived what receipts promise of them. It must be empty."""
    overdue = Q(retired_at=None, created_at__lt=now - ROOT_TURN - LATE)
    overdue |= Q(retired_at__lt=now - ROOT_WAIT - LATE)
    return list(_living().filter(overdue).order_by("label").values_list("label", flat=True))


def end(row: RootEpoch, now: datetime) -> datetime:
    """By when this root is destroyed, a late beat included."""
    retired = row.retired_at or max(row.created_at + ROOT_TURN, now)
    return retired + ROOT_WAIT + LATE


def _living() -> QuerySet[RootEpoch]:
    return RootEpoch.objects.filter(destroyed_at=None)


def _unneeded(now: datetime) -> QuerySet[RootEpoch]:
    owners = OwnerKey.objects.filter(root_epoch=OuterRef("label"), destroyed_at=None)
    return _living().filter(~Exists(owners), retired_at__lte=now - ROOT_WAIT)


def _free_label(now: datetime) -> str:
    """Today's date; behind it a number when the day has had a root already. Labels sort by age."""
    day = now.date().isoformat()
    used = set(RootEpoch.objects.filter(label__startswith=day).values_list("label", flat=True))
    if day not in used:
        return day
    # No dot, which the alias of a KMS key may not have.
    return next(label for n in range(2, 1000) if (label := f"{day}-{n:03}") not in used)


def _adopt(store: KeyStore, now: datetime) -> None:
    """Rows for roots that are older than this table; one that opens nobody's key is left alone."""
    known = set(RootEpoch.objects.values_list("label", flat=True))
    for label in store.labels():
        if label in known:
            continue
        owners = OwnerKey.objects.filter(root_epoch=label, wrapped__isnull=False)
        row = owners.order_by("created_at").first()
        if row is not None:
            secret = store.read(label)
            try:
                crypto.unwrap(bytes(row.wrapped or b""), secret, row.owner_id)
            except SealBroken as error:
                raise KeyFileRefused(
                    f"The root key {label} does not open the owner keys that name it."
                ) from error
            RootEpoch.objects.create(
                label=label, check_sha256=check_sha256(secret), created_at=row.created_at
            )
