"""What the tests of the export start from: a person with something to take, and the two roles."""

import io
import uuid
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from privacy import (
    archive,
    copies,
    export,
)
from privacy.models import (
    AuditEvent,
    Export,
    ExportPart,
)
from privacy.retention import Kind
from tests.portraits.making import consenting, now, written

PHOTO = b"\xff\xd8\xff a clean photo"
PORTRAIT = b"\xff\xd8\xff a portrait"
Sort = ExportPart.Sort


def sitter() -> uuid.UUID:
    """Somebody with a signature, a photo and a portrait in two sizes."""
    who = consenting()
    written(Kind.REFERENCE, who, PHOTO)
    written(Kind.PORTRAIT, who, PORTRAIT)
    written(Kind.RENDITION, who, PORTRAIT + b" smaller")
    return who


def prepared(asked: Export, web: Any, at: Callable[[], datetime] = now) -> Export:
    """As the intake and the keeper leave it; the process is the web again afterwards."""
    web("intake")
    copies.prepare(Sort.PHOTO, at)
    web("keeper")
    copies.prepare(Sort.SIGNATURE, at)
    web("web")
    asked.refresh_from_db()
    return asked


def fetched(asked: Export, at: Callable[[], datetime] = now) -> zipfile.ZipFile:
    """The archive, as it arrives."""
    taken = export.fetch(asked.owner_id, asked.pk, at())
    return zipfile.ZipFile(io.BytesIO(b"".join(archive.stream(taken, at))))


def events(verb: AuditEvent.Verb, who: uuid.UUID) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=verb, subject_id=who))
