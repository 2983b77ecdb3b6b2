"""After a restore: carry out again what people had ended, before anybody is served.

A restored database knows nothing of what happened behind its backup. Everything in the erasure
ledger since is done once more, all open jobs end (no generation without a request), everybody is
signed out, and only then does the pulse say that the system may turn ready. Each step may be
repeated and none needs the one before, so a replay that was killed begins again. Accounts go
first and many at once: all of their keys are gone within seconds, their bodies and rows follow.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Final

from django.db import transaction

from accounts.models import Session
from privacy import (
    audit,
    chain,
    consent,
    erasure,
    leases,
    restore,
    retention,
    stops,
    together,
    vault,
)
from privacy.errors import ConsentMissing, OwnerErased, PrivacyError
from privacy.models import Blob, Consent, Erasure, Export, ExportPart
from privacy.parts import Scope
from privacy.restore import Entry, Intent
from privacy.retention import Term

log = logging.getLogger(__name__)

# So many people's keys go with one commit; who replays at the same time waits that long for it.
AT_ONCE: Final = 100


def run(
    now: datetime, clock: Callable[[], datetime], *, unasked: bool = False
) -> Counter[str] | None:
    """Replay if one is due; returns what was done, or None. Raises LedgerUnreadable, StorageDown.

    `unasked`: an operator knows better than the pulse, as when a copy that lagged took over.
    """
    if not (restore.pending() or unasked):
        return None
    done: Counter[str] = Counter()
    # Jobs first: an open one would hold photos that an entry wants gone.
    done["jobs"] = stops.cancel_everybody(now)
    for batch in _batches(restore.entries()):
        done.update(_carry_out(batch, now))
    done["exports"] = _end_exports()
    done["sessions"] = Session.objects.all().delete()[0]
    chain.restored(now)
    # As far as they will go; what cannot go on now is unreadable, and stays with the machine.
    together.work(clock)
    if not restore.caught_up(now, done["entries"]) and unasked:
        audit.record(audit.Verb.RESTORED, count=done["entries"], reason=audit.Reason.RESTORE)
    log.warning("ledger_replayed", extra={"entries": done["entries"]})
    return done


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, AT_ONCE)):
        yield batch


def _carry_out(batch: Sequence[Entry], now: datetime) -> Counter[str]:
    """Accounts first and together, but what a person ended before that, before; then the rest."""
    done = Counter(entries=len(batch))
    leaving, others, seen = list[Entry](), list[Entry](), set[uuid.UUID]()
    for entry in batch:
        whole = entry.intent is Intent.ERASE and entry.scope == Scope.ACCOUNT
        (leaving if whole and entry.subject_id not in seen else others).append(entry)
        seen.add(entry.subject_id)
    done[Intent.ERASE] += _erase_accounts(leaving, now)
    for entry in others:
        done[entry.intent] += _CARRY[entry.intent](entry, now)
    return done


def _erase_accounts(entries: Sequence[Entry], now: datetime) -> int:
    """What `_erase` does, for many people with one commit."""
    known = Erasure.objects.filter(pk__in=[entry.id for entry in entries])
    happened = set(known.values_list("pk", flat=True))
    asked = [
        erasure.Asked(entry.id, entry.subject_id, entry.at)
        for entry in entries
        if entry.id not in happened
    ]
    if asked:
        erasure.request_all(asked, now)
    return len(asked)


def _erase(entry: Entry, now: datetime) -> int:
    """Under the same id, so that the address of the receipt still answers."""
    if restore.happened(entry):
        return 0
    who, scope, first = entry.subject_id, Scope(entry.scope), entry.at
    if scope is Scope.ACCOUNT:
        erasure.request(who, now, erasure_id=entry.id, requested_at=first)
        return 1
    try:
        erasure.request_part(
            *(who, scope, entry.target_id, now), erasure_id=entry.id, requested_at=first
        )
    except PrivacyError as refusal:
        if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        _answer(entry)
    return 1


def _answer(entry: Entry) -> None:
    """What is not in the backup need not be erased again, but its receipt was promised."""
    with transaction.atomic():
        Erasure.objects.create(
            id=entry.id,
            subject_id=entry.subject_id,
            scope=entry.scope,
            target_id=entry.target_id,
            requested_at=entry.at,
            unopenable_by=entry.at + retention.term(Term.RESTORE),
        )
        leases.open_work(erasure.LEASE, entry.id, entry.subject_id)


def _withdraw(entry: Entry, now: datetime) -> int:
    """Only where the newest word is an older yes: who signed again since has the last word."""
    said = Consent.objects.filter(subject_id=entry.subject_id, document__purpose=entry.purpose)
    newest = said.order_by("-at", "-pk").first()
    if newest is None or newest.verb != Consent.Verb.GRANTED or newest.at >= entry.at:
        return 0
    try:
        consent.take_back(
            entry.subject_id,
            entry.purpose,
            "restore",
            # The moment at which the person said it: the ledger tells what happened.
            entry.at,
            erase_portraits=entry.erase_results,
        )
    except (ConsentMissing, OwnerErased):
        return 0
    return 1


def _shorten(entry: Entry, now: datetime) -> int:
    if entry.expires_at is None:
        return 0
    with transaction.atomic():
        late = restore.longer_than_said(entry).select_for_update(of=("self",), no_key=True)
        found = list(late.values_list("pk", "owner_id"))
        Blob.objects.filter(pk__in=[pk for pk, _ in found]).update(expires_at=entry.expires_at)
        audit.record_many(audit.Verb.DEADLINE_MOVED, found, reason=audit.Reason.RESTORE)
    return len(found)


_CARRY: dict[Intent, Callable[[Entry, datetime], int]] = {
    Intent.ERASE: _erase,
    Intent.WITHDRAW: _withdraw,
    Intent.SHORTEN: _shorten,
}


def _end_exports() -> int:
    """One that was fetched behind the backup could be fetched a second time."""
    with transaction.atomic():
        parts = ExportPart.objects.exclude(blob=None).values_list("blob_id", flat=True)
        vault.destroy(Blob.objects.filter(pk__in=list(parts)), why=audit.Reason.RESTORE)
        ExportPart.objects.all().delete()
        return Export.objects.all().delete()[0]
