"""How everything ends that ends by time and is no blob: every Term of retention.py, in one list.

A sweep deletes a batch in a transaction of its own and leaves one audit event. Two at once do no
harm: whoever finds a sort taken leaves it to the other. What an app above owns, it adds here in
its AppConfig. Keys end in keys.py and rotation.py, the erasure ledger's entries in restore.py,
accounts in notices.py.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Session
from privacy import audit, chain, leases, links, rows, vault
from privacy.models import (
    AuditEvent,
    Blob,
    Case,
    CaseEntry,
    Checkpoint,
    Consent,
    ConsentEvidence,
    ConsentServing,
    Erasure,
    Export,
    ExportPart,
    FaceClaim,
    Ledger,
    LedgerLink,
    LegalOrder,
    Notice,
    SignInGrant,
    Verdict,
)
from privacy.retention import Term, term

log = logging.getLogger(__name__)

BATCH: Final = 1000
Due = Callable[[datetime], QuerySet[Any]]


class Ending(Protocol):
    """One sort of thing that ends by time."""

    @property
    def name(self) -> str:
        """What the backlog calls it."""
        ...

    @property
    def term(self) -> Term:
        """The rule that it enforces."""
        ...

    def late(self, now: datetime) -> int:
        """How many are past their end."""
        ...

    def batch(self, now: datetime) -> int:
        """End some of them, in the caller's transaction; 0 when nothing is due."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows of one table. `end` says what happens to a batch of keys; by default they go."""

    name: str
    term: Term
    due: Due
    end: Callable[[Sequence[Any]], None] | None = None

    def late(self, now: datetime) -> int:
        """Counted by the same condition as is swept."""
        return self.due(now).count()

    def batch(self, now: datetime) -> int:
        """The first ones in the order of their key, which is that of time."""
        found = self.due(now)
        ids = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if ids and self.end is not None:
            self.end(ids)
        else:
            rows.drop(found.model, ids)
        return len(ids)


@dataclass(frozen=True)
class Mailbox:
    """Files of the local mailbox, which stands in for a mail server; elsewhere there are none."""

    name: str
    term: Term

    def _due(self, now: datetime) -> Iterator[Path]:
        folder = settings.EMAIL_FILE_PATH
        end = (now - term(self.term)).timestamp()
        for file in Path(folder).glob("*.log") if folder else ():
            try:
                if file.stat().st_mtime <= end:
                    yield file
            except FileNotFoundError:
                continue  # another upkeep was faster

    def late(self, now: datetime) -> int:
        """By the time of the last write."""
        return sum(1 for _ in self._due(now))

    def batch(self, now: datetime) -> int:
        """A folder is no transaction, so all of them go at once."""
        files = list(self._due(now))
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)


def after(model: type[Any], column: str, what: Term, **also: Any) -> Due:
    """Rows whose `column` lies a term back."""
    return lambda now: model._base_manager.filter(**{f"{column}__lte": now - term(what)}, **also)


def at_end(model: type[Any], column: str = "expires_at") -> Due:
    """Rows that carry their end with them."""
    return lambda now: model._base_manager.filter(**{f"{column}__lte": now})


# --- Ledgers ------------------------------------------------------------------------------------


def slower(now: datetime) -> datetime:
    """The earlier of our clock and PostgreSQL's, by which the triggers of append-only tables go.

    A clock of ours that runs ahead must not make a whole batch fail.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        theirs: datetime = cursor.fetchone()[0]
    return min(now, theirs)


def _consents(now: datetime) -> QuerySet[Any]:
    """Entries past their term; a signature's evidence goes first, for it points at its entry."""
    sealed = ConsentEvidence.objects.filter(consent=OuterRef("pk"))
    past = Consent.objects.filter(at__lte=slower(now) - term(Term.CONSENT))
    return past.filter(~Exists(sealed.values("consent_id")))


def _events(now: datetime) -> QuerySet[Any]:
    return AuditEvent.objects.filter(at__lte=slower(now) - term(Term.AUDIT))


@dataclass(frozen=True)
class Chains:
    """Links and checkpoints. Which of them may go, so that the rest verifies, chain.py knows."""

    name: str
    term: Term

    def late(self, now: datetime) -> int:
        """Links behind an anchor that could go."""
        total = 0
        for ledger in Ledger:
            old = links.cutoff(ledger, slower(now))
            signed = Checkpoint.objects.filter(ledger=ledger, at__lte=old)
            anchor = signed.order_by("-last").values_list("last", flat=True).first()
            ended = LedgerLink.objects.filter(ledger=ledger, number__lte=anchor or 0, at__lte=old)
            total += ended.count()
        return total

    def batch(self, now: datetime) -> int:
        """All that may go, at once."""
        return chain.forget(slower(now))


# --- Exports ------------------------------------------------------------------------------------


def _end_exports(ids: Sequence[Any]) -> None:
    """The parts are destroyed with the export, and work on one that was never ready stops."""
    parts = ExportPart.objects.filter(export__in=ids).exclude(blob=None)
    leases.revoke(work_ids=ids)
    vault.destroy(
        Blob.objects.filter(pk__in=parts.values("blob_id")),
        verb=audit.Verb.BLOBS_EXPIRED,
        why=audit.Reason.DEADLINE,
    )
    rows.drop(Export, ids)


# --- The list -----------------------------------------------------------------------------------

# In this order: evidence before its consent, entries before the links that tell of them.
endings: Final[list[Ending]] = [
    Rows("sessions", Term.SESSION, at_end(Session, "expire_date")),
    Rows("exports", Term.EXPORT, at_end(Export), _end_exports),
    Rows("servings", Term.SERVING, after(ConsentServing, "at", Term.SERVING)),
    Rows("evidence", Term.EVIDENCE, at_end(ConsentEvidence)),
    Rows("consents", Term.CONSENT, _consents),
    Rows("events", Term.AUDIT, _events),
    Chains("links", Term.AUDIT),
    Rows(
        "receipts",
        Term.RECEIPT,
        after(Erasure, "proved_at", Term.RECEIPT, stage=Erasure.Stage.PROVED),
    ),
    Rows("grants", Term.RECEIPT, after(SignInGrant, "ending_at", Term.RECEIPT)),
    Rows("notices", Term.NOTICE, after(Notice, "sent_at", Term.NOTICE)),
    Mailbox("mail", Term.MAIL),
    Rows("staff_log", Term.STAFF_LOG, after(LogEntry, "action_time", Term.STAFF_LOG)),
    Rows("face_claims", Term.FACE_CLAIM, at_end(FaceClaim)),
    Rows("case_words", Term.CASE_WORDS, at_end(CaseEntry)),
    Rows("cases", Term.CASE, after(Case, "closed_at", Term.CASE)),
    Rows("legal_orders", Term.LEGAL_ORDER, after(LegalOrder, "filed_at", Term.LEGAL_ORDER)),
    Rows("verdicts", Term.VERDICT, after(Verdict, "at", Term.VERDICT)),
]


def end(now: datetime, *, only: Collection[str] = ()) -> int:
    """End whatever is past its term, of these sorts or of all. One that fails stops no other."""
    total, failed = 0, []
    for ending in endings:
        if only and ending.name not in only:
            continue
        try:
            while found := _one(ending, now):
                total += found
        except Exception as error:  # noqa: BLE001 - raised below, once the others have had theirs
            told = {"kind": ending.name, "error": type(error).__name__}
            log.error("not_ended_in_time", extra=told)
            failed.append(error)
    if failed:
        raise ExceptionGroup("Some things did not end in time.", failed)
    return total


def _one(ending: Ending, now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"end {ending.name}"])
        if cursor.fetchone() != (True,):
            return 0
        found = ending.batch(now)
        if found:
            audit.record(audit.Verb.ROWS_ENDED, count=found, reason=audit.Reason.DEADLINE)
    return found


def late(now: datetime) -> dict[str, int]:
    """How many of each sort are past their end."""
    return {ending.name: ending.late(now) for ending in endings}
