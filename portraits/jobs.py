"""The person's side of a job: submit and cancel. painting.py paints it, endings.py ends it.

PostgreSQL is the single truth. Every move is a conditional UPDATE whose row count is read, and
locks are always taken in the order owner → lease → job → item → reference set.
"""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from portraits.endings import LEASE, end_open
from portraits.errors import (
    AlreadyEnded,
    KeyReused,
    NoPhotos,
    PhotosChecking,
    PhotosNeeded,
    ReferencesInUse,
    UnknownReferences,
    UnknownStyle,
)
from portraits.models import Item, Job, Photo, ReferenceSet, Style
from portraits.recipes import Recipe
from privacy import audit, consent, dispatch, keys, leases, retention


@dataclass(frozen=True)
class Order:
    """What a person asks for: one portrait in one style. Without a seed, one is drawn."""

    style: str
    seed: int | None = None


# --- The person's side -------------------------------------------------------------------------


def submit(
    owner_id: uuid.UUID,
    set_id: uuid.UUID | None,
    orders: Sequence[Order],
    key: str,
    now: datetime,
) -> tuple[Job, bool]:
    """(job, whether it is new). The same key and body give the same job, however often, for 24 h.

    Without a set, every style must be one that takes no photo; then no consent is needed, because
    nothing about a face comes in. Raises ConsentMissing, KeyReused, UnknownReferences,
    ReferencesInUse, PhotosChecking, NoPhotos, PhotosNeeded, UnknownStyle; then nothing has changed.
    """
    key_sha256 = hashlib.sha256(key.encode()).digest()
    body_sha256 = hashlib.sha256(repr((set_id, tuple(orders))).encode()).digest()
    if set_id is None:
        # Somebody who never handed in a photo has no key yet for what is painted.
        keys.ensure_owner(owner_id, now)
    else:
        consent.require(owner_id, now)
    forgotten = now - retention.term(retention.Term.IDEMPOTENCY_KEY)
    Job.objects.filter(owner_id=owner_id, key_sha256=key_sha256, created_at__lte=forgotten).update(
        key_sha256=None
    )
    if known := _known(owner_id, key_sha256, body_sha256):
        return known, False
    try:
        with transaction.atomic():
            keys.hold_owner(owner_id)
            found = _hold_set(owner_id, set_id, now) if set_id else None
            # Asked again behind the lock: a twin of this request may have held it.
            if known := _known(owner_id, key_sha256, body_sha256):
                return known, False
            styles = _styles(orders)
            if set_id is None:
                _check_text_only(styles)
            else:
                _check_ready(found)
            job = _create(owner_id, found, key_sha256, body_sha256, now)
            _create_items(job, orders, styles)
    except IntegrityError:
        if known := _known(owner_id, key_sha256, body_sha256):
            return known, False
        raise
    return job, True


def _create(
    owner_id: uuid.UUID,
    found: ReferenceSet | None,
    key_sha256: bytes,
    body_sha256: bytes,
    now: datetime,
) -> Job:
    """The job's row; its set is taken. The caller holds the owner's row and the set's."""
    job = Job.objects.create(
        owner_id=owner_id,
        references=found,
        # Asked behind the owner's lock: a withdrawal that came first wins.
        consent_id=consent.require(owner_id, now).pk if found else None,
        key_sha256=key_sha256,
        body_sha256=body_sha256,
        created_at=now,
        start_by=now + settings.JOB_START_LIMIT,
        end_by=now + settings.JOB_END_LIMIT,
    )
    if found is not None:
        ReferenceSet.objects.filter(pk=found.pk).update(state=ReferenceSet.State.IN_USE)
    audit.record(
        audit.Verb.JOB_SUBMITTED,
        subject_id=owner_id,
        object_id=job.id,
        reason=audit.Reason.OWNER,
    )
    return job


def _known(owner_id: uuid.UUID, key_sha256: bytes, body_sha256: bytes) -> Job | None:
    job = Job.objects.filter(owner_id=owner_id, key_sha256=key_sha256).first()
    if job is not None and bytes(job.body_sha256) != body_sha256:
        raise KeyReused
    return job


def _hold_set(owner_id: uuid.UUID, set_id: uuid.UUID, now: datetime) -> ReferenceSet | None:
    own = ReferenceSet.objects.filter(pk=set_id, owner_id=owner_id, expires_at__gt=now)
    return own.select_for_update().first()


def _check_ready(found: ReferenceSet | None) -> None:
    if found is None:
        raise UnknownReferences
    if found.state != ReferenceSet.State.OPEN:
        raise ReferencesInUse
    states = set(found.photos.values_list("state", flat=True))
    if Photo.State.CHECKING in states:
        raise PhotosChecking
    if Photo.State.ACCEPTED not in states:
        raise NoPhotos


def _styles(orders: Sequence[Order]) -> dict[str, Style]:
    """The styles that are ordered, by slug."""
    wanted = {order.style for order in orders}
    found = {row.slug: row for row in Style.objects.filter(retired_at=None) if row.slug in wanted}
    if set(found) != wanted:
        raise UnknownStyle
    return found


def _check_text_only(styles: dict[str, Style]) -> None:
    if any(Recipe.from_json(row.recipe).references for row in styles.values()):
        raise PhotosNeeded


def _create_items(job: Job, orders: Sequence[Order], styles: dict[str, Style]) -> None:
    for position, order in enumerate(orders):
        item = Item.objects.create(
            job=job,
            style=styles[order.style],
            position=position,
            seed=secrets.randbits(31) if order.seed is None else order.seed,
        )
        leases.open_work(LEASE, item.id, job.owner_id, queue=item.style.engine)
        dispatch.send(LEASE, item.id)


def cancel(owner_id: uuid.UUID, job_id: uuid.UUID, now: datetime) -> Job:
    """Stop what has not ended. Portraits that are finished stay. Raises AlreadyEnded."""
    with transaction.atomic():
        keys.hold_owner(owner_id, exclusive=True)
        job = Job.objects.get(pk=job_id, owner_id=owner_id)
        if not end_open(job, Item.State.CANCELLED, "", now):
            raise AlreadyEnded
        job.refresh_from_db()
    return job


# --- Upkeep ------------------------------------------------------------------------------------


def past_keys(now: datetime) -> QuerySet[Job]:
    """Jobs whose idempotency key has served its 24 hours."""
    old = now - retention.term(retention.Term.IDEMPOTENCY_KEY)
    return Job.objects.filter(created_at__lte=old).exclude(key_sha256=None)


def forget_keys(ids: Sequence[uuid.UUID]) -> None:
    """Drop the idempotency keys of these jobs."""
    Job.objects.filter(pk__in=ids).update(key_sha256=None)
