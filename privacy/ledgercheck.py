"""Reads the ledgers from end to end and says what does not fit. Changes nothing.

It accepts what is past its term: an entry that its link outlives, links and checkpoints before the
anchor, evidence that was ended. Rows are read in pages, so that memory does not grow with them.
What the login may not read is skipped, and the caller is told so.
"""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef

from privacy import heads, links, retention, signing
from privacy.errors import StorageDown
from privacy.models import Checkpoint, Consent, ConsentEvidence, Ledger, LedgerLink
from privacy.retention import Term

PAGE: Final = 5000
NAMED_AT_MOST: Final = 1000
# An entry may commit this long after it was made; the sealer looks as far back.
LATE: Final = timedelta(hours=1)

SENTENCES: Final[dict[str, str]] = {
    "changed": "An entry is not what was sealed.",
    "removed": "An entry that was sealed is gone before its term.",
    "inserted": "An entry stands behind the sealed ones and was never sealed.",
    "unsealed": "An entry waits to be sealed for more than an hour.",
    "ahead": "An entry is dated in the future.",
    "links": "Links of this batch are missing, doubled or unsigned.",
    "chain": "The chain does not lead to the head that was signed.",
    "gap": "This batch does not follow the one before it.",
    "signature": "The signature of this batch is not that of a published key.",
    "beginning": "The first batches are gone before their term.",
    "cut": "The ledger bucket holds a head that the chain does not go through.",
    "head": "No head of this chain lies in the ledger bucket.",
    "evidence_missing": "The sealed signature of a consent is gone before its term.",
    "evidence_changed": "The sealed signature of a consent is not the one that was given.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit; `number` is the place in the chain, where it has one."""

    ledger: str
    what: str
    number: int | None = None
    entry_id: uuid.UUID | None = None

    @property
    def sentence(self) -> str:
        """For the person who reads it."""
        return SENTENCES[self.what]


@dataclass
class Examination:
    """What was found, how much was read, and which parts this login could not look at."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    skipped: list[str] = field(default_factory=list)


def may_read(table: str, column: str) -> bool:
    """Whether this login may select the column."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_column_privilege(%s, %s, 'SELECT')", [table, column])
        return bool(cursor.fetchone()[0])


def examine(ledger: Ledger, now: datetime) -> Examination:
    """One ledger: entries, links, checkpoints, and the heads in the bucket."""
    name = ledger.name.lower()
    seen = Examination()
    tables = (links.ENTRIES[ledger], LedgerLink, Checkpoint)
    if not all(may_read(model._meta.db_table, "id") for model in tables):
        seen.skipped.append(f"ledger.{name}")
        return seen
    _Walk(ledger, now, seen).run()
    _unlinked(ledger, now, seen)
    try:
        seen.findings += [Finding(name, "cut") for _ in heads.contradicting(ledger)]
        seen.findings += [Finding(name, "head")] if heads.missing(ledger) else []
    except StorageDown:
        seen.skipped.append(f"heads.{name}")
    return seen


def examine_evidence(now: datetime) -> Examination:
    """Sealed signatures: there until their term, and those that the ledger knows."""
    seen = Examination()
    if not may_read(ConsentEvidence._meta.db_table, "body"):
        seen.skipped.append("evidence")
        return seen
    since = now - retention.term(Term.EVIDENCE)
    signed = Consent.objects.filter(
        verb=Consent.Verb.GRANTED, act=Consent.Act.TYPED_NAME, at__gt=since
    )
    for page in _pages(signed, "pk"):
        kept = ConsentEvidence.objects.in_bulk([entry.pk for entry in page])
        for entry in page:
            seen.entries += 1
            fault = _evidence_fault(entry, kept.get(entry.pk))
            seen.findings += [Finding("consent", fault, entry_id=entry.pk)] if fault else []
    return seen


def _evidence_fault(entry: Consent, kept: ConsentEvidence | None) -> str | None:
    if kept is None:
        return "evidence_missing"
    actual = hashlib.sha256(bytes(kept.enc) + bytes(kept.body)).digest()
    known = entry.evidence_sha256
    return None if known is None or bytes(known) == actual else "evidence_changed"


class _Walk:
    """Along the checkpoints of one ledger, with the head that the next one must start from."""

    def __init__(self, ledger: Ledger, now: datetime, seen: Examination) -> None:
        self.ledger = ledger
        self.name = ledger.name.lower()
        self.cutoff = links.cutoff(ledger, now)
        self.seen = seen
        self.last = 0
        self.chain = links.GENESIS

    def run(self) -> None:
        """All batches behind the anchor."""
        rows = Checkpoint.objects.filter(ledger=self.ledger)
        anchor = rows.filter(at__lte=self.cutoff).order_by("-last").first()
        if anchor is not None:
            self._signature(anchor)
            self.last, self.chain = anchor.last, bytes(anchor.chain)
        elif rows.exists() and not rows.filter(first=1).exists():
            self._found("beginning")
            first = rows.order_by("last")[0]
            self.last, self.chain = first.first - 1, bytes(first.previous)
        for page in _pages(rows.filter(last__gt=self.last), "last"):
            for row in page:
                self._batch(row)
        if LedgerLink.objects.filter(ledger=self.ledger, number__gt=self.last).exists():
            newest = heads.newest(self.ledger)
            # A batch that was sealed while this walk went on is the next walk's.
            if newest is None or newest.last <= self.last:
                self._found("links", self.last + 1)

    def _batch(self, row: Checkpoint) -> None:
        if row.first != self.last + 1 or bytes(row.previous) != self.chain:
            self._found("gap", row.first)
        self._signature(row)
        chain, number = bytes(row.previous), row.first
        batch = LedgerLink.objects.filter(
            ledger=self.ledger, number__gte=row.first, number__lte=row.last
        )
        for page in _pages(batch, "number"):
            chain = self._page(page, chain)
            number += len(page)
        if number != row.last + 1:
            self._found("links", row.first)
        elif chain != bytes(row.chain):
            self._found("chain", row.first)
        self.last, self.chain = row.last, bytes(row.chain)

    def _page(self, page: list[LedgerLink], chain: bytes) -> bytes:
        model = links.ENTRIES[self.ledger]
        found = model._default_manager.filter(pk__in=[link.entry_id for link in page])
        entries: dict[uuid.UUID, dict[str, Any]] = {
            row["id"]: row for row in found.values(*links.fields(self.ledger))
        }
        for link in page:
            entry, digest = entries.get(link.entry_id), bytes(link.digest)
            if entry is None:
                if link.at > self.cutoff:
                    self._found("removed", link.number, link.entry_id)
            elif links.digest(bytes(link.salt), entry) != digest:
                self._found("changed", link.number, link.entry_id)
            chain = links.step(chain, link.entry_id, link.at, digest)
        self.seen.entries += len(page)
        return chain

    def _signature(self, row: Checkpoint) -> None:
        if not signing.verified(links.signed(row)):
            self._found("signature", row.first)

    def _found(
        self, what: str, number: int | None = None, entry_id: uuid.UUID | None = None
    ) -> None:
        self.seen.findings.append(Finding(self.name, what, number, entry_id))


def _unlinked(ledger: Ledger, now: datetime, seen: Examination) -> None:
    """Entries without a link that the sealer has passed by, has not come to, or never will."""
    name = ledger.name.lower()
    linked = LedgerLink.objects.filter(ledger=ledger, entry_id=OuterRef("pk"))
    loose = links.ENTRIES[ledger]._default_manager.filter(~Exists(linked))
    newest = LedgerLink.objects.filter(ledger=ledger).order_by("-number").first()
    floor = newest.at - LATE if newest else now - LATE
    due = loose.filter(at__gt=links.cutoff(ledger, now), at__lte=now - LATE)
    for what, rows in (
        ("inserted", due.filter(at__lt=floor)),
        ("unsealed", due.filter(at__gte=floor)),
        ("ahead", loose.filter(at__gt=now + LATE)),
    ):
        ids = rows.order_by("at").values_list("pk", flat=True)[:NAMED_AT_MOST]
        seen.findings += [Finding(name, what, entry_id=pk) for pk in ids]


def _pages(rows: Any, key: str) -> Iterator[list[Any]]:
    """Rows in the order of a unique column, a page at a time, without a long transaction."""
    ordered = rows.order_by(key)
    page = list(ordered[:PAGE])
    while page:
        yield page
        page = list(ordered.filter(**{f"{key}__gt": getattr(page[-1], key)})[:PAGE])
