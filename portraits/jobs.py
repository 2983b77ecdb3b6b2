"""The person's side of a job: submit, retry, cancel. painting.py paints it, endings.py ends it.

PostgreSQL is the single truth. Every move is a conditional UPDATE whose row count is read, and
locks are always taken in the order owner → lease → job → item → reference set → allowance.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from portraits import caps, orders, plans, queue, quota
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
    QueueFull,
    ReferencesInUse,
    TooManyOpen,
    UnknownReferences,
)
from portraits.models import Item, Job, Photo, ReferenceSet
from portraits.orders import Order as Order
from portraits.orders import Pack as Pack
from portraits.orders import Wanted
from portraits.sequence import stamp
from privacy import audit, consent, keys, retention, vault
from privacy.errors import BlobGone

# --- The person's side -------------------------------------------------------------------------


def submit(
    owner_id: uuid.UUID, set_id: uuid.UUID | None, wanted: Wanted, key: str, now: datetime
) -> tuple[Job, bool]:
    """(job, whether it is new). The same key and body give the same job, however often, for 24 h.

    Without a set, every order must have a prompt, a portrait to start from or a style that takes no
    photo; consent is needed only where that portrait came from photos, because else nothing about a
    face comes in. Raises PromptRefused, ChangeRefused, SizeNotSupported, ConsentMissing, KeyReused,
    UnknownReferences, ReferencesInUse, PhotosChecking, NoPhotos, PhotosNeeded, UnknownStyle,
    RerollRefused, AllowanceUsed, TooManyOpen, QueueFull; then nothing has changed.
    """
    key_sha256 = hashlib.sha256(key.encode()).digest()
    body_sha256 = orders.body_sha256(set_id, wanted)
    if set_id is None:
        # Somebody who never handed in a photo has no key yet for what is painted.
        keys.ensure_owner(owner_id, now)
    else:
        consent.require(owner_id, now)
    if known := _known(owner_id, key_sha256, body_sha256, now):
        return known, False
    made = plans.make(owner_id, wanted, now, photos=set_id is not None)
    if any(plan.shows_somebody for plan in made):
        # A face that came in under a consent is worked on under one that lives.
        consent.require(owner_id, now)
    sealed = plans.seal(owner_id, made, now)
    try:
        hashes = (key_sha256, body_sha256)
        return _submit(owner_id, set_id, wanted, hashes, (made, sealed), now)
    finally:
        # What was committed stays; what was refused, or ordered by a twin, is destroyed.
        if sealed:
            vault.discard(_drafts(sealed))


def _submit(
    owner_id: uuid.UUID,
    set_id: uuid.UUID | None,
    wanted: Wanted,
    hashes: tuple[bytes, bytes],
    planned: tuple[Sequence[plans.Plan], Mapping[int, plans.Sealed]],
    now: datetime,
) -> tuple[Job, bool]:
    made, sealed = planned
    try:
        with transaction.atomic():
            keys.hold_owner(owner_id)
            state = _hold_set(owner_id, set_id, now) if set_id else None
            # Asked again behind the lock: a twin of this request may have held it.
            if known := _known(owner_id, *hashes, now):
                return known, False
            plans.still_there(owner_id, made, now)
            photos = _ready(set_id, state) if set_id is not None else 0
            anew = _admit(owner_id, wanted, now)
            consented = set_id is not None or any(plan.shows_somebody for plan in made)
            job = _create(owner_id, set_id, consented, orders.lane(wanted), hashes, now)
            items = plans.items(job, wanted, made, anew, sealed)
            orders.open_items(job, items, photos=photos)
            if not vault.commit(_drafts(sealed)):
                raise BlobGone
    except (IntegrityError, AllowanceUsed, TooManyOpen, QueueFull, AlreadyRerolled):
        # A twin of this request was first, and took what this one was refused.
        if known := _known(owner_id, *hashes, now):
            return known, False
        raise
    return job, True


def _drafts(sealed: Mapping[int, plans.Sealed]) -> list[vault.Draft]:
    return [draft for along in sealed.values() for draft in along.drafts]


def _admit(owner_id: uuid.UUID, wanted: Wanted, now: datetime) -> Mapping[uuid.UUID, Item]:
    """Count the order, unless something has an end; returns what it paints anew for nothing.

    The person's allowance is locked by it, so their orders come one after the other from here.
    """
    asked = orders.each(wanted)
    quota.charge(owner_id, sum(order.reroll_of is None for order in asked), now)
    caps.check(owner_id, len(asked), now)
    return orders.originals(owner_id, wanted, now)


_CREATE: Final = """
    WITH taken AS (UPDATE portraits_referenceset SET state = %(in_use)s WHERE id = %(set)s)
    INSERT INTO portraits_job (id, owner_id, references_id, consent_id, state, lane, sequence,
        key_sha256, body_sha256, created_at, start_by, end_by)
    VALUES (%(id)s, %(owner)s, %(set)s, %(consent)s, %(state)s, %(lane)s, 0,
        %(key)s, %(body)s, %(now)s, %(start_by)s, %(end_by)s)
"""


def _create(
    owner_id: uuid.UUID,
    set_id: uuid.UUID | None,
    consented: bool,
    lane: Job.Lane,
    hashes: tuple[bytes, bytes],
    now: datetime,
) -> Job:
    """The job's row; its set is taken. The caller holds the owner's row and the set's."""
    job = Job(
        owner_id=owner_id,
        references_id=set_id,
        # Asked behind the owner's lock: a withdrawal that came first wins.
        consent_id=consent.require(owner_id, now).pk if consented else None,
        lane=lane,
        key_sha256=hashes[0],
        body_sha256=hashes[1],
        created_at=now,
        start_by=now + settings.JOB_START_LIMIT,
        end_by=now + settings.JOB_END_LIMIT,
    )
    values: dict[str, Any] = {
        "id": job.pk, "owner": owner_id, "set": set_id, "consent": job.consent_id,
        "state": str(job.state), "lane": str(lane), "key": hashes[0], "body": hashes[1],
        "now": now, "start_by": job.start_by, "end_by": job.end_by,
        "in_use": str(ReferenceSet.State.IN_USE),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CREATE, values)
    # As if it had been saved by itself.
    job._state.adding, job._state.db = False, connection.alias
    verb, reason = audit.Verb.JOB_SUBMITTED, audit.Reason.OWNER
    audit.record(verb, subject_id=owner_id, object_id=job.id, reason=reason)
    return job


_KNOWN: Final = """
    SELECT id, body_sha256, created_at FROM portraits_job WHERE owner_id = %s AND key_sha256 = %s
"""


def _known(owner_id: uuid.UUID, key_sha256: bytes, body_sha256: bytes, now: datetime) -> Job | None:
    """What was ordered by this key before. Raises KeyReused; a key past its term is let go."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [owner_id, key_sha256])
        row = cursor.fetchone()
    if row is None:
        return None
    job_id, body, created_at = row
    if created_at <= now - retention.term(retention.Term.IDEMPOTENCY_KEY):
        forget_keys([job_id])
        return None
    if bytes(body) != body_sha256:
        raise KeyReused
    return Job.objects.get(pk=job_id)


_HOLD_SET: Final = """
    SELECT state FROM portraits_referenceset
    WHERE id = %s AND owner_id = %s AND expires_at > %s FOR UPDATE
"""


def _hold_set(owner_id: uuid.UUID, set_id: uuid.UUID, now: datetime) -> str | None:
    """The state of a person's own living set, which is locked."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_SET, [set_id, owner_id, now])
        row = cursor.fetchone()
    return row[0] if row else None


def _ready(set_id: uuid.UUID, state: str | None) -> int:
    """How many photos a set has to paint from.

    They are looked at behind the set's lock, by a statement of their own: one that had waited for
    the lock would show them as they were before.
    """
    if state is None:
        raise UnknownReferences
    if state != ReferenceSet.State.OPEN:
        raise ReferencesInUse
    photos = orders.photos_of(set_id)
    if photos[Photo.State.CHECKING]:
        raise PhotosChecking
    if not photos[Photo.State.ACCEPTED]:
        raise NoPhotos
    return photos[Photo.State.ACCEPTED]


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
        photos = orders.photos_of(job.references_id)[Photo.State.ACCEPTED]
        token = int(now.timestamp() * 1_000_000)
        orders.open_items(job, [item], photos=photos, token=token)
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
