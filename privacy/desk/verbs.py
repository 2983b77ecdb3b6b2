"""What an answer does: the same domain verbs that the person could have called themselves.

Each may be called again after a crash and does the thing once. Staff get no byte of what is
copied: an export is fetched by its owner, with their own session.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import User
from privacy import audit, consent, erasure, export
from privacy.errors import ConsentMissing
from privacy.models import Case, Consent
from privacy.parts import Scope

CLIENT: Final = "support desk"


@dataclass(frozen=True)
class Choice:
    """What staff choose where there is a choice: how much goes, or which region is right."""

    scope: str = Scope.ACCOUNT
    region: str = ""


@dataclass(frozen=True)
class Receipt:
    """What proves that it was done."""

    sort: Case.Receipt
    id: uuid.UUID


def _copy(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime) -> Receipt:
    return Receipt(Case.Receipt.EXPORT, export.request(owner_id, now).pk)


def _erase(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime) -> Receipt:
    if choice.scope == Scope.BIOMETRIC:
        begun = erasure.request_part(owner_id, Scope.BIOMETRIC, None, now)
    else:
        begun = erasure.request(owner_id, now)
    return Receipt(Case.Receipt.ERASURE, begun.pk)


def _correct(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime) -> None:
    """Where the person lives: the one thing that they declare and that may be wrong."""
    if User.objects.filter(pk=owner_id, is_active=True).update(region=choice.region):
        audit.record(audit.Verb.CORRECTED, subject_id=owner_id, reason=audit.Reason.STAFF)


def _stop(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime) -> Receipt:
    """Jobs stop and photos go; portraits that are finished stay the person's.

    Raises ConsentMissing where nothing is being processed.
    """
    taken_back: list[Consent] = []
    for purpose in consent.Purpose.values:
        with suppress(ConsentMissing):
            taken_back.append(
                consent.withdraw(owner_id, purpose, CLIENT, now, erase_portraits=False)
            )
    # Pressed once more after a crash: what was taken back for this case, then.
    known = Consent.objects.filter(
        subject_id=owner_id, verb=Consent.Verb.WITHDRAWN, client=CLIENT, at__gte=case.received_at
    )
    entry = taken_back[0] if taken_back else known.order_by("at", "pk").first()
    if entry is None:
        raise ConsentMissing("There is no consent to withdraw.")
    return Receipt(Case.Receipt.WITHDRAWAL, entry.pk)


Verb = Callable[[uuid.UUID, Case, Choice, datetime], Receipt | None]
VERBS: Final[dict[str, Verb]] = {
    Case.Kind.ACCESS: _copy,
    Case.Kind.DELETION: _erase,
    Case.Kind.CORRECTION: _correct,
    Case.Kind.OBJECTION: _stop,
}
