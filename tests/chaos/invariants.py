"""What is true of a person's jobs at every moment, whoever has just died: read, and said.

It looks at rows and bodies itself, without the product's own questions about them.
"""

import uuid
from collections.abc import Iterator

from django.db import connection, transaction

from portraits.models import Allowance, Event, Item, Job, Photo, Portrait, ReferenceSet
from privacy import storage
from privacy.models import Blob, Capsule, Erasure, Lease
from privacy.retention import Kind


def broken(who: uuid.UUID) -> list[str]:
    """What is not as it must be; empty if all is well.

    All of it belongs to one moment: what a process sent to PostgreSQL before it was killed may be
    committed behind its death, between two questions.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _broken(who)


def _broken(who: uuid.UUID) -> list[str]:
    return [*_items(who), *_jobs(who), *_photos(who), *_blobs(who), *_allowance(who)]


def _items(who: uuid.UUID) -> Iterator[str]:
    for item in Item.objects.filter(job__owner_id=who):
        portraits = list(Portrait.objects.filter(item=item))
        leases = Lease.objects.filter(kind="item", work_id=item.pk).count()
        if leases != (item.state in Item.OPEN):
            yield f"an item that is {item.state} has {leases} leases"
        if portraits and item.state != Item.State.DONE:
            yield f"an item that is {item.state} has a portrait"
        if (item.ended_at is None) != (item.state in Item.OPEN):
            yield f"an item that is {item.state} ended at {item.ended_at}"
        for portrait in portraits:
            states = set(portrait.renditions.values_list("blob__state", flat=True))
            if len(portrait.renditions.all()) < 2 or states != {Blob.State.STORED}:
                yield f"a portrait has sizes that are {states}"
        if item.state not in Item.OPEN and not _gone(who):
            told = Event.objects.filter(type=Event.Type.ITEM_ENDED, object_id=item.pk).count()
            if told < 1:
                yield f"an item that is {item.state} was told {told} times"


def _jobs(who: uuid.UUID) -> Iterator[str]:
    for job in Job.objects.filter(owner_id=who):
        open_items = job.items.filter(state__in=Item.OPEN).count()
        if (job.state in Job.OPEN) != bool(open_items):
            yield f"a job that is {job.state} has {open_items} open items"
        if (job.ended_at is None) != (job.state in Job.OPEN):
            yield f"a job that is {job.state} ended at {job.ended_at}"
        told = Event.objects.filter(type=Event.Type.JOB_ENDED, object_id=job.pk).count()
        if told != (job.state not in Job.OPEN) and not _gone(who):
            yield f"a job that is {job.state} was told {told} times"
        highest = max(job.items.values_list("sequence", flat=True), default=0)
        if highest > job.sequence:
            yield f"an item's number {highest} is above its job's {job.sequence}"


def _photos(who: uuid.UUID) -> Iterator[str]:
    for row in ReferenceSet.objects.filter(owner_id=who):
        states = list(row.jobs.values_list("state", flat=True))
        used = any(state in Job.OPEN for state in states)
        if used != (row.state == ReferenceSet.State.IN_USE):
            yield f"a set that is {row.state} has jobs that are {states}"
        if states and not used and not row.keep:
            yield "a set has outlived its job"
    for photo in Photo.objects.filter(set__owner_id=who).select_related("upload", "reference"):
        looked_at = photo.state != Photo.State.CHECKING
        leases = Lease.objects.filter(kind="reference", work_id=photo.pk).count()
        body = photo.reference if looked_at else photo.upload
        if leases != (not looked_at) or body is None or body.state != Blob.State.STORED:
            yield f"a photo that is {photo.state} has {leases} leases, its body is {body}"
    inputs = Blob.objects.filter(owner_id=who, kind__in=[Kind.UPLOAD, Kind.REFERENCE])
    held = Photo.objects.filter(set__owner_id=who)
    known = {pk for pair in held.values_list("upload_id", "reference_id") for pk in pair}
    for pk in inputs.filter(state=Blob.State.STORED).values_list("pk", flat=True):
        if pk not in known:
            yield "a photo can be opened that no set has"


def _blobs(who: uuid.UUID) -> Iterator[str]:
    for blob in Blob.objects.filter(owner_id=who):
        capsule = Capsule.objects.filter(blob=blob).exists()
        if capsule != (blob.state == Blob.State.STORED):
            yield f"a {Kind(blob.kind).name} that is {blob.state}: capsule {capsule}"
        if blob.state == Blob.State.STORED and not storage.exists(blob.name):
            yield f"a {Kind(blob.kind).name} that is stored has no body"


def _allowance(who: uuid.UUID) -> Iterator[str]:
    charged = Item.objects.filter(job__owner_id=who, charged=True).count()
    rows = Allowance.objects.filter(owner_id=who)
    for period in Allowance.Period:
        used = sum(rows.filter(period=period).values_list("used", flat=True))
        if used != charged and not _gone(who):
            yield f"{used} are counted in the {period}, and {charged} items carry the mark"


def _gone(who: uuid.UUID) -> bool:
    return Erasure.objects.filter(subject_id=who, scope="account").exists()
