"""The worker's side of a job's state machine: claim, progress, finish, fail, again.

PostgreSQL is the single truth. Every move is a conditional UPDATE whose row count is read, and
locks are always taken in the order owner → lease → job → item → reference set.
"""

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import uuid7
from portraits import events, halts, item_rows, live, scheduling
from portraits.endings import LEASE, settle
from portraits.item_rows import Shown
from portraits.models import Item
from portraits.orders import SEEDS
from portraits.progress import progress as progress
from portraits.progress import wanted as wanted
from portraits.recipes import Recipe
from portraits.sequence import stamp
from privacy import audit, dispatch, keys, leases, vault
from privacy.errors import OwnerErased

RETRY = timedelta(seconds=1)
RETRY_OUTSIDE = timedelta(seconds=10)
# Which engine this process stays with; its threads choose one after the other.
affinity: Final = scheduling.Affinity()
_choosing: Final = Lock()


@dataclass(frozen=True)
class Work:
    """One claimed item, with all that is needed to paint it."""

    held: leases.Claim
    engine: str
    recipe: Recipe
    seed: int
    photos: tuple[Shown, ...]
    # What its owner wrote; where `task` says text and there is none, it has ended meanwhile.
    task: Item.Task
    prompt_id: uuid.UUID | None
    # The portrait that it starts from, as its owner has lent it.
    source_id: uuid.UUID | None
    rich: bool
    # The file format that was asked for; empty where none was.
    form: str = ""
    # For the logs.
    job_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Size:
    """One finished size of a portrait, drafted but not committed."""

    name: str
    draft: vault.Draft
    width: int
    height: int
    media_type: str
    # Of the file itself, so that its owner can prove which one a receipt speaks of.
    sha256: bytes | None = None


def claim(
    engines: Sequence[str], now: datetime, *, loaded: Collection[str] | None = None
) -> Work | None:
    """Take the item whose turn it is, for one of these engines, or None.

    `loaded`: which of them are in memory, where not all are; the others' work waits for a while.
    """
    engines = halts.running(engines)
    if len(engines) == 1:
        return _claim_for(engines[0], now)
    with _choosing:
        left = set(engines)
        while waiting := leases.heads(LEASE, sorted(left)):
            engine = affinity.choose(waiting, loaded, time.monotonic())
            work = _claim_for(engine, now)
            if work is not None:
                affinity.took(engine, work.held.cost, loaded, time.monotonic())
                return work
            # Another worker was faster.
            left.discard(engine)
    return None


def _claim_for(engine: str, now: datetime) -> Work | None:
    while True:
        with transaction.atomic():
            held = leases.claim(LEASE, queues=[engine])
            if held is None:
                return None
            item = item_rows.read(held.work_id)
            if item is None:
                # Whoever ends an item closes its lease; one that was left wakes no worker twice.
                leases.close(held)
                continue
            if item.phase == Item.Phase.FETCHING:
                # It only waited in a process that something else brought down.
                held = leases.uncount(held)
            if held.attempts > leases.MAX_ATTEMPTS:
                _give_up(held, "attempts_exhausted", now)
                continue
            item_rows.begin(item, now)
            what = (item.task, item.prompt_id, item.source_id, item.rich, item.format)
            return Work(held, item.engine, item.recipe, item.seed, item.photos, *what, item.job_id)


_DONE: Final = """
    WITH job AS (
        UPDATE portraits_job SET sequence = sequence + 1
        WHERE id = (SELECT job_id FROM portraits_item WHERE id = %(item)s) RETURNING id, sequence
    ), item AS (
        UPDATE portraits_item AS item
        SET state = %(done)s, phase = %(ended)s, percent = 100, sequence = job.sequence,
            ended_at = %(now)s
        FROM job WHERE item.id = %(item)s AND item.state = %(running)s
        RETURNING item.id, job.id AS job_id, job.sequence
    ), portrait AS (
        INSERT INTO portraits_portrait (
            id, owner_id, item_id, blob_id, created_at, weights_sha256, sha256)
        SELECT %(portrait)s, %(owner)s, id, %(blob)s, %(now)s, %(weights)s, %(sha256)s FROM item
        RETURNING id
    ), rendition AS (
        INSERT INTO portraits_rendition (portrait_id, name, blob_id, width, height, media_type)
        SELECT portrait.id, size.* FROM portrait CROSS JOIN unnest(
            %(names)s::text[], %(blobs)s::uuid[], %(widths)s::integer[], %(heights)s::integer[],
            %(types)s::text[]) AS size
    )
    SELECT job_id, sequence FROM item
"""


def finish(
    held: leases.Claim, sizes: Sequence[Size], now: datetime, *, weights_sha256: str = ""
) -> bool:
    """Commit the portrait, the item's state and the end of the lease at once. Erase wins.

    False: erased, withdrawn, cancelled or re-leased meanwhile; the sizes are to be discarded.
    """
    try:
        with transaction.atomic():
            keys.hold_owner(held.owner_id)
            if not leases.close(held, in_time=True):
                return False
            ended = _done(held, sizes, now, weights_sha256)
            if ended is None or not vault.commit([size.draft for size in sizes]):
                transaction.set_rollback(True)
                return False
            live.tell(ended[0])
            events.items_ended([held.work_id], ended[1], now)
            settle(held.work_id, now)
    except OwnerErased:
        return False
    return True


def _done(
    held: leases.Claim, sizes: Sequence[Size], now: datetime, weights_sha256: str
) -> tuple[uuid.UUID, int] | None:
    """The portrait's rows; (its job, the number of this change). None: it is not painted now."""
    full = next(size for size in sizes if size.name == "full")
    values: dict[str, Any] = {
        "item": held.work_id, "owner": held.owner_id, "portrait": uuid7(), "now": now,
        "done": str(Item.State.DONE), "ended": str(Item.Phase.ENDED),
        "running": str(Item.State.RUNNING),
        "blob": full.draft.blob_id, "weights": weights_sha256, "sha256": full.sha256,
        "names": [size.name for size in sizes],
        "blobs": [size.draft.blob_id for size in sizes],
        "widths": [size.width for size in sizes],
        "heights": [size.height for size in sizes],
        "types": [size.media_type for size in sizes],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_DONE, values)
        row: tuple[uuid.UUID, int] | None = cursor.fetchone()
        return row


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
        events.items_ended([held.work_id], number, now)
        settle(held.work_id, now)
    return True


def reseed(held: leases.Claim, seed: int) -> int | None:
    """A new seed for a picture that a safety gate held back; None if it has had one already.

    It stands in the item's row, so that another worker goes on with it and nobody paints a third.
    """
    another = (seed * 6364136223846793005 + 1442695040888963407) % SEEDS
    with transaction.atomic():
        if not leases.still_held(held):
            return None
        first = Item.objects.filter(pk=held.work_id, state=Item.State.RUNNING, reseeded=False)
        return another if first.update(seed=another, reseeded=True) else None


def _give_up(held: leases.Claim, code: str, now: datetime) -> bool:
    """Every attempt has failed: the item ends, and whoever runs this should look."""
    with transaction.atomic():
        ended = fail(held, code, now)
        if ended:
            leases.give_up(held, now)
    return ended


def again(held: leases.Claim, code: str, now: datetime, *, outside: bool = False) -> bool:
    """Give an item back after a fault that may pass; the third time it fails.

    `outside`: the bucket or the database was away, which is no fault of the item and not counted.
    """
    if held.attempts >= leases.MAX_ATTEMPTS and not outside:
        return _give_up(held, code, now)
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


def hand_back(held: leases.Claim, *, begun: bool) -> bool:
    """Give an item back at once, not counted: its worker leaves. False: it is no longer ours.

    `begun`: painting had begun; what only waited in a worker was never started.
    """
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        number = stamp(held.work_id)
        first = not begun and held.attempts == 1
        Item.objects.filter(pk=held.work_id, state=Item.State.RUNNING).update(
            state=Item.State.QUEUED,
            phase=Item.Phase.WAITING,
            percent=0,
            sequence=number,
            **({"started_at": None} if first else {}),
        )
        leases.give_back(held, forgiven=True)
        dispatch.send(LEASE, held.work_id)
    return True
