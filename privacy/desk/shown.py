"""What the page of a request shows: its facts, its clocks, what to do next, what was written."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import Region
from privacy import audit, claims
from privacy.desk import entries, law
from privacy.desk.serializers import RECEIPTS
from privacy.models import Case


def short(person: uuid.UUID) -> str:
    """The end of a colleague's id, by which staff know each other."""
    return str(person)[-8:]


def next_step(case: Case, officer_id: uuid.UUID | None) -> str:
    """What to do with it now, in a sentence."""
    if case.state == Case.State.CLOSED:
        return "Nothing; it is closed."
    if case.lead_id is not None:
        return "Work on the first request of the group; this one is closed with it."
    if case.officer_id is None:
        return "Take it."
    if case.officer_id != officer_id:
        return "Nothing; a colleague has it."
    if case.answered_at is None:
        return "Send the first answer."
    if case.identity == Case.Identity.ASKED:
        return "Wait until the person has confirmed in the app that it is they who ask."
    return "Answer it and close it."


def facts(case: Case, me: uuid.UUID) -> Iterator[list[str]]:
    """What is known, as lines of a table."""
    clock = law.CLOCKS[Region(case.region)]
    taken = "you" if case.officer_id == me else f"a colleague, {short(case.officer_id or me)}"
    yield ["Number", str(case.pk)]
    yield ["What is asked for", case.get_kind_display()]
    yield ["How it came", case.get_source_display()]
    yield ["Account", str(case.subject_id) if case.subject_id else "none"]
    yield ["Identity", case.get_identity_display()]
    yield ["Region, language", f"{case.get_region_display()}, {case.language}"]
    yield ["Received", _moment(case.received_at)]
    answered = f", answered {_moment(case.answered_at)}" if case.answered_at else ""
    yield ["First answer by", _moment(case.first_due_at) + answered]
    moved = ", moved once" if case.extended_at else ""
    yield ["Answer by", f"{_moment(case.due_at)}{moved} ({clock.days} days: {clock.source})"]
    yield ["Taken by", taken if case.officer_id else "nobody"]
    if case.closed_at:
        yield ["Closed", f"{_moment(case.closed_at)}: {case.get_outcome_display()}"]
    if case.receipt:
        where = RECEIPTS[Case.Receipt(case.receipt)].format(case.receipt_id)
        yield ["Receipt", f"{case.get_receipt_display()} {case.receipt_id}, {where}"]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Line:
    """Something that was written: by whom and when, and its words where they were opened."""

    what: str
    who: str
    at: str
    words: str | None


def written(case: Case, me: uuid.UUID, *, opened: bool) -> list[Line]:
    """What was written on a case; opened, every line of it is on record."""
    lines = []
    claim = claims.find(case.claim_id, timezone.now()) if case.claim_id else None
    if claim is not None:
        words = claims.open_words(claim).words.reveal().decode() if opened else None
        lines.append(Line("what was asked", "the sender", _moment(claim.received_at), words))
    for entry in case.entries.select_related("case"):
        said = entries.open_entry(entry, why=audit.Reason.STAFF) if opened else None
        who = "the person" if entry.author_id is None else "a colleague"
        who = "you" if entry.author_id == me else who
        what = f"{entry.get_sort_display()} {entry.template}".strip()
        lines.append(Line(what, who, _moment(entry.at), said["words"] if said else None))
    return lines
