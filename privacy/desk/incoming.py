"""How a request comes in: from somebody who is signed in, by the hand of staff, or with a claim.

Requests of one person and kind that are open at once are one group: the first leads. Refuses a
request for somebody who does not exist.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Least
from django.utils.crypto import salted_hmac

from accounts.models import Region, User
from privacy import audit, limits, retention
from privacy.desk import cases, entries, law
from privacy.desk.errors import NobodyThere
from privacy.errors import TooManyRequests
from privacy.models import Case

Sort = entries.Sort
# One person asks so often in a day.
PER_PERSON: Final = 20


@dataclass(frozen=True)
class Asked:
    """What came in: what for, in which language, in which words, and how to reach the sender."""

    kind: Case.Kind
    language: str
    words: str = ""
    contact: str = ""


def admit(owner_id: uuid.UUID, now: datetime) -> None:
    """Count what one person asks. Raises TooManyRequests, NotReady."""
    bucket = limits.Bucket("case", str(owner_id), PER_PERSON, timedelta(days=1))
    wait = limits.take([bucket], now)
    if wait:
        refusal = TooManyRequests()
        refusal.retry_after = wait
        raise refusal


def from_person(owner_id: uuid.UUID, asked: Asked, now: datetime, *, proven: bool) -> Case:
    """Somebody who is signed in asks; the same thing asked again while it is open is the same.

    `proven`: they have confirmed within the last minutes who they are. Raises OwnerErased.
    """
    region = User.objects.filter(pk=owner_id).values_list("region", flat=True).first()
    with transaction.atomic():
        case = _lead(Q(subject_id=owner_id), asked.kind)
        if case is None:
            place = region or Region.OTHER
            case = _begin(asked, Case.Source.API, place, now, subject_id=owner_id)
        if proven:
            cases.group(case).update(identity=Case.Identity.PROVEN)
        if asked.words:
            entries.write(case, Sort.ASKED, {"words": asked.words}, now)
    case.refresh_from_db()
    return case


def by_hand(
    asked: Asked, who: str, region: str, received_at: datetime, officer_id: uuid.UUID, now: datetime
) -> Case:
    """Staff note what came by mail or letter; the clock runs since it came.

    `who`: the address or the id of an account, or nothing where there is none. Raises NobodyThere
    where no account is what was named; then nothing is kept.
    """
    user = account(who) if who else None
    subject_id, sender = (user.pk, None) if user else (None, _sender(asked.contact))
    mine = Q(subject_id=subject_id) if user else Q(subject_id=None, sender=sender)
    said = {"words": asked.words, "contact": "" if user else asked.contact}
    with transaction.atomic():
        lead = _lead(mine, asked.kind)
        case = _begin(
            asked,
            Case.Source.STAFF,
            user.region if user else region,
            received_at,
            subject_id=subject_id,
            sender=sender,
            lead=lead,
        )
        entries.write(case, Sort.ASKED, said, now, author_id=officer_id)
        if lead is not None:
            # The group is due when the first of it is.
            Case.objects.filter(pk=lead.pk).update(
                due_at=Least("due_at", case.due_at),
                first_due_at=Least("first_due_at", case.first_due_at),
            )
    return case


def from_claim(claim_id: uuid.UUID, contact: str, language: str, now: datetime) -> Case:
    """A report "this is my face" that came without an account; its words stay with the claim."""
    sender = _sender(contact)
    with transaction.atomic():
        lead = _lead(Q(subject_id=None, sender=sender), Case.Kind.FACE)
        asked = Asked(Case.Kind.FACE, language)
        return _begin(
            asked,
            Case.Source.API,
            Region.OTHER,
            now,
            sender=sender,
            lead=lead,
            claim_id=claim_id,
        )


def account(who: str) -> User:
    """The living account of an exact address or id. Raises NobodyThere."""
    found = Q(email=who.strip().lower())
    with suppress(ValueError):
        found |= Q(pk=uuid.UUID(who.strip()))
    user = User.objects.filter(found, is_active=True).first()
    if user is None:
        raise NobodyThere
    return user


def _begin(
    asked: Asked,
    source: Case.Source,
    region: str,
    received_at: datetime,
    *,
    subject_id: uuid.UUID | None = None,
    sender: bytes | None = None,
    lead: Case | None = None,
    claim_id: uuid.UUID | None = None,
) -> Case:
    case = Case.objects.create(
        kind=asked.kind,
        source=source,
        subject_id=subject_id,
        region=region,
        language=asked.language,
        sender=sender,
        lead=lead,
        claim_id=claim_id,
        received_at=received_at,
        first_due_at=received_at + retention.CASE_ANSWER,
        due_at=law.due(region, received_at),
    )
    by_staff = source == Case.Source.STAFF
    reason = audit.Reason.STAFF if by_staff else audit.Reason.OWNER
    cases.record(audit.Verb.CASE_OPENED, case, reason)
    return case


def _lead(mine: Q, kind: Case.Kind) -> Case | None:
    """The first one of the same person and kind that is open; nobody else begins one meanwhile."""
    with connection.cursor() as cursor:
        # One at a time, of everybody: a request is rare, and two at once would both be the first.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('a request to support'))")
    # Held, so that it is not closed before what joins it is there to be closed with it.
    rows = Case.objects.select_for_update(no_key=True).filter(mine, kind=kind, lead=None)
    return rows.filter(state=Case.State.OPEN).order_by("received_at", "pk").first()


def _sender(contact: str) -> bytes:
    """By which a second report of the same address is known, without keeping the address."""
    said = contact.strip().lower()
    return salted_hmac("sitter/case/sender", said, algorithm="sha256").digest()
