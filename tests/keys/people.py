"""Owners in numbers, and pictures of one that are sealed and lie in the real bucket."""

import os
import uuid
from datetime import datetime

from django.db import connection

from privacy import crypto, keys, storage, vault
from privacy.models import Blob, OwnerKey
from privacy.plain import Plain
from privacy.retention import Kind

_FILL = """
INSERT INTO privacy_ownerkey (owner_id, public, wrapped, root_epoch, prefix, created_at, fence)
SELECT o, %s, w, %s, replace(o::text, '-', ''), %s, 0
FROM unnest(%s::uuid[], %s::bytea[]) AS new (o, w)
"""


def many(count: int, root: bytes, label: str, now: datetime) -> dict[uuid.UUID, bytes]:
    """So many living owners of random seeds; returns them. Rows are as wide as real ones."""
    public = os.urandom(1216)
    seeds = {uuid.uuid4(): os.urandom(32) for _ in range(count)}
    owners = list(seeds)
    for start in range(0, count, 5000):
        some = owners[start : start + 5000]
        wrapped = [crypto.wrap(seeds[owner], root, owner) for owner in some]
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [public, label, now, some, wrapped])
    return seeds


def unreadable(seeds: dict[uuid.UUID, bytes], roots: dict[str, bytes]) -> int:
    """How many owners' keys do not come out as they went in, under the root they name."""
    wrong = 0
    rows = OwnerKey.objects.filter(pk__in=seeds).values_list("owner_id", "wrapped", "root_epoch")
    for owner, wrapped, label in rows.iterator():
        wrong += crypto.unwrap(bytes(wrapped or b""), roots[label], owner) != seeds[owner]
    return wrong


def sitter(now: datetime) -> uuid.UUID:
    """Somebody with a key. The process must be dressed as the web."""
    who = uuid.uuid4()
    keys.ensure_owner(who, now)
    return who


def written(kind: Kind, who: uuid.UUID, data: bytes, now: datetime) -> Blob:
    """A committed blob."""
    draft = vault.draft(kind, who, Plain(data), now)
    assert vault.commit([draft])
    return Blob.objects.get(pk=draft.blob_id)


def body_of(blob: Blob) -> bytes:
    """What lies in the bucket."""
    return storage.get(blob.name)
