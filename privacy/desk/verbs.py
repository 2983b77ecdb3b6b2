"""What an answer does: the same domain verbs that the person could have called themselves.

Each may be called again after a crash and does the thing once. Staff get no byte of what is
copied: an export is fetched by its owner, with their own session. Only an erasure tells the person
itself, because the address goes with it.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import User
from privacy import audit, consent, erasure, export, restore
from privacy.errors import ConsentMissing
from privacy.models import Case, Consent, Erasure
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


# Sends the letter of what is about to be done, once.
Tell = Callable[[], None]


def _copy(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime, tell: Tell) -> Receipt:
    return Receipt(Case.Receipt.EXPORT, export.request(owner_id, now).pk)


def _erase(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime, tell: Tell) -> Receipt:
    """The ledger first, then the letter, then the erasure.

    So nobody reads that something is gone while the ledger is away and nothing can be erased; and
    a letter that cannot go takes the ledger's line back. An account that is gone by now, because
    this was pressed before or its owner left, is told nothing more: there is no address.
    """
    gone = Erasure.objects.filter(subject_id=owner_id, scope=Scope.ACCOUNT).first()
    if gone is not None:
        return Receipt(Case.Receipt.ERASURE, gone.pk)
    scope = Scope(choice.scope)
    with restore.intend(restore.Intent.ERASE, owner_id, now, scope=scope) as entry:
        tell()
        begun = (
            erasure.request_part(owner_id, scope, None, now, erasure_id=entry.id, requested_at=now)
            if scope is Scope.BIOMETRIC
            else erasure.request(owner_id, now, erasure_id=entry.id, requested_at=now)
        )
    return Receipt(Case.Receipt.ERASURE, begun.pk)


def _correct(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime, tell: Tell) -> None:
    """Where the person lives: the one thing that they declare and that may be wrong."""
    if User.objects.filter(pk=owner_id, is_active=True).update(region=choice.region):
        audit.record(audit.Verb.CORRECTED, subject_id=owner_id, reason=audit.Reason.STAFF)


def _stop(owner_id: uuid.UUID, case: Case, choice: Choice, now: datetime, tell: Tell) -> Receipt:
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


Verb = Callable[[uuid.UUID, Case, Choice, datetime, Tell], Receipt | None]
VERBS: Final[dict[str, Verb]] = {
    Case.Kind.ACCESS: _copy,
    Case.Kind.DELETION: _erase,
    Case.Kind.CORRECTION: _correct,
    Case.Kind.OBJECTION: _stop,
}
