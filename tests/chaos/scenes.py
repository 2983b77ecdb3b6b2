"""What each walk of a job starts from, who finishes it after a kill, and how it must end.

Everything is fresh: people, styles with an engine of their own, jobs in the state where the walk
begins.
"""

import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from PIL import Image

from portraits import jobs, painting
from portraits.models import Item, Job, Photo, Portrait, ReferenceSet, Style
from privacy import leases, retention, storage, sweeps
from privacy.models import Blob, Erasure, Lease, OwnerKey
from privacy.retention import Kind
from tests.chaos.paths import LONG_AGO
from tests.portraits import making, ordering
from workers import images

Check = Callable[[], bool]
Walk = tuple[str, dict[str, Any]]


@dataclass
class Scene:
    """One walk to be killed in: whose it is, what it is, what is done after a kill."""

    who: uuid.UUID
    walk: Walk
    ends: Check
    # Done by other processes after the kill, in this order; the walk itself where nothing is said.
    after: Sequence[Walk] = ()
    # Rows that no sweep may be asked about until the walk is over.
    names: list[str] = field(default_factory=list)

    @property
    def again(self) -> Sequence[Walk]:
        return self.after or [self.walk]


def set_of(who: uuid.UUID) -> ReferenceSet:
    """A set with one accepted photo that a worker can open; it dies with its job."""
    made = ReferenceSet.objects.create(
        owner_id=who,
        keep=False,
        created_at=making.now(),
        expires_at=making.now() + timedelta(hours=24),
    )
    photo = images.encode_reference(Image.new("RGB", (64, 64)))
    blob = making.written(Kind.REFERENCE, who, photo)
    Photo.objects.create(
        set=made,
        slot="front",
        state=Photo.State.ACCEPTED,
        reference=blob,
        quality=1.0,
        created_at=making.now(),
    )
    return made


def ordered(count: int = 1) -> tuple[uuid.UUID, Style, Job]:
    """An open job from photos."""
    who, style = making.consenting(), making.style()
    orders = [jobs.Order(style.slug)] * count
    job, _ = jobs.submit(who, set_of(who).pk, orders, uuid.uuid4().hex, making.now())
    return who, style, job


def state(job: Job) -> str:
    return str(Job.objects.get(pk=job.pk).state)


def photos_gone(who: uuid.UUID) -> bool:
    inputs = Blob.objects.filter(owner_id=who, kind__in=[Kind.UPLOAD, Kind.REFERENCE])
    return not inputs.filter(state=Blob.State.STORED).exists()


def done(job: Job) -> bool:
    counts = [Portrait.objects.filter(item=item).count() for item in job.items.all()]
    return state(job) == Job.State.DONE and set(counts) == {1} and photos_gone(job.owner_id)


def ended(job: Job, how: Job.State, used: int = 0) -> bool:
    return (
        state(job) == how
        and not Portrait.objects.filter(item__job=job).exists()
        and photos_gone(job.owner_id)
        and ordering.used(job.owner_id) == (used, used)
    )


# --- The person ----------------------------------------------------------------------------------


def submit() -> Scene:
    who, style, key = making.consenting(), making.style(), uuid.uuid4().hex
    made = set_of(who)
    args = {"who": str(who), "key": key, "style": style.slug, "count": 2, "set_id": str(made.pk)}

    def ends() -> bool:
        (job,) = Job.objects.filter(owner_id=who)
        return job.items.count() == 2 and ordering.used(who) == (2, 2)

    return Scene(who, ("submit", args), ends)


def submit_words() -> Scene:
    """Of somebody who has no key yet."""
    who, style, key = making.person(), ordering.words_only(), uuid.uuid4().hex
    args = {"who": str(who), "key": key, "style": style.slug, "count": 3}
    return Scene(who, ("submit", args), lambda: Item.objects.filter(job__owner_id=who).count() == 3)


def reroll() -> Scene:
    who, style = making.person(), ordering.words_only()
    ordering.order(who, style)
    old = ordering.finished(who, style)
    args = {"who": str(who), "key": uuid.uuid4().hex, "style": style.slug, "portrait": str(old.pk)}

    def ends() -> bool:
        (item,) = Item.objects.filter(reroll_of=old.item_id)
        return item.state == Item.State.QUEUED and ordering.used(who) == (1, 1)

    return Scene(who, ("reroll", args), ends)


def retry() -> Scene:
    who, style, job = ordered(2)
    item = ordering.failed(style)
    args = {"who": str(who), "job": str(job.pk), "item": str(item.pk)}

    def ends() -> bool:
        item.refresh_from_db()
        return item.state == Item.State.QUEUED and item.retried and state(job) in Job.OPEN

    return Scene(who, ("retry", args), ends)


def cancel() -> Scene:
    who, style, job = ordered(2)
    making.claimed(style)
    # What was begun stays counted, what only waited does not.
    ends = lambda: ended(job, Job.State.CANCELLED, used=1)  # noqa: E731
    return Scene(who, ("cancel", {"who": str(who), "job": str(job.pk)}), ends)


def withdraw() -> Scene:
    who, style, job = ordered(2)
    work = making.claimed(style)
    assert painting.finish(work.held, making.sizes(who), making.now())
    making.claimed(style)

    def ends() -> bool:
        left = Portrait.objects.filter(owner_id=who).exists()
        return state(job) == Job.State.CANCELLED and photos_gone(who) and not left

    return Scene(who, ("withdraw", {"who": str(who)}), ends)


def leave() -> Scene:
    who, style, job = ordered(2)
    making.claimed(style)

    def ends() -> bool:
        destroyed = OwnerKey.objects.get(pk=who).destroyed_at is not None
        (_,) = Erasure.objects.filter(subject_id=who)
        return destroyed and state(job) == Job.State.CANCELLED and photos_gone(who)

    return Scene(who, ("leave", {"who": str(who)}), ends)


def delete() -> Scene:
    who, style = making.person(), ordering.words_only()
    ordering.order(who, style)
    old = ordering.finished(who, style)

    def ends() -> bool:
        (_,) = Erasure.objects.filter(subject_id=who)
        kinds = [Kind.PORTRAIT, Kind.RENDITION]
        left = Blob.objects.filter(owner_id=who, kind__in=kinds, state=Blob.State.STORED)
        return not left.exists()

    return Scene(who, ("delete", {"who": str(who), "portrait": str(old.pk)}), ends)


def upload() -> Scene:
    who = making.consenting()
    made = ReferenceSet.objects.create(
        owner_id=who,
        keep=False,
        created_at=making.now(),
        expires_at=making.now() + timedelta(hours=24),
    )

    def ends() -> bool:
        (photo,) = made.photos.all()
        return photo.state == Photo.State.CHECKING

    return Scene(who, ("upload", {"who": str(who), "set_id": str(made.pk)}), ends)


# --- The workers ---------------------------------------------------------------------------------


def look() -> Scene:
    who = making.consenting()
    made = ReferenceSet.objects.create(
        owner_id=who,
        keep=False,
        created_at=making.now(),
        expires_at=making.now() + timedelta(hours=24),
    )
    blob = making.written(Kind.UPLOAD, who, b"a photo as it was sent")
    photo = Photo.objects.create(set=made, slot="front", upload=blob, created_at=making.now())
    leases.open_work("reference", photo.pk, who)

    def ends() -> bool:
        photo.refresh_from_db()
        uploads = Blob.objects.filter(owner_id=who, kind=Kind.UPLOAD, state=Blob.State.STORED)
        return photo.state == Photo.State.ACCEPTED and not uploads.exists()

    return Scene(who, ("look", {"photo": str(photo.pk)}), ends)


def paint() -> Scene:
    who, style, job = ordered()
    return Scene(who, ("paint", {"engine": style.engine}), lambda: done(job))


def stumble() -> Scene:
    who, style, job = ordered()
    engine = {"engine": style.engine}
    return Scene(who, ("stumble", engine), lambda: done(job), [("paint", engine)])


def hand_back() -> Scene:
    who, style, job = ordered()
    engine = {"engine": style.engine}
    return Scene(who, ("hand back", engine), lambda: done(job), [("paint", engine)])


def refuse() -> Scene:
    who, style, job = ordered()
    ends = lambda: ended(job, Job.State.FAILED)  # noqa: E731
    return Scene(who, ("refuse", {"engine": style.engine}), ends)


def give_up() -> Scene:
    """It was tried three times."""
    who, style, job = ordered()
    Lease.objects.filter(owner_id=who).update(attempts=leases.MAX_ATTEMPTS)
    ends = lambda: ended(job, Job.State.FAILED)  # noqa: E731
    return Scene(who, ("paint", {"engine": style.engine}), ends)


def stopped() -> Scene:
    """Killed before the stop, it is stopped by its owner in the end; killed behind it, it is."""
    who, style, job = ordered()
    mine = {"who": str(who), "job": str(job.pk)}
    ends = lambda: ended(job, Job.State.CANCELLED, used=1)  # noqa: E731
    walk = ("paint what is stopped", {"engine": style.engine, **mine})
    return Scene(who, walk, ends)


def expire() -> Scene:
    who, _, job = ordered(2)
    Job.objects.filter(pk=job.pk).update(start_by=LONG_AGO - timedelta(hours=1))
    return Scene(who, ("expire", {}), lambda: ended(job, Job.State.EXPIRED))


def requeue() -> Scene:
    """A holder that renews and does not get on."""
    who, style, job = ordered()
    work = making.claimed(style)
    Lease.objects.filter(owner_id=who).update(progressed_at=LONG_AGO)

    def ends() -> bool:
        return not painting.wanted(work.held) and done(job)

    return Scene(who, ("requeue", {}), ends, [("requeue", {}), ("paint", {"engine": style.engine})])


def reap() -> Scene:
    who, _, job = ordered()
    jobs.cancel(who, job.pk, making.now())
    names = list(Blob.objects.filter(owner_id=who).values_list("name", flat=True))
    assert names

    def ends() -> bool:
        left = Blob.objects.filter(owner_id=who).exists()
        return not left and not any(storage.exists(name) for name in names)

    return Scene(who, ("reap", {}), ends)


ALL: Final[dict[str, Callable[[], Scene]]] = {
    scene.__name__: scene
    for scene in (
        *(submit, submit_words, reroll, retry, cancel, withdraw, leave, delete, upload),
        *(look, paint, stumble, hand_back, refuse, give_up, stopped, expire, requeue, reap),
    )
}


def lapse(who: uuid.UUID) -> None:
    """Whoever held work of this person has died; fifteen seconds have passed."""
    held = Lease.objects.filter(owner_id=who, held_until__gt=making.now())
    held.update(held_until=LONG_AGO)
    Lease.objects.filter(owner_id=who).update(ready_at=LONG_AGO)


def orphans(people: Sequence[uuid.UUID]) -> list[str]:
    """Bodies of these people that no row knows once the orphan sweep has been; as upkeep."""
    sweeps.reap_orphans(making.now() + retention.ORPHAN_GRACE + timedelta(minutes=1))
    prefixes = set(OwnerKey.objects.filter(pk__in=people).values_list("prefix", flat=True))
    stored = Blob.objects.filter(owner_id__in=people, state=Blob.State.STORED)
    known = set(stored.values_list("name", flat=True))
    there = {name for name in storage.names("") if name.split(os.sep)[1] in prefixes}
    return sorted(there ^ known)
