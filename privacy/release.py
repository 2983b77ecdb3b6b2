"""The written release: what a signature says, and how a stranger verifies it without us.

BIPA 15(b) asks that a person is told in writing (1) what is collected, (2) for what purpose and how
long, and (3) signs a release. `compose` makes the evidence of that, which is sealed; `document`
puts it beside the text and the ledger's line, so that `deploy/docs/verify_release.py` can check all
of it with no database. Refuses a text without the three statements, and a signature without a name.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any, Final

from privacy import signing
from privacy.errors import ReleaseIncomplete
from privacy.models import Consent, ConsentDocument
from privacy.plain import Plain

FORMAT: Final = "sitter/release/v1"
# The headings under which the three statements stand, by language.
STATEMENTS: Final = {
    "en": ("What is collected", "Purpose and length of term", "Your written release"),
    "de": ("Was erhoben wird", "Zweck und Dauer", "Ihre schriftliche Freigabe"),
}
_SALT_BYTES = 16


def statements(text: str) -> dict[str, str]:
    """The three statements of a text by their headings. Raises ReleaseIncomplete."""
    sections = dict(block.split("\n", 1) for block in text.strip().split("\n\n") if "\n" in block)
    for headings in STATEMENTS.values():
        if all(sections.get(heading, "").strip() for heading in headings):
            return {heading: sections[heading] for heading in headings}
    raise ReleaseIncomplete


def compose(entry: Consent, text: ConsentDocument, typed_name: str) -> bytes:
    """The evidence of a signature as canonical JSON, salted: from its digest nothing is guessed.

    Raises ReleaseIncomplete when the text lacks a statement or nobody has signed.
    """
    if not typed_name.strip() or entry.act != Consent.Act.TYPED_NAME or entry.shown_at is None:
        raise ReleaseIncomplete
    _, term, _ = statements(text.text).values()
    return signing.canonical(
        {
            "format": FORMAT,
            "consent": str(entry.pk),
            "document": str(text.pk),
            "text_sha256": hashlib.sha256(text.text.encode()).hexdigest(),
            "purpose": text.purpose,
            "term": term,
            "typed_name": typed_name,
            "act": str(entry.act),
            "intent": True,
            "shown_at": moment(entry.shown_at),
            "signed_at": moment(entry.at),
            "salt": os.urandom(_SALT_BYTES).hex(),
        }
    )


def document(entry: Consent, evidence: Plain) -> dict[str, Any]:
    """What the export holds of one signature: the text, the evidence and the ledger's line."""
    return {
        "format": FORMAT,
        "text": entry.document.text,
        "evidence": json.loads(evidence.reveal()),
        "ledger": {
            "id": str(entry.pk),
            "subject": str(entry.subject_id),
            "document": str(entry.document_id),
            "verb": str(entry.verb),
            "act": str(entry.act),
            "client": entry.client,
            "at": moment(entry.at),
            "shown_at": moment(entry.shown_at),
            "expires_at": moment(entry.expires_at),
            "release_sha256": bytes(entry.release_sha256 or b"").hex(),
            "evidence_sha256": bytes(entry.evidence_sha256 or b"").hex(),
        },
    }


def moment(at: datetime | None) -> str | None:
    """A time as the release writes it: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None
