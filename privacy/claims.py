""" "This is my face": reports by people who believe that their face was used without consent.

What they write is sealed at once, to the key that the web holds for what belongs to no account; the
clock is not sealed. A picture is never asked for: to report a face, nobody has to hand one in. Each
is a request to the desk too, where it is answered (privacy/desk/).
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from privacy import audit, crypto, keys, limits, retention, signing
from privacy.crypto import Context, Recipient
from privacy.desk import incoming
from privacy.errors import TooManyClaims
from privacy.models import FaceClaim
from privacy.plain import Plain
from privacy.retention import Term

KIND: Final = 10  # FORMAT.md's number; a claim is a row of its own and no blob
PER_ADDRESS: Final = 5
ADDRESS_WINDOW: Final = timedelta(hours=1)
PER_DAY: Final = 1000


@dataclass(frozen=True)
class Words:
    """What somebody wrote, opened for whoever answers."""

    contact: Plain
    words: Plain


def admit(address: str, now: datetime) -> None:
    """Count a report from a network address. Raises TooManyClaims, NotReady."""
    wait = limits.take(
        [
            limits.Bucket("face-claim", address, PER_ADDRESS, ADDRESS_WINDOW),
            limits.Bucket("face-claims", "all", PER_DAY, timedelta(days=1)),
        ],
        now,
    )
    if wait:
        refusal = TooManyClaims()
        refusal.retry_after = wait
        raise refusal


def receive(contact: str, words: str, language: str, now: datetime) -> FaceClaim:
    """Seal a report and start its clock."""
    keys.ensure_owner(keys.SYSTEM_OWNER, now)
    _, public = keys.owner_public(keys.SYSTEM_OWNER)
    claim_id = uuid.uuid4()
    said = Plain(signing.canonical({"contact": contact, "words": words}))
    sealed = crypto.seal(said, public, _place(claim_id))
    with transaction.atomic():
        claim = FaceClaim.objects.create(
            id=claim_id,
            language=language,
            capsule=sealed.capsule,
            body=bytes(sealed.body),
            received_at=now,
            due_at=now + retention.FACE_CLAIM_ANSWER,
            expires_at=now + retention.term(Term.FACE_CLAIM),
        )
        audit.record(audit.Verb.FACE_CLAIMED, object_id=claim.pk)
        incoming.from_claim(claim.pk, contact, language, now)
    return claim


def find(claim_id: uuid.UUID, now: datetime) -> FaceClaim | None:
    """A report by its id, which only its sender was told."""
    return FaceClaim.objects.filter(pk=claim_id, expires_at__gt=now).first()


def open_words(claim: FaceClaim) -> Words:
    """Web, for support: what was written. Raises KeyNotHeld, SealBroken."""
    sealed = crypto.stored(bytes(claim.capsule), bytes(claim.body))
    opened = crypto.unseal(sealed, keys.owner_seed(keys.SYSTEM_OWNER), _place(claim.pk))
    said = json.loads(opened.reveal())
    audit.record(audit.Verb.BLOB_READ, object_id=claim.pk)
    return Words(Plain(said["contact"].encode()), Plain(said["words"].encode()))


def close(claim_id: uuid.UUID, now: datetime) -> bool:
    """Somebody has answered. False: it was closed before, or there is none."""
    waiting = FaceClaim.objects.filter(pk=claim_id, state=FaceClaim.State.OPEN)
    return bool(waiting.update(state=FaceClaim.State.CLOSED, closed_at=now))


def overdue(now: datetime) -> int:
    """Reports that nobody has answered in time."""
    return FaceClaim.objects.filter(state=FaceClaim.State.OPEN, due_at__lte=now).count()


def _place(claim_id: uuid.UUID) -> Context:
    return Context(KIND, Recipient.OWNER, keys.SYSTEM_OWNER, claim_id)
