"""One entry's place in its hash chain: canonical bytes, salted digest, next head, signed statement.

Nothing here reads or writes a row. The salt keeps a digest from being compared with guesses once
its entry is gone; a link's own entry id and time go into the chain as well, so that a link cannot
be made to look past its term.
"""

import base64
import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Model

from privacy import retention, signing
from privacy.models import AuditEvent, Checkpoint, Consent, Ledger
from privacy.retention import Term

ENTRIES: Final[dict[Ledger, type[Model]]] = {Ledger.CONSENT: Consent, Ledger.AUDIT: AuditEvent}
TERMS: Final[dict[Ledger, Term]] = {Ledger.CONSENT: Term.CONSENT, Ledger.AUDIT: Term.AUDIT}
GENESIS: Final = bytes(32)
SALT_BYTES: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def fields(ledger: Ledger) -> list[str]:
    """Every column of the ledger's table."""
    return [field.attname for field in ENTRIES[ledger]._meta.concrete_fields]


def cutoff(ledger: Ledger, now: datetime) -> datetime:
    """What is older than this is past its term."""
    return now - retention.term(TERMS[ledger])


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The bytes of a whole row. NULL is left out: a column added later changes no old digest."""
    return signing.canonical(
        {name: _text(value) for name, value in entry.items() if value is not None}
    )


def digest(salt: bytes, entry: Mapping[str, Any]) -> bytes:
    """SHA-256(salt ‖ canonical bytes)."""
    return hashlib.sha256(salt + canonical(entry)).digest()


def step(chain: bytes, entry_id: uuid.UUID, at: datetime, digest: bytes) -> bytes:
    """The next head: SHA-256(head ‖ entry's id ‖ its time in microseconds ‖ digest)."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    moment = micros.to_bytes(8, "big", signed=True)
    return hashlib.sha256(chain + entry_id.bytes + moment + digest).digest()


def statement(row: Checkpoint) -> dict[str, Any]:
    """What is signed about a batch of links."""
    return {
        "kind": "checkpoint",
        "ledger": Ledger(row.ledger).name.lower(),
        "first": row.first,
        "last": row.last,
        "previous": bytes(row.previous).hex(),
        "chain": bytes(row.chain).hex(),
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def signed(row: Checkpoint) -> dict[str, Any]:
    """The statement of a stored checkpoint with its signature, as `signing.verified` takes it."""
    return {
        "statement": {**statement(row), "key": row.key_label},
        "signature": base64.b64encode(bytes(row.signature)).decode(),
    }


def _text(value: Any) -> str | int:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if isinstance(value, int) else str(value)
