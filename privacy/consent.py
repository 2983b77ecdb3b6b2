"""Grant, withdraw, require. The ledger only grows; the newest entry of a purpose is what counts."""

import uuid
from datetime import datetime

from django.db import transaction

from privacy import audit, crypto, keys, retention, stops
from privacy.crypto import Context, Recipient
from privacy.errors import ConsentMissing, ConsentOutdated, DocumentUnknown
from privacy.models import Consent, ConsentDocument, ConsentEvidence
from privacy.plain import Plain

Purpose = ConsentDocument.Purpose
EVIDENCE_KIND = 7  # FORMAT.md's number; evidence is a row of its own and no blob


def documents(purpose: str | None = None, language: str | None = None) -> list[ConsentDocument]:
    """The texts that can be signed now."""
    rows = ConsentDocument.objects.filter(retired_at=None).order_by("purpose", "language")
    # Compared here: what a client asks for need not be text that PostgreSQL can hold.
    return [
        row
        for row in rows
        if purpose in (None, "", row.purpose) and language in (None, "", row.language)
    ]


def grant(
    owner_id: uuid.UUID, document_id: uuid.UUID, typed_name: str, client: str, now: datetime
) -> Consent:
    """Record that a person signed a text. Raises DocumentUnknown, NotReady, OwnerErased."""
    keys.ensure_owner(owner_id, now)
    label, public = keys.evidence_public(now.date())
    with transaction.atomic():
        keys.hold_owner(owner_id)
        document = ConsentDocument.objects.filter(pk=document_id, retired_at=None).first()
        if document is None:
            raise DocumentUnknown
        entry = Consent.objects.create(
            subject_id=owner_id,
            document=document,
            verb=Consent.Verb.GRANTED,
            act=Consent.Act.TYPED_NAME,
            client=client,
            at=now,
        )
        context = Context(EVIDENCE_KIND, Recipient.EVIDENCE, owner_id, entry.id)
        sealed = crypto.seal(Plain(typed_name.encode()), public, context)
        ConsentEvidence.objects.create(
            consent=entry,
            key_label=label,
            enc=sealed.capsule,
            body=bytes(sealed.body),
            expires_at=now + retention.term(retention.Term.EVIDENCE),
        )
        audit.record(audit.Verb.CONSENT_GRANTED, subject_id=owner_id, object_id=entry.id)
    return entry


def withdraw(
    owner_id: uuid.UUID,
    purpose: str,
    client: str,
    now: datetime,
    *,
    erase_portraits: bool,
    act: Consent.Act = Consent.Act.CALL,
) -> Consent:
    """Take a consent back: jobs stop, references go, portraits go or stay as the person says.

    Raises ConsentMissing when there is none to take back.
    """
    with transaction.atomic():
        keys.hold_owner(owner_id, exclusive=True)
        entry = _newest(owner_id, purpose)
        if entry is None or entry.verb != Consent.Verb.GRANTED:
            raise ConsentMissing("There is no consent to withdraw.")
        withdrawn = Consent.objects.create(
            subject_id=owner_id,
            document=entry.document,
            verb=Consent.Verb.WITHDRAWN,
            act=act,
            client=client,
            at=now,
        )
        stops.run(owner_id, now, erase_results=erase_portraits)
        audit.record(audit.Verb.CONSENT_WITHDRAWN, subject_id=owner_id, object_id=withdrawn.id)
    return withdrawn


def require(owner_id: uuid.UUID, purpose: str = Purpose.GENERATION) -> Consent:
    """The living consent, or ConsentMissing / ConsentOutdated. Call it where the bytes come in."""
    entry = _newest(owner_id, purpose)
    if entry is None or entry.verb != Consent.Verb.GRANTED:
        raise ConsentMissing
    if entry.document.retired_at is not None:
        raise ConsentOutdated
    return entry


def history(owner_id: uuid.UUID) -> list[Consent]:
    """Everything that the ledger says about a person, newest first."""
    rows = Consent.objects.filter(subject_id=owner_id).select_related("document")
    return list(rows.order_by("-at", "-pk"))


def _newest(owner_id: uuid.UUID, purpose: str) -> Consent | None:
    return (
        Consent.objects.filter(subject_id=owner_id, document__purpose=purpose)
        .select_related("document")
        .order_by("-at", "-pk")
        .first()
    )
