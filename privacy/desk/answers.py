"""Answering a case: the first answer, a later date, and the end with its letter and receipt.

State and letter go together: the rows are changed, the mail is handed over, and only then they are
committed; a mail server that is away leaves everything as it was. What is done for the person is
done before they are told of it, except where the address goes with it: a deletion's letter goes
when the ledger has the deletion and before it is carried out, and once, however often it is tried.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction

from privacy import claims
from privacy.desk import cases, entries, post
from privacy.desk.errors import IdentityOpen, RegionMissing, WordsMissing
from privacy.desk.letters import NEEDS_WORDS, Template
from privacy.desk.verbs import VERBS, Choice
from privacy.models import Case

Outcome = Case.Outcome


class Ending(StrEnum):
    """How staff end a case."""

    DO = "do"  # what was asked for is done, or, where nothing can be done, what was found is told
    NOTHING = "nothing"
    REFUSE = "refuse"
    TAKEN_BACK = "taken_back"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Answer:
    """What staff decide: how it ends, what they write to the person, what they choose."""

    ending: Ending
    words: str = ""
    choice: Choice = field(default_factory=Choice)


_OUTCOMES: Final = {
    Ending.DO: Outcome.DONE,
    Ending.NOTHING: Outcome.NOTHING,
    Ending.REFUSE: Outcome.REFUSED,
    Ending.TAKEN_BACK: Outcome.TAKEN_BACK,
    Ending.UNREACHABLE: Outcome.UNREACHABLE,
}
# Whoever takes a request back knows, and whoever cannot be reached is not written to.
_SILENT: Final = (Ending.TAKEN_BACK, Ending.UNREACHABLE)


def acknowledge(case_id: uuid.UUID, officer_id: uuid.UUID, now: datetime) -> None:
    """The first answer: by when the next one comes, and whether the person has to confirm.

    Raises what `cases.held` raises, OwnerErased, MailAway, AddressRefused.
    """
    with transaction.atomic():
        case = cases.held(case_id, officer_id)
        asks = case.subject_id is not None and case.identity != Case.Identity.PROVEN
        if asks:
            cases.ask(case)
        _send(case, Template.CONFIRM if asks else Template.RECEIVED, "", officer_id, now)


def extend(case_id: uuid.UUID, officer_id: uuid.UUID, words: str, now: datetime) -> datetime:
    """Move the date of the law, once, and say why. Returns the new one.

    Raises what `cases.held` raises, ExtendedAlready, WordsMissing, OwnerErased, MailAway,
    AddressRefused.
    """
    if not words:
        raise WordsMissing
    with transaction.atomic():
        case = cases.held(case_id, officer_id)
        case.due_at = cases.extend(case, now)
        _send(case, Template.EXTENDED, words, officer_id, now)
    return case.due_at


def finish(case_id: uuid.UUID, officer_id: uuid.UUID, answer: Answer, now: datetime) -> Case:
    """End a case and every duplicate of it, with a letter, and the receipt attached.

    Raises what `cases.held` and the domain verb raise, IdentityOpen, WordsMissing, RegionMissing,
    OwnerErased, MailAway, AddressRefused.
    """
    with transaction.atomic():
        case = cases.held(case_id, officer_id)
    does = answer.ending is Ending.DO and case.kind in VERBS
    template = _template(case, answer)
    _check(case, answer, template, does=does)
    # An erasure takes the address, so whoever is erased is told first, and where the receipt is.
    told_first = does and case.kind == Case.Kind.DELETION

    def tell() -> None:
        with transaction.atomic():
            held = cases.held(case_id, officer_id)
            if not entries.sent(held, Template.DELETION):
                _send(held, Template.DELETION, answer.words, officer_id, now)

    if does:
        receipt = VERBS[case.kind](_proven(case), case, answer.choice, now, tell)
        if receipt is not None:
            cases.keep_receipt(case, receipt.sort, receipt.id)
    with transaction.atomic():
        case = cases.held(case_id, officer_id)
        if template is not None and not told_first:
            _send(case, template, answer.words, officer_id, now)
        for claim_id in cases.close(case, _OUTCOMES[answer.ending], now):
            claims.close(claim_id, now)
    case.refresh_from_db()
    return case


def _template(case: Case, answer: Answer) -> Template | None:
    if answer.ending in _SILENT:
        return None
    if answer.ending is Ending.NOTHING:
        return Template.NOTHING
    return Template.REFUSED if answer.ending is Ending.REFUSE else Template(case.kind)


def _check(case: Case, answer: Answer, template: Template | None, *, does: bool) -> None:
    """Everything that can be known before anything is done."""
    if template in NEEDS_WORDS and not answer.words:
        raise WordsMissing
    if does:
        _proven(case)
        if case.kind == Case.Kind.CORRECTION and not answer.choice.region:
            raise RegionMissing


def _proven(case: Case) -> uuid.UUID:
    """Whose it is, once they have shown that it is they."""
    if case.subject_id is None or case.identity != Case.Identity.PROVEN:
        raise IdentityOpen
    return case.subject_id


def _send(case: Case, template: Template, words: str, officer_id: uuid.UUID, now: datetime) -> None:
    """Keep what is written and send it, in the caller's transaction, which holds the case."""
    entries.write(
        case,
        entries.Sort.ANSWER,
        {"words": words},
        now,
        author_id=officer_id,
        template=template,
    )
    cases.answered(case, now)
    # The claim's own clock stops at the first answer.
    if case.claim_id is not None:
        claims.close(case.claim_id, now)
    post.send(case, template, words, now)
