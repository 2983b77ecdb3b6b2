"""What closes accounts, in the transaction of the request: their keys go, and all ways in.

Everything here takes many people, because after a restore many leave at once; a request is one.
"""

import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Count

from accounts.models import Session, User
from privacy import keys, leases
from privacy.crypto import Recipient
from privacy.models import Blob, Capsule, OwnerKey
from privacy.retention import Kind

LEASE: Final = "erasure"


def hold_or_bury(owner_ids: Sequence[uuid.UUID], now: datetime) -> dict[uuid.UUID, str]:
    """Hold the owners' rows alone; who never had a key gets a destroyed one. Their prefixes."""
    held = keys.hold_owners(owner_ids)
    others = [owner_id for owner_id in owner_ids if owner_id not in held]
    # Upkeep may not read a wrapped key, so no more than what is needed is asked for.
    rows = OwnerKey.objects.filter(owner_id__in=others).values_list("owner_id", "prefix")
    known = dict(rows) if others else {}
    buried = [
        OwnerKey(owner_id=owner_id, public=b"", prefix=os.urandom(16).hex(), destroyed_at=now)
        for owner_id in others
        if owner_id not in known
    ]
    # Who came in the same moment has written it; it is read again.
    OwnerKey.objects.bulk_create(buried, ignore_conflicts=True)
    return held | known | (dict(rows.all()) if buried else {})


def count(owner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    """What each has by class; what was destroyed before is not counted a second time."""
    living = Blob.objects.filter(owner_id__in=owner_ids).exclude(state=Blob.State.SHREDDED)
    counted: dict[uuid.UUID, dict[str, int]] = {owner_id: {} for owner_id in owner_ids}
    for owner_id, kind, n in living.values_list("owner_id", "kind").annotate(n=Count("pk")):
        counted[owner_id][Kind(kind).name.lower()] = n
    return counted


def unopenable_by(owner_ids: Sequence[uuid.UUID], now: datetime) -> dict[uuid.UUID, datetime]:
    """By when no backup opens a person's things; people of one root's time share the answer."""
    rows = OwnerKey.objects.filter(owner_id__in=owner_ids)
    epochs = dict(rows.values_list("owner_id", "root_epoch"))
    ends = {label: keys.unopenable_under(label, now) for label in set(epochs.values())}
    return {owner_id: ends[label] for owner_id, label in epochs.items()}


def shred_accounts(owner_ids: Sequence[uuid.UUID], users: Sequence[User], now: datetime) -> None:
    """Destroy owner keys and what was sealed to workers; nobody of them is signed in any more.

    What was sealed to an owner key needs no look: without the key it is noise, however much it is.
    """
    rows = OwnerKey.objects.filter(owner_id__in=owner_ids)
    rows.update(wrapped=None, public=b"", destroyed_at=now)
    capsules = Capsule.objects.filter(blob__owner_id__in=owner_ids)
    capsules.filter(blob__recipient=Recipient.FLEET).delete()
    for owner_id in owner_ids:
        # An erasure of a part that is still under way has a receipt of its own to come to.
        leases.revoke(but=LEASE, owner_id=owner_id)
    Session.objects.filter(user_id__in=owner_ids).delete()
    for user in users:
        user.is_active = False
        user.set_unusable_password()
    User.objects.bulk_update(users, ["is_active", "password"])
