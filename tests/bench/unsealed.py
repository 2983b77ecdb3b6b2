"""Our own web, but for the seal: what a sealed download is compared with.

The view, the session, the throttle, the owner's check, the row, the audit and the bucket are the
product's. The one difference is behind `vault.read`: the body lies in the bucket as it is, so no
key is fetched, no digest is compared and nothing is opened. Lives in the benchmarks alone.
"""

import uuid
from datetime import datetime

from deploy.asgi import application as application
from privacy import audit, storage, vault
from privacy.errors import BlobGone
from privacy.models import Blob
from privacy.plain import Plain
from tests.bench.servers import UNSEALED


def _read(blob_id: uuid.UUID, now: datetime, *, why: audit.Reason) -> Plain:
    row = (
        Blob.objects.filter(pk=blob_id, state=Blob.State.STORED, expires_at__gt=now)
        .select_related("capsule")
        .first()
    )
    if row is None or not hasattr(row, "capsule"):
        raise BlobGone
    body = storage.get(row.name + UNSEALED)
    audit.record(audit.Verb.BLOB_READ, subject_id=row.owner_id, object_id=row.id, reason=why)
    return Plain(body)


vault.read = _read
