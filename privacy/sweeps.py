"""What time does: expire, reap, count the backlog. All of it is idempotent and bounded."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from privacy import audit, dispatch, leases, retention, storage, vault
from privacy.models import Blob, Capsule, ConsentEvidence, Erasure, Lease, OwnerKey

BATCH = 1000
NUDGES_A_KIND = 4


def expire(now: datetime) -> int:
    """Destroy what has reached its deadline, in batches, until nothing is due."""
    total = 0
    while True:
        due = Blob.objects.filter(expires_at__lte=now).exclude(state=Blob.State.SHREDDED)
        batch = list(due.order_by("expires_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            break
        total += vault.destroy(Blob.objects.filter(pk__in=batch), verb=audit.Verb.BLOBS_EXPIRED)
    reap()
    ConsentEvidence.objects.filter(expires_at__lte=now).delete()
    return total


def reap() -> int:
    """Delete the bodies and rows of shredded blobs. A bucket that is down only delays this."""
    total = 0
    while True:
        with transaction.atomic():
            rows = list(
                Blob.objects.filter(state=Blob.State.SHREDDED)
                .order_by("pk")
                .select_for_update(skip_locked=True)
                .values_list("pk", "name")[:BATCH]
            )
            storage.delete(name for _, name in rows)
            Blob.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
        total += len(rows)
        if len(rows) < BATCH:
            return total


def reap_orphans(now: datetime) -> int:
    """Shred what was registered and never confirmed, and delete objects that no row knows."""
    old = now - retention.ORPHAN_GRACE
    stale = Blob.objects.filter(state=Blob.State.REGISTERED, created_at__lt=old)
    total = vault.destroy(stale, verb=audit.Verb.BLOBS_EXPIRED)
    total += reap()
    for kind in retention.Kind:
        seen = storage.names_older_than(f"{kind.name.lower()}/", old)
        for start in range(0, len(seen), BATCH):
            batch = seen[start : start + BATCH]
            known = set(Blob.objects.filter(name__in=batch).values_list("name", flat=True))
            lost = [name for name in batch if name not in known]
            storage.delete(lost)
            total += len(lost)
    # A body that a dying worker put after the proof is gone now, so the prefix can go too.
    Erasure.objects.filter(stage=Erasure.Stage.PROVED, proved_at__lt=old).update(prefix="")
    return total


def requeue() -> int:
    """Nudge again for work that waits: its message was lost, or its worker died.

    Every task drains its queue, so a few nudges a kind wake everybody; one for each waiting item
    would fill the broker while the workers are busy.
    """
    waiting = leases.stalled()
    sent: Counter[str] = Counter()
    for kind, work_id in waiting:
        if sent[kind] < NUDGES_A_KIND:
            dispatch.nudge(kind, work_id)
        sent[kind] += 1
    return len(waiting)


def backlog(now: datetime) -> dict[str, int]:
    """Items past their deadline, or waiting too long for their end. All of them must be 0."""
    late = Blob.objects.filter(expires_at__lte=now).exclude(state=Blob.State.SHREDDED)
    keyless = Blob.objects.filter(state=Blob.State.STORED).filter(
        ~Exists(Capsule.objects.filter(blob=OuterRef("pk")))
        & Q(owner__in=OwnerKey.objects.filter(destroyed_at=None))
    )
    tired = Lease.objects.filter(attempts__gt=leases.MAX_ATTEMPTS)
    return {
        "past_deadline": late.count(),
        "stored_without_capsule": keyless.count(),
        "attempts_exhausted": tired.exclude(kind="erasure").count(),
    }
