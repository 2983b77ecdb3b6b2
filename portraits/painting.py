"""The worker's side of a job's state machine: claim, progress, finish, fail, again.

PostgreSQL is the single truth. Every move is a conditional UPDATE whose row count is read, and
locks are always taken in the order owner → lease → job → item → reference set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from portraits import references
from portraits.endings import LEASE, settle
from portraits.models import Item, Job, Photo, Portrait, Rendition
from portraits.recipes import Recipe
from portraits.sequence import stamp
from privacy import audit, dispatch, keys, leases, vault
from privacy.errors import OwnerErased

RETRY = timedelta(seconds=1)
RETRY_OUTSIDE = timedelta(seconds=10)


@dataclass(frozen=True)
class Work:
    """One claimed item, with all that is needed to paint it."""

    held: leases.Claim
    engine: str
    recipe: Recipe
    seed: int
    photos: tuple[Photo, ...]


@dataclass(frozen=True)
class Size:
    """One finished size of a portrait, drafted but not committed."""

    name: str
    draft: vault.Draft
    width: int
    height: int
    media_type: str


def claim(engines: Sequence[str], now: datetime) -> Work | None:
    """Take the oldest waiting item for one of these engines, or None."""
    wanted = Item.objects.filter(state__in=Item.OPEN, style__engine__in=engines).values("pk")
    while True:
        with transaction.atomic():
            held = leases.claim(LEASE, among=wanted)
            if held is None:
                return None
            item = Item.objects.select_related("style", "job__references").get(pk=held.work_id)
            if held.attempts > leases.MAX_ATTEMPTS:
                fail(held, "attempts_exhausted", now)
                continue
            Item.objects.filter(pk=item.pk, state__in=Item.OPEN).update(
                sequence=stamp(item.pk),
                state=Item.State.RUNNING,
                phase=Item.Phase.FETCHING,
                percent=0,
                started_at=Coalesce(F("started_at"), now),
            )
            Job.objects.filter(pk=item.job_id, state=Job.State.QUEUED).update(
                state=Job.State.RUNNING
            )
            recipe = Recipe.from_json(item.style.recipe)
            source = item.job.references
            photos = references.select(source, recipe.references) if source else []
            return Work(held, item.style.engine, recipe, item.seed, tuple(photos))


def progress(held: leases.Claim, phase: Item.Phase, percent: int) -> bool:
    """Note how far it is, and keep the lease. False: stop, the item is no longer ours."""
    with transaction.atomic():
        if not leases.renew(held, progressed=True):
            return False
        number = stamp(held.work_id)
        moved = Item.objects.filter(pk=held.work_id, state=Item.State.RUNNING).update(
            phase=phase, percent=percent, sequence=number
        )
    return bool(moved)


def finish(held: leases.Claim, sizes: Sequence[Size], now: datetime) -> bool:
    """Commit the portrait, the item's state and the end of the lease at once. Erase wins.

    False: erased, withdrawn, cancelled or re-leased meanwhile; the sizes are to be discarded.
    """
    try:
        with transaction.atomic():
            keys.hold_owner(held.owner_id)
            if not leases.still_held(held):
                return False
            number = stamp(held.work_id)
            moved = Item.objects.filter(pk=held.work_id, state=Item.State.RUNNING).update(
                state=Item.State.DONE,
                phase=Item.Phase.ENDED,
                percent=100,
                sequence=number,
                ended_at=now,
            )
            if not moved or not vault.commit([size.draft for size in sizes]):
                transaction.set_rollback(True)
                return False
            full = next(size for size in sizes if size.name == "full")
            portrait = Portrait.objects.create(
                owner_id=held.owner_id,
                item_id=held.work_id,
                blob_id=full.draft.blob_id,
                created_at=now,
            )
            Rendition.objects.bulk_create(
                Rendition(
                    portrait=portrait,
                    name=size.name,
                    blob_id=size.draft.blob_id,
                    width=size.width,
                    height=size.height,
                    media_type=size.media_type,
                )
                for size in sizes
            )
            leases.close(held)
            settle(held.work_id, now)
    except OwnerErased:
        return False
    return True


def fail(held: leases.Claim, code: str, now: datetime, *, state: Item.State | None = None) -> bool:
    """End an item without a portrait, for a reason that repeating cannot mend."""
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        number = stamp(held.work_id)
        Item.objects.filter(pk=held.work_id, state__in=Item.OPEN).update(
            state=state or Item.State.FAILED,
            phase=Item.Phase.ENDED,
            code=code,
            sequence=number,
            ended_at=now,
        )
        leases.close(held)
        audit.record(audit.Verb.JOB_FAILED, subject_id=held.owner_id, object_id=held.work_id)
        settle(held.work_id, now)
    return True


def again(held: leases.Claim, code: str, now: datetime, *, outside: bool = False) -> bool:
    """Give an item back after a fault that may pass; the third time it fails.

    `outside`: the bucket or the database was away, which is no fault of the item and not counted.
    """
    if held.attempts >= leases.MAX_ATTEMPTS and not outside:
        return fail(held, code, now)
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        number = stamp(held.work_id)
        Item.objects.filter(pk=held.work_id, state=Item.State.RUNNING).update(
            state=Item.State.QUEUED, phase=Item.Phase.WAITING, percent=0, sequence=number
        )
        leases.give_back(held, after=RETRY_OUTSIDE if outside else RETRY, forgiven=outside)
        dispatch.send(LEASE, held.work_id)
    return True
