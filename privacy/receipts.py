"""The receipt of an erasure: what was destroyed, since when nothing opens, who is still to confirm.

It names nobody. Only who knows the account's id can tie it to the account, by the salted digest;
`deploy/docs/verify_receipt.py` checks it without this project.
"""

import hashlib
import os
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings

from privacy import recipients, retention, signing
from privacy.models import Erasure
from privacy.retention import Term

VERSION = 2


def sign(erasure: Erasure, proved_at: datetime, now: datetime) -> dict[str, Any]:
    """Upkeep: the first receipt, or one that says more than the one before."""
    before = erasure.receipt["statement"] if erasure.receipt else None
    salt = bytes.fromhex(before["subject"]["salt"]) if before else os.urandom(16)
    by = erasure.unopenable_by
    statement: dict[str, Any] = {
        "version": VERSION,
        "revision": before["revision"] + 1 if before else 1,
        "erasure": str(erasure.pk),
        "scope": str(erasure.scope),
        "subject": {"salt": salt.hex(), "sha256": _digest(salt, erasure.subject_id)},
        "destroyed": erasure.counts,
        "unreadable_at": erasure.requested_at.isoformat(),
        "unopenable_from_backups_by": by.isoformat() if by else None,
        "proved_at": proved_at.isoformat(),
        "signed_at": now.isoformat(),
        "recipients_told": recipients.confirmed(erasure),
        "recipients_pending": recipients.pending(erasure),
        "kept": _kept(erasure),
        "code": {"version": settings.VERSION, "build": settings.BUILD},
    }
    if erasure.target_id is not None:
        statement["target"] = {"salt": salt.hex(), "sha256": _digest(salt, erasure.target_id)}
    return signing.sign(statement)


def _digest(salt: bytes, known: uuid.UUID) -> str:
    return hashlib.sha256(salt + known.bytes).hexdigest()


def _kept(erasure: Erasure) -> dict[str, str]:
    kept = {"audit ids, this receipt": f"{retention.term(Term.RECEIPT).days} days"}
    if erasure.scope in (Erasure.Scope.ACCOUNT, Erasure.Scope.BIOMETRIC):
        days = retention.term(Term.EVIDENCE).days
        kept["consent ledger, sealed evidence"] = f"{days} days"
    return kept
