"""A request's life with staff: somebody takes it, its person shows who they are, it is closed.

Every move is one conditional UPDATE whose row count is read, so that of two officers one moves it
and the other is told. The others of a group go where its first goes. How a request comes in is
incoming.py's, what is answered answers.py's.
"""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from privacy import audit
from privacy.desk import entries, law
from privacy.desk.errors import (
    CaseClosed,
    CaseNotTaken,
    CaseTaken,
    CaseUnknown,
    ExtendedAlready,
)
from privacy.models import Case

State = Case.State
Identity = Case.Identity


def find(case_id: uuid.UUID) -> Case:
    """By its id, which its person was told. Raises CaseUnknown."""
    case = Case.objects.filter(pk=case_id).select_related("lead").first()
    if case is None:
        raise CaseUnknown
    return case


def of(owner_id: uuid.UUID) -> QuerySet[Case]:
    """What a person has asked for, the newest first."""
    return Case.objects.filter(subject_id=owner_id).order_by("-received_at", "-pk")


def take(
    case_id: uuid.UUID,
    officer_id: uuid.UUID,
    now: datetime,
    *,
    instead_of: uuid.UUID | None = None,
) -> None:
    """Have it, if nobody has, or if `instead_of` still has, whom the officer has seen to have it.

    Raises CaseUnknown, CaseClosed, CaseTaken.
    """
    asked = find(case_id)
    case = asked.lead or asked
    free = Case.objects.filter(pk=case.pk, state=State.OPEN, officer_id=instead_of)
    if free.update(officer_id=officer_id, taken_at=now):
        record(audit.Verb.CASE_TAKEN, case)
        return
    case.refresh_from_db()
    if case.state == State.CLOSED:
        raise CaseClosed
    if case.officer_id != officer_id:
        raise CaseTaken


def give_back(case_id: uuid.UUID, officer_id: uuid.UUID) -> None:
    """Let somebody else have it. Raises CaseUnknown, CaseClosed, CaseTaken, CaseNotTaken."""
    with transaction.atomic():
        case = held(case_id, officer_id)
        Case.objects.filter(pk=case.pk).update(officer_id=None, taken_at=None)


def held(case_id: uuid.UUID, officer_id: uuid.UUID) -> Case:
    """The open case that this officer has, of a group its first, locked for the transaction.

    Raises CaseUnknown, CaseClosed, CaseTaken, CaseNotTaken.
    """
    asked = find(case_id)
    rows = Case.objects.select_for_update(no_key=True)
    case = rows.get(pk=asked.lead_id or asked.pk)
    if case.state == State.CLOSED:
        raise CaseClosed
    if case.officer_id is None:
        raise CaseNotTaken
    if case.officer_id != officer_id:
        raise CaseTaken
    return case


def note(case_id: uuid.UUID, officer_id: uuid.UUID, words: str, now: datetime) -> None:
    """Write something down for colleagues; it is part of the person's copy.

    Raises what `held` raises, and OwnerErased.
    """
    with transaction.atomic():
        case = held(case_id, officer_id)
        entries.write(case, entries.Sort.NOTE, {"words": words}, now, author_id=officer_id)


def prove(owner_id: uuid.UUID, case_id: uuid.UUID) -> Case:
    """Its person has just confirmed who they are. Raises CaseUnknown, CaseClosed."""
    mine = Case.objects.filter(pk=case_id, subject_id=owner_id).first()
    if mine is None:
        raise CaseUnknown
    case = mine.lead or mine
    if not group(case).update(identity=Identity.PROVEN):
        raise CaseClosed
    record(audit.Verb.CASE_PROVEN, case, audit.Reason.OWNER)
    mine.refresh_from_db()
    return mine


def extend(case: Case, now: datetime) -> datetime:
    """Move the date of the law, once, in the caller's transaction, which holds the case.

    Returns the new one. Raises ExtendedAlready.
    """
    end = law.extended(case.region, case.due_at)
    open_ones = group(case).filter(extended_at=None, due_at__gt=now)
    if not open_ones.update(extended_at=now, due_at=end):
        raise ExtendedAlready
    return end


def ask(case: Case) -> None:
    """Its person is asked to confirm, in the caller's transaction, which holds the case."""
    group(case).filter(identity=Identity.NONE).update(identity=Identity.ASKED)


def answered(case: Case, now: datetime) -> None:
    """Somebody writes to its person, in the caller's transaction, which holds the case."""
    group(case).filter(answered_at=None).update(answered_at=now)
    record(audit.Verb.CASE_ANSWERED, case)


def keep_receipt(case: Case, sort: Case.Receipt, receipt_id: uuid.UUID) -> None:
    """What was done has this receipt; kept at once, whatever comes after."""
    group(case).update(receipt=sort, receipt_id=receipt_id)
    case.receipt, case.receipt_id = sort, receipt_id


def close(case: Case, outcome: Case.Outcome, now: datetime) -> list[uuid.UUID]:
    """Close the group, in the caller's transaction, which holds the case.

    Returns the claims that are answered with it.
    """
    ending = group(case)
    claims = list(ending.exclude(claim_id=None).values_list("claim_id", flat=True))
    ending.update(state=State.CLOSED, outcome=outcome, closed_at=now, sender=None)
    record(audit.Verb.CASE_CLOSED, case)
    return [claim for claim in claims if claim is not None]


def group(case: Case) -> QuerySet[Case]:
    """The open ones of its group."""
    return Case.objects.filter(Q(pk=case.pk) | Q(lead=case.pk), state=State.OPEN)


def record(verb: audit.Verb, case: Case, reason: audit.Reason = audit.Reason.STAFF) -> None:
    """Keep that it happened, by ids."""
    audit.record(verb, subject_id=case.subject_id, object_id=case.pk, reason=reason)


# --- The clocks ---------------------------------------------------------------------------------


def backlog(now: datetime) -> dict[str, int]:
    """Requests that nobody has answered in 48 hours, and those past the date of the law."""
    open_ones = Case.objects.filter(state=State.OPEN, lead=None)
    waiting = open_ones.filter(answered_at=None, first_due_at__lte=now)
    return {
        "requests_unanswered": waiting.count(),
        "requests_overdue": open_ones.filter(due_at__lte=now).count(),
    }
