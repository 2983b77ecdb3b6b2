"""What is written on a case, sealed at once; opening it is on record.

What concerns an account is sealed to its owner's key, so that it ends with the account: at an
erasure it is noise within the same transaction. What has no account is sealed to the key that the
web holds for it, and ends by its term.
"""

import json
import uuid
from datetime import datetime
from typing import Final

from accounts.models import uuid7
from privacy import audit, crypto, keys, signing
from privacy.crypto import Context, Recipient
from privacy.models import Case, CaseEntry
from privacy.plain import Plain
from privacy.retention import Term, term

KIND: Final = 14  # FORMAT.md's number; an entry is a row of its own and no blob
Sort = CaseEntry.Sort


def write(
    case: Case,
    sort: CaseEntry.Sort,
    said: dict[str, str],
    now: datetime,
    *,
    author_id: uuid.UUID | None = None,
    template: str = "",
) -> CaseEntry:
    """Seal and keep it, in the caller's transaction. Raises OwnerErased."""
    owner_id = _owner(case)
    keys.ensure_owner(owner_id, now)
    keys.hold_owner(owner_id)
    _, public = keys.owner_public(owner_id)
    entry_id = uuid7()
    sealed = crypto.seal(Plain(signing.canonical(said)), public, _place(owner_id, entry_id))
    return CaseEntry.objects.create(
        id=entry_id,
        case=case,
        sort=sort,
        template=template,
        author_id=author_id,
        capsule=sealed.capsule,
        body=bytes(sealed.body),
        at=now,
        expires_at=now + term(Term.CASE_WORDS),
    )


def open_entry(entry: CaseEntry, *, why: audit.Reason) -> dict[str, str]:
    """Web: what was written. Raises KeyNotHeld, KeyDestroyed, SealBroken."""
    owner_id = _owner(entry.case)
    sealed = crypto.stored(bytes(entry.capsule), bytes(entry.body))
    opened = crypto.unseal(sealed, keys.owner_seed(owner_id), _place(owner_id, entry.pk))
    said: dict[str, str] = json.loads(opened.reveal())
    audit.record(
        audit.Verb.BLOB_READ,
        subject_id=entry.case.subject_id,
        object_id=entry.pk,
        reason=why,
    )
    return said


def sent(case: Case, template: str) -> bool:
    """Whether this letter of the case has gone out."""
    return case.entries.filter(sort=Sort.ANSWER, template=template).exists()


def of(owner_id: uuid.UUID) -> list[CaseEntry]:
    """Everything that was written on what a person has asked for, oldest first."""
    rows = CaseEntry.objects.filter(case__subject_id=owner_id).select_related("case")
    return list(rows.order_by("at", "pk"))


def _owner(case: Case) -> uuid.UUID:
    return case.subject_id or keys.SYSTEM_OWNER


def _place(owner_id: uuid.UUID, entry_id: uuid.UUID) -> Context:
    return Context(KIND, Recipient.OWNER, owner_id, entry_id)
