"""What the daily proof looks at in blobs and in the bucket. No picture is opened for it.

A live system is never still: what looks wrong is looked at again, one by one, before it counts.
"""

import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from privacy import retention, storage
from privacy.consent import Purpose
from privacy.crypto import Recipient
from privacy.errors import BlobGone
from privacy.models import Blob, Capsule, Consent, Erasure, FleetKey, OwnerKey
from privacy.retention import Kind
from privacy.witnesses import Seen, witnesses

State = Blob.State
# An object without a row may lie this long: the grace of the orphan sweep, and its next round.
GRACE: Final = retention.ORPHAN_GRACE + timedelta(minutes=15)
PAGE: Final = 1000
SAMPLE: Final = 200
WINDOWS: Final = 10


def blob_complete(now: datetime) -> Seen:
    """Every stored blob has its capsule, and the key that it is sealed to is alive."""
    stored = Blob.objects.filter(state=State.STORED)
    # The bodies of somebody who is being erased have lost their key on purpose.
    leaving = Erasure.objects.exclude(stage=Erasure.Stage.PROVED).values("subject_id")
    dead = OwnerKey.objects.filter(Q(destroyed_at__isnull=False) | Q(openable=False))
    unpublished = Q(recipient=Recipient.FLEET) & ~Q(
        recipient_label__in=FleetKey.objects.values("label")
    )
    capsuleless = ~Exists(Capsule.objects.filter(blob=OuterRef("pk")))
    wrong = stored.filter(capsuleless | unpublished | Q(owner__in=dead.values("owner_id")))
    return Seen(stored.count(), wrong.exclude(owner_id__in=leaving).count())


def consent_of_inputs(now: datetime) -> Seen:
    """Every living photo is of somebody whose newest signature is a grant that covered it.

    And what was made of photos names the grant that it was made under.
    """
    living = Blob.objects.filter(
        Q(state=State.STORED) | Q(created_at__lt=now - GRACE),
        kind__in=(Kind.UPLOAD, Kind.REFERENCE),
        expires_at__gt=now,
    ).exclude(state=State.SHREDDED)
    newest = Consent.objects.filter(
        subject_id=OuterRef("owner_id"), document__purpose=Purpose.GENERATION
    ).order_by("-at", "-pk")
    said = living.annotate(
        verb=Subquery(newest.values("verb")[:1]), until=Subquery(newest.values("expires_at")[:1])
    )
    covered = said.filter(verb=Consent.Verb.GRANTED, until__gt=F("created_at"))
    made = [look(now) for look in witnesses]
    return Seen(
        living.count() + sum(seen.looked_at for seen in made),
        living.exclude(pk__in=covered.values("pk")).count() + sum(seen.wrong for seen in made),
    )


def orphans(now: datetime, *, grace: timedelta = GRACE) -> tuple[Seen, Seen]:
    """(objects without a row, stored rows without an object), in one walk through the bucket."""
    objects, strangers, bodiless, before = 0, 0, 0, ""
    for page in storage.listing(""):
        names = [name for name, _ in page]
        objects += len(names)
        known = set(Blob.named(names).values_list("name", flat=True))
        strangers += sum(
            _is_stranger(name) for name, at in page if at <= now - grace and name not in known
        )
        if names:
            between = Blob.objects.filter(name__gt=before, name__lte=names[-1])
            bodiless += _bodiless(between.exclude(name__in=names))
            before = names[-1]
    bodiless += _bodiless(Blob.objects.filter(name__gt=before))
    rows = Blob.objects.filter(state=State.STORED).count()
    return Seen(objects, strangers), Seen(rows, bodiless)


def _is_stranger(name: str) -> bool:
    return storage.exists(name) and not Blob.named([name]).exists()


def _bodiless(rows: QuerySet[Blob]) -> int:
    """Rows whose object is not there, although they are still stored afterwards."""
    suspects = rows.filter(state=State.STORED).values_list("pk", "name")
    return sum(
        not storage.exists(name) and Blob.objects.filter(pk=pk, state=State.STORED).exists()
        for pk, name in suspects.iterator()
    )


def bodies_match(now: datetime, *, everything: bool = False) -> Seen:
    """Length and SHA-256 of bodies against their rows: all of few, a sample of many."""
    stored = Blob.objects.filter(state=State.STORED)
    whole = everything or stored.count() <= SAMPLE
    seen = wrong = 0
    for _, name, length, sha256 in _all(stored) if whole else _sample(stored):
        try:
            body = storage.get(name)
        except BlobGone:
            continue  # it ended meanwhile, or the other check counts it
        seen += 1
        wrong += len(body) != length or hashlib.sha256(body).digest() != bytes(sha256)
    return Seen(seen, wrong)


Row = tuple[uuid.UUID, str, int, bytes]


def _all(stored: QuerySet[Blob]) -> Iterator[Row]:
    after = uuid.UUID(int=0)
    while page := _window(stored, after, PAGE):
        yield from page
        after = page[-1][0]


def _sample(stored: QuerySet[Blob]) -> Iterator[Row]:
    """From random places, so that the cost does not follow what exists."""
    first, last = (
        stored.order_by(order).values_list("pk", flat=True)[0] for order in ("pk", "-pk")
    )
    for _ in range(WINDOWS):
        place = uuid.UUID(int=random.randint(first.int, last.int))
        yield from _window(stored, place, SAMPLE // WINDOWS)


def _window(stored: QuerySet[Blob], after: uuid.UUID, size: int) -> list[Any]:
    rows = stored.filter(pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", "name", "length", "sha256")[:size])
