"""A person with many portraits, made quickly: rows in bulk, small sealed bodies side by side.

For measuring an erasure; the process must be dressed as the web.
"""

import hashlib
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections

from portraits.models import Item, Job, Portrait, Rendition, Style
from privacy import crypto, keys, storage
from privacy.crypto import Context, Recipient
from privacy.models import Blob, Capsule, OwnerKey
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import consenting, now

SEALED_AT_ONCE = 4


def crowded(objects: int, painted: Style) -> uuid.UUID:
    """Somebody who has signed and owns so many portrait objects, two sizes a portrait."""
    who, moment = consenting(), now()
    prefix = OwnerKey.objects.get(pk=who).prefix
    _, public = keys.owner_public(who)
    blobs = []
    for number in range(objects):
        kind = Kind.RENDITION if number % 2 else Kind.PORTRAIT
        name = f"{kind.name.lower()}/{prefix}/{os.urandom(16).hex()}"
        blob = Blob(owner_id=who, kind=kind, recipient=Recipient.OWNER, name=name)
        blob.created_at, blob.expires_at = moment, moment + timedelta(days=30)
        blobs.append(blob)

    def seal(blob: Blob) -> Capsule:
        place = Context(Kind(blob.kind), Recipient.OWNER, who, blob.id)
        sealed = crypto.seal(Plain(b"a portrait of " + blob.name.encode()), public, place)
        storage.put(blob.name, sealed)
        blob.state, blob.length = Blob.State.STORED, len(sealed.body)
        blob.sha256 = hashlib.sha256(sealed.body).digest()
        return Capsule(blob=blob, enc=sealed.capsule)

    with ThreadPoolExecutor(SEALED_AT_ONCE) as pool:
        capsules = list(pool.map(seal, blobs))
        list(pool.map(lambda _: connections.close_all(), range(SEALED_AT_ONCE)))
    Blob.objects.bulk_create(blobs)
    Capsule.objects.bulk_create(capsules)
    _portraits(who, blobs, painted)
    return who


def _portraits(who: uuid.UUID, blobs: list[Blob], painted: Style) -> None:
    moment = now()
    job = Job.objects.create(
        owner_id=who, state=Job.State.DONE, body_sha256=b"", created_at=moment, start_by=moment
    )
    full, small = blobs[::2], blobs[1::2]
    items = Item.objects.bulk_create(
        Item(job=job, style=painted, position=place, seed=1, state=Item.State.DONE)
        for place in range(len(full))
    )
    portraits = Portrait.objects.bulk_create(
        Portrait(owner_id=who, item=item, blob=blob, created_at=moment)
        for item, blob in zip(items, full, strict=True)
    )
    sizes = [("full", row, blob) for row, blob in zip(portraits, full, strict=True)]
    sizes += [("thumb", row, blob) for row, blob in zip(portraits, small, strict=False)]
    Rendition.objects.bulk_create(
        Rendition(portrait=row, name=name, blob=blob, width=8, height=8, media_type="image/jpeg")
        for name, row, blob in sizes
    )
