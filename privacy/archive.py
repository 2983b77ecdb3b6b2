"""The ZIP of an export, made while it is sent: one thing is open at a time, nothing touches a disk.

Every name in it is made here, from constants and our own random ids. Refuses nothing: what has
ended between the request and the fetch is left out, and contents.json says so.
"""

import json
import uuid
import zipfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.apps import apps
from django.contrib.auth import HASH_SESSION_KEY
from django.db.models import Model, Q, QuerySet

from privacy import audit, export, vault
from privacy.crypto import Recipient
from privacy.desk import entries
from privacy.errors import BlobGone, SealBroken
from privacy.inventory import TABLES, Class, Table
from privacy.models import (
    AuditEvent,
    Blob,
    CaseEntry,
    Consent,
    ConsentDocument,
    Export,
    Ledger,
    LedgerLink,
)
from privacy.retention import Kind

Clock = Callable[[], datetime]
CHUNK: Final = 65_536
README: Final = """\
This is everything that we hold on you.

data/       One JSON file for each of our tables, with your rows in it; an empty list means that
            there is none. Passwords, tokens and wrapped keys are left out, because in other hands
            they would open your account; nothing else is.
photos/     Your reference photos, as we hold them: cleaned, without metadata.
portraits/  Your portraits; smaller sizes, and the prompts (.json) of those that were painted from
            words, are in portraits/smaller/. data/portraits.rendition.json
            says which file (by its blob) belongs to which portrait.
requests/   What you asked us for and what was written about it, our own notes too.
releases/   What you signed, with the name that you typed, and in releases/texts/ every consent text
            that you agreed to or took back, word for word. A release can be checked without us.
contents.json  What is in here, and what had ended before you fetched it.

Times are UTC. Long numbers in hexadecimal are digests. This archive could be fetched once and is
encrypted no longer: keep it where you would keep the photos themselves.
"""
# The first bytes of what is ever sealed as a picture.
_MAGIC: Final = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"))
FOLDERS: Final[dict[int, str]] = {
    Kind.PORTRAIT: "portraits",
    Kind.RENDITION: "portraits/smaller",
}


@dataclass(frozen=True)
class Entry:
    """One file of the archive, a piece at a time."""

    name: str
    pieces: Iterator[bytes]
    packed: bool = False


class _Sink:
    """What zipfile writes to: it cannot be sought and holds a piece until that is sent."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing lies below."""

    def drain(self) -> bytes:
        """What was written since the last time."""
        held, self._held = b"".join(self._held), []
        return held


def stream(asked: Export, clock: Clock) -> Generator[bytes, None, None]:
    """The archive, piece by piece. However it ends, the parts are destroyed behind it."""
    sink = _Sink()
    try:
        with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
            for entry in _entries(asked, clock):
                info = zipfile.ZipInfo(entry.name, asked.requested_at.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED if entry.packed else zipfile.ZIP_STORED
                info.external_attr = 0o600 << 16
                with archive.open(info, "w") as file:
                    for piece in entry.pieces:
                        file.write(piece)
                        yield sink.drain()
                yield sink.drain()
        yield sink.drain()
    finally:
        vault.destroy(export.copies(asked.parts.all()), why=audit.Reason.SERVED)


def _entries(asked: Export, clock: Clock) -> Iterator[Entry]:
    left_out: list[dict[str, str]] = []
    names = ["README.txt"]
    yield Entry("README.txt", iter([README.encode()]), packed=True)
    for table in TABLES:
        if (rows := _rows(table, asked.owner_id)) is not None:
            names.append(f"data/{table.model.lower()}.json")
            yield Entry(names[-1], _json(table, rows), packed=True)
    for text in ConsentDocument.objects.filter(consent__subject_id=asked.owner_id).distinct():
        names.append(f"releases/texts/{text.pk}.txt")
        yield Entry(names[-1], iter([text.text.encode()]), packed=True)
    for folder, blob_id, source_id in _sealed(asked, clock()):
        try:
            data = _open(blob_id, clock())
        except (BlobGone, SealBroken) as error:
            left_out.append({"id": str(source_id), "folder": folder, "because": error.code})
            continue
        names.append(f"{folder}/{source_id}.{ending(data)}")
        yield Entry(names[-1], iter([data]))
    for entry in entries.of(asked.owner_id):
        names.append(f"requests/{entry.pk}.json")
        yield Entry(names[-1], iter([_written(entry)]), packed=True)
    contents = {"files": names, "left_out": left_out}
    yield Entry("contents.json", iter([json.dumps(contents, indent=1).encode()]), packed=True)


def _written(entry: CaseEntry) -> bytes:
    """One thing that was written on a request."""
    said = {
        "request": str(entry.case_id),
        "sort": entry.get_sort_display(),
        "template": entry.template,
        "at": entry.at.isoformat(),
        **entries.open_entry(entry, why=audit.Reason.EXPORT),
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def ending(data: bytes) -> str:
    """The ending of a file's name, by what we know that we sealed."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    return "json" if data.startswith(b"{") else "txt"


def _sealed(asked: Export, now: datetime) -> Iterator[tuple[str, uuid.UUID | None, uuid.UUID]]:
    """(folder, blob to open or None, id in the name) of everything that is sealed."""
    held = set(export.living(asked.owner_id, Recipient.FLEET, now).values_list("pk", flat=True))
    for part in asked.parts.order_by("pk"):
        if part.sort == export.Sort.PHOTO:
            # A copy is handed out only while what it was copied from is still held.
            yield "photos", part.blob_id if part.source_id in held else None, part.source_id
        else:
            yield "releases", part.blob_id, part.source_id
    own: QuerySet[Blob] = export.living(asked.owner_id, Recipient.OWNER, now)
    for blob in own:
        yield FOLDERS.get(blob.kind, "words"), blob.pk, blob.pk


def _open(blob_id: uuid.UUID | None, now: datetime) -> bytes:
    if blob_id is None:
        raise BlobGone
    return vault.read(blob_id, now, why=audit.Reason.EXPORT).reveal()


# --- Rows ----------------------------------------------------------------------------------------


def _rows(table: Table, owner_id: uuid.UUID) -> QuerySet[Any] | None:
    """A person's rows of a table, or None where it has none of anybody."""
    if table.model == "privacy.LedgerLink":
        return _links(owner_id)
    if table.lookup is None:
        return None
    rows: QuerySet[Any] = apps.get_model(table.model)._default_manager.all()
    return rows.filter(**{table.lookup: owner_id}).order_by("pk")


def _links(owner_id: uuid.UUID) -> QuerySet[LedgerLink]:
    """The links of the person's own entries, so that each can be checked against the chain."""
    entries = {
        Ledger.CONSENT: Consent.objects.filter(subject_id=owner_id),
        Ledger.AUDIT: AuditEvent.objects.filter(subject_id=owner_id),
    }
    wanted = Q(pk__in=())
    for ledger, rows in entries.items():
        wanted |= Q(ledger=ledger, entry_id__in=rows.values("pk"))
    return LedgerLink.objects.filter(wanted).order_by("pk")


def _json(table: Table, rows: QuerySet[Any]) -> Iterator[bytes]:
    """A list of rows, some at a time."""
    held = "["
    for number, row in enumerate(rows.iterator(chunk_size=500)):
        held += (",\n" if number else "\n") + json.dumps(_row(table, row), ensure_ascii=False)
        if len(held) > CHUNK:
            yield held.encode()
            held = ""
    yield f"{held}\n]\n".encode()


def _row(table: Table, row: Model) -> dict[str, Any]:
    said = {}
    for field in row._meta.concrete_fields:
        if table.columns[field.name].sort is not Class.SECRET:
            value = getattr(row, field.attname)
            shown = getattr(row, f"get_{field.name}_display", None)
            said[field.name] = shown() if shown and value is not None else _plain(value)
    if table.model == "accounts.Session":
        said["session_data"] = _signed_in(row)
    return said


def _signed_in(row: Any) -> dict[str, Any]:
    """What a session says about the person, without the hash that keeps it valid."""
    data: dict[str, Any] = row.get_decoded()
    return {name: value for name, value in data.items() if name != HASH_SESSION_KEY}


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value
