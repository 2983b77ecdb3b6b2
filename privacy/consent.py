"""Show, grant, withdraw, require. The ledger only grows; a purpose's newest entry is what counts.

A signature needs a text of the person's own region that was shown to them before, and holds until
it is withdrawn, the text changes, they move, or its days are over.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from accounts.models import User
from privacy import audit, crypto, keys, release, restore, retention, stops
from privacy.crypto import Context, Recipient
from privacy.errors import (
    ConsentExpired,
    ConsentMissing,
    ConsentOutdated,
    DocumentForeign,
    DocumentUnknown,
    NotShown,
    OwnerErased,
)
from privacy.models import Consent, ConsentDocument, ConsentEvidence, ConsentServing
from privacy.plain import Plain
from privacy.retention import Term

Purpose = ConsentDocument.Purpose
EVIDENCE_KIND = 7  # FORMAT.md's number; evidence is a row of its own and no blob
# A text that is fetched again within this time is the same showing.
SAME_SHOWING: Final = timedelta(minutes=1)

KEEPING_MISSING: Final = (
    "Keeping photos beyond their job needs a consent of its own: read and sign "
    "reference-keeping (GET /v1/consents/documents), or do not ask to keep them."
)


def documents(
    purpose: str | None = None, language: str | None = None, region: str | None = None
) -> list[ConsentDocument]:
    """The texts that can be signed now, generation first; without a region, those of all."""
    rows = ConsentDocument.objects.filter(retired_at=None)
    # Compared here: what a client asks for need not be text that PostgreSQL can hold.
    return [
        row
        for row in rows.order_by("purpose", "region", "language", "version")
        if purpose in (None, "", row.purpose)
        and language in (None, "", row.language)
        and region in (None, "", row.region)
    ]


def region_of(owner_id: uuid.UUID) -> str:
    """Where the person says they live. Raises OwnerErased when there is no living account."""
    region = User.objects.filter(pk=owner_id, is_active=True).values_list("region").first()
    if region is None:
        raise OwnerErased
    return str(region[0])


def serve(owner_id: uuid.UUID, shown: Iterable[ConsentDocument], now: datetime) -> None:
    """Note that these texts were shown to a person; those of other regions are not theirs to sign.

    Raises OwnerErased: behind the account's lock, an erasure that began first is seen.
    """
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).filter(pk=owner_id, is_active=True)
        region = person.values_list("region", flat=True).first()
        if region is None:
            raise OwnerErased
        ours = [row for row in shown if row.region == region]
        recent = ConsentServing.objects.filter(
            subject_id=owner_id, document__in=ours, at__gt=now - SAME_SHOWING
        )
        known = set(recent.values_list("document_id", flat=True))
        ConsentServing.objects.bulk_create(
            ConsentServing(subject_id=owner_id, document=row, at=now)
            for row in ours
            if row.pk not in known
        )


def grant(
    owner_id: uuid.UUID, document_id: uuid.UUID, typed_name: str, client: str, now: datetime
) -> Consent:
    """Record that a person signed a text that they were shown.

    Raises DocumentUnknown, DocumentForeign, NotShown, ReleaseIncomplete, NotReady, OwnerErased.
    """
    keys.ensure_owner(owner_id, now)
    with transaction.atomic():
        keys.hold_owner(owner_id)
        document = ConsentDocument.objects.filter(pk=document_id, retired_at=None).first()
        if document is None:
            raise DocumentUnknown
        if document.region != region_of(owner_id):
            raise DocumentForeign
        entry = Consent(
            subject_id=owner_id,
            document=document,
            verb=Consent.Verb.GRANTED,
            act=Consent.Act.TYPED_NAME,
            client=client,
            at=now,
            shown_at=_shown_at(owner_id, document, now),
            expires_at=now + timedelta(days=document.valid_days),
        )
        evidence = _evidence(entry, Plain(release.compose(entry, document, typed_name)), now)
        entry.save(force_insert=True)
        evidence.save(force_insert=True)
        audit.record(audit.Verb.CONSENT_GRANTED, subject_id=owner_id, object_id=entry.id)
    return entry


def _shown_at(owner_id: uuid.UUID, document: ConsentDocument, now: datetime) -> datetime:
    """When the text was last shown to the person."""
    since = now - retention.term(Term.SERVING)
    servings = ConsentServing.objects.filter(
        subject_id=owner_id, document=document, at__gt=since, at__lte=now
    )
    at = servings.order_by("-at").values_list("at", flat=True).first()
    if at is None:
        raise NotShown
    return at


def _evidence(entry: Consent, said: Plain, now: datetime) -> ConsentEvidence:
    """Seal what was said, and put both digests into the entry, which is not written yet.

    One digest notices that the sealed bytes were exchanged, by whoever cannot open them. The other
    is that of the salted words, for whoever was handed them.
    """
    label, public = keys.evidence_public(now.date())
    context = Context(EVIDENCE_KIND, Recipient.EVIDENCE, entry.subject_id, entry.pk)
    sealed = crypto.seal(said, public, context)
    body = bytes(sealed.body)
    entry.evidence_sha256 = hashlib.sha256(sealed.capsule + body).digest()
    entry.release_sha256 = hashlib.sha256(said.reveal()).digest()
    return ConsentEvidence(
        consent=entry,
        key_label=label,
        enc=sealed.capsule,
        body=body,
        expires_at=now + retention.term(Term.EVIDENCE),
    )


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

    Without the consent to keeping, only what is kept beyond its job goes; generation goes on.
    Raises ConsentMissing when there is none to take back, and LedgerDown; then nothing has changed.
    """
    entry = _newest(owner_id, purpose)
    if entry is None or entry.verb != Consent.Verb.GRANTED:
        keys.owner_public(owner_id)  # raises OwnerErased for somebody who is gone
        raise ConsentMissing("There is no consent to withdraw.")
    intent = restore.Intent.WITHDRAW
    with restore.intend(intent, owner_id, now, purpose=str(purpose), erase_results=erase_portraits):
        return take_back(owner_id, purpose, client, now, erase_portraits=erase_portraits, act=act)


def take_back(
    owner_id: uuid.UUID,
    purpose: str,
    client: str,
    now: datetime,
    *,
    erase_portraits: bool,
    act: Consent.Act = Consent.Act.CALL,
) -> Consent:
    """The withdrawal itself, which a replay of the restore's ledger repeats."""
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
        if purpose == Purpose.KEEPING:
            stops.let_go(owner_id, now)
        else:
            stops.run(owner_id, now, erase_results=erase_portraits)
        audit.record(audit.Verb.CONSENT_WITHDRAWN, subject_id=owner_id, object_id=withdrawn.id)
    return withdrawn


# The newest word of a person on a purpose, with what it is held against. Written out because every
# photo and every order asks for it, some of them twice.
_COLUMNS: Final = tuple(field.attname for field in Consent._meta.concrete_fields)
_NEWEST: Final = f"""
    SELECT document.retired_at, document.region, person.region,
           {", ".join(f"entry.{name}" for name in _COLUMNS)}
    FROM privacy_consent AS entry
    JOIN privacy_consentdocument AS document ON document.id = entry.document_id
    LEFT JOIN accounts_user AS person ON person.id = entry.subject_id AND person.is_active
    WHERE entry.subject_id = %s AND document.purpose = %s
    ORDER BY entry.at DESC, entry.id DESC LIMIT 1
"""  # noqa: S608 - the names of the model's own columns


def require(owner_id: uuid.UUID, now: datetime, purpose: str = Purpose.GENERATION) -> Consent:
    """The living consent, or ConsentMissing / ConsentOutdated / ConsentExpired.

    Call it where the bytes come in. Raises OwnerErased when there is no living account.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [owner_id, str(purpose)])
        row = cursor.fetchone()
    if row is None:
        raise _refusal(ConsentMissing, purpose)
    retired_at, signed_in, lives_in, *columns = row
    entry = Consent.from_db(connection.alias, _COLUMNS, columns)
    if entry.verb != Consent.Verb.GRANTED:
        raise _refusal(ConsentMissing, purpose)
    if retired_at is not None:
        raise _refusal(ConsentOutdated, purpose)
    if lives_in is None:
        raise OwnerErased
    if signed_in != lives_in:
        raise _refusal(ConsentOutdated, purpose)
    if entry.expires_at is None or entry.expires_at <= now:
        raise _refusal(ConsentExpired, purpose)
    return entry


def _refusal(kind: type[ConsentMissing], purpose: str) -> ConsentMissing:
    """Says by `attr` which consent is meant: none for generation, `keep` for keeping."""
    keeping = purpose == Purpose.KEEPING
    refusal = kind(KEEPING_MISSING if keeping and kind is ConsentMissing else None)
    refusal.field = "keep" if keeping else None
    return refusal


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
