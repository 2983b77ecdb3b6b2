"""The person's side of a job: submit, retry, cancel. painting.py paints it, endings.py ends it.

PostgreSQL is the single truth. Every move is a conditional UPDATE whose row count is read, and
locks are always taken in the order owner → lease → job → item → reference set → allowance.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from portraits import caps, orders, queue, quota
from portraits.endings import end_open
from portraits.errors import (
    AllowanceUsed,
    AlreadyEnded,
    AlreadyRerolled,
    AlreadyRetried,
    JobEnded,
    KeyReused,
    NoPhotos,
    NotFailed,
    PhotosChecking,
    PhotosNeeded,
    PromptWithPhotos,
    QueueFull,
    ReferencesInUse,
    TooManyOpen,
    UnknownReferences,
)
from portraits.models import Item, Job, Photo, ReferenceSet, Style
from portraits.orders import Order as Order
from portraits.orders import Pack as Pack
from portraits.orders import Wanted
from portraits.recipes import Recipe
from portraits.sequence import stamp
from privacy import audit, consent, keys, retention, vault
from privacy.errors import BlobGone

# --- The person's side -------------------------------------------------------------------------


def submit(
    owner_id: uuid.UUID, set_id: uuid.UUID | None, wanted: Wanted, key: str, now: datetime
) -> tuple[Job, bool]:
    """(job, whether it is new). The same key and body give the same job, however often, for 24 h.

    Without a set, every order must have a prompt or a style that takes no photo; then no consent
    is needed, because nothing about a face comes in. Raises PromptRefused,
    ConsentMissing, KeyReused, UnknownReferences, ReferencesInUse, PhotosChecking, NoPhotos,
    PhotosNeeded, UnknownStyle, RerollRefused, AllowanceUsed, TooManyOpen, QueueFull; then nothing
    has changed.
    """
    key_sha256 = hashlib.sha256(key.encode()).digest()
    body_sha256 = orders.body_sha256(set_id, wanted)
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
    orders.check_prompts(wanted)
    sealed = orders.seal_prompts(owner_id, wanted, now)
    try:
        return _submit(owner_id, set_id, wanted, (key_sha256, body_sha256), sealed, now)
    finally:
        # What was committed stays; what was refused, or ordered by a twin, is destroyed.
        if sealed:
            vault.discard(sealed.values())


def _submit(
    owner_id: uuid.UUID,
    set_id: uuid.UUID | None,
    wanted: Wanted,
    hashes: tuple[bytes, bytes],
    sealed: Mapping[int, vault.Draft],
    now: datetime,
) -> tuple[Job, bool]:
    try:
        with transaction.atomic():
            keys.hold_owner(owner_id)
            found = _hold_set(owner_id, set_id, now) if set_id else None
            # Asked again behind the lock: a twin of this request may have held it.
            if known := _known(owner_id, *hashes):
                return known, False
            by_slug = orders.styles(wanted)
            if set_id is None:
                _check_text_only(wanted, by_slug)
            elif sealed:
                raise PromptWithPhotos(min(sealed))
            else:
                _check_ready(found)
            anew = _admit(owner_id, wanted, now)
            job = _create(owner_id, found, orders.lane(wanted), hashes, now)
            orders.create_items(job, wanted, by_slug, anew, sealed)
            if not vault.commit(sealed.values()):
                raise BlobGone
    except (IntegrityError, AllowanceUsed, TooManyOpen, QueueFull, AlreadyRerolled):
        # A twin of this request was first, and took what this one was refused.
        if known := _known(owner_id, *hashes):
            return known, False
        raise
    return job, True


def _admit(owner_id: uuid.UUID, wanted: Wanted, now: datetime) -> Mapping[uuid.UUID, Item]:
    """Count the order, unless something has an end; returns what it paints anew for nothing.

    The person's allowance is locked by it, so their orders come one after the other from here.
    """
    asked = orders.each(wanted)
    quota.charge(owner_id, sum(order.reroll_of is None for order in asked), now)
    caps.check(owner_id, len(asked), now)
    return orders.originals(owner_id, wanted, now)


def _create(
    owner_id: uuid.UUID,
    found: ReferenceSet | None,
    lane: Job.Lane,
    hashes: tuple[bytes, bytes],
    now: datetime,
) -> Job:
    """The job's row; its set is taken. The caller holds the owner's row and the set's."""
    job = Job.objects.create(
        owner_id=owner_id,
        references=found,
        # Asked behind the owner's lock: a withdrawal that came first wins.
        consent_id=consent.require(owner_id, now).pk if found else None,
        lane=lane,
        key_sha256=hashes[0],
        body_sha256=hashes[1],
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


def _check_text_only(wanted: Wanted, styles: dict[str, Style]) -> None:
    for order in orders.each(wanted):
        if order.prompt is None and Recipe.from_json(styles[order.style].recipe).references:
            raise PhotosNeeded


def retry(owner_id: uuid.UUID, job_id: uuid.UUID, item_id: uuid.UUID, now: datetime) -> Job:
    """Try a failed item once more while its job is open; asking twice is asking once.

    Its place in the allowance was kept, so nothing is counted. Raises Job.DoesNotExist,
    Item.DoesNotExist, JobEnded, AlreadyRetried, NotFailed, ConsentMissing.
    """
    with transaction.atomic():
        keys.hold_owner(owner_id)
        job = Job.objects.select_for_update(of=("self",)).get(pk=job_id, owner_id=owner_id)
        item = Item.objects.select_related("style").get(pk=item_id, job=job)
        if job.state not in Job.OPEN:
            raise JobEnded
        if item.retried and item.state in Item.OPEN:
            return job
        if item.retried:
            raise AlreadyRetried
        if item.state != Item.State.FAILED:
            raise NotFailed
        if job.consent_id is not None:
            # A portrait that is begun anew is begun under a consent that lives.
            consent.require(owner_id, now)
        Item.objects.filter(pk=item.pk, state=Item.State.FAILED, retried=False).update(
            state=Item.State.QUEUED,
            phase=Item.Phase.WAITING,
            percent=0,
            code="",
            retried=True,
            ended_at=None,
            sequence=stamp(item.pk),
        )
        # Claims count up from 0, so none of the first life has come near a number of microseconds.
        orders.open_items(job, [item], token=int(now.timestamp() * 1_000_000))
    job.refresh_from_db()
    return job


def cancel(owner_id: uuid.UUID, job_id: uuid.UUID, now: datetime) -> Job:
    """Stop what has not ended. Portraits that are finished stay. Raises AlreadyEnded."""
    with transaction.atomic():
        keys.hold_owner(owner_id, exclusive=True)
        job = Job.objects.get(pk=job_id, owner_id=owner_id)
        if not end_open(job, Item.State.CANCELLED, "", now):
            raise AlreadyEnded
        queue.close_ranks(owner_id)
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
