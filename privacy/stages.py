"""The machine of every erasure: SHREDDED → OBJECTS → RECIPIENTS → ROWS → PROVED.

Each step may be repeated, none may be skipped, and PROVED is written only when a fresh look has
found nothing. What fails is tried again, for ever, and says louder how old it has become.
"""

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet

from accounts import limits
from accounts.models import User
from privacy import audit, heartbeats, leases, receipts, recipients, storage
from privacy.erasure import LATE, LEASE
from privacy.errors import NotYetGone
from privacy.inventory import TABLES, End
from privacy.models import Blob, Capsule, Erasure, Lease
from privacy.parts import Scope, parts
from privacy.retention import Kind

log = logging.getLogger(__name__)

Stage = Erasure.Stage
Clock = Callable[[], datetime]
RETRY_AFTER: Final = timedelta(seconds=2)
RETRY_AT_MOST: Final = timedelta(minutes=1)
# Attempts are counted up to here, because the column has an end and the attempts have none.
COUNTED_UP_TO: Final = 1000
ENDED_HERE: Final = (End.WITH_ACCOUNT, End.BY_ERASURE)


def work(now: Clock) -> None:
    """Upkeep: take every waiting erasure as far as it will go."""
    while held := leases.claim(LEASE):
        try:
            with heartbeats.during(held):
                advance(held, now)
        except Exception as error:  # noqa: BLE001 - whatever it was, the erasure is tried again
            _put_off(held, error, now())


def advance(held: leases.Claim, now: Clock) -> bool:
    """One attempt at one erasure. True once it is proved and nobody is left to be told."""
    erasure = Erasure.objects.get(pk=held.work_id)
    steps: dict[str, tuple[Stage, Callable[[Erasure, datetime], None]]] = {
        Stage.SHREDDED: (Stage.OBJECTS, _delete_objects),
        Stage.OBJECTS: (Stage.RECIPIENTS, recipients.tell),
        Stage.RECIPIENTS: (Stage.ROWS, _delete_rows),
    }
    while erasure.stage in steps:
        following, act = steps[erasure.stage]
        act(erasure, now())
        moved = Erasure.objects.filter(pk=erasure.pk, stage=erasure.stage).update(stage=following)
        if not moved or not leases.renew(held, progressed=True):
            return False
        erasure.refresh_from_db()
    if erasure.stage == Stage.ROWS:
        _prove(erasure, now())
        erasure.refresh_from_db()
    return finish(erasure, held, now())


# --- The steps ---------------------------------------------------------------------------------


def folders(erasure: Erasure) -> Iterator[str]:
    """Where in the bucket an account's bodies lie: one folder a kind."""
    for kind in Kind:
        yield f"{kind.name.lower()}/{erasure.prefix}/"


def _delete_objects(erasure: Erasure, now: datetime) -> None:
    """Every version, marker and unfinished upload; of a part by name, of an account by prefix."""
    left = storage.purge_names(erasure.names)
    if left:
        raise NotYetGone(still(left))
    if erasure.scope == Scope.ACCOUNT:
        for prefix in folders(erasure):
            left = storage.purge(prefix)
            if left:
                raise NotYetGone(still(left))


def still(left: storage.Traces) -> str:
    """How much a look has found, in numbers."""
    counted = f"{len(left.versions)} / {len(left.markers)} / {len(left.uploads)}"
    return f"Versions, markers, uploads that are still there: {counted}."


def _tables(erasure: Erasure) -> Iterator[tuple[str, QuerySet[Any]]]:
    """(name, the rows that must go), children before what they point at."""
    if erasure.scope != Scope.ACCOUNT:
        target = erasure.target_id or erasure.subject_id
        for rows in parts[Scope(erasure.scope)].rows(erasure.subject_id, target):
            yield rows.model._meta.label, rows
        # By the owner, because the index of names leaves out what is shredded.
        bodies = Blob.objects.filter(owner_id=erasure.subject_id, name__in=erasure.names)
        yield "privacy.Capsule", Capsule.objects.filter(blob__in=bodies)
        yield "privacy.Blob", bodies
        return
    for name, _, rows in rows_of([erasure.subject_id]):
        yield name, rows


def rows_of(people: Sequence[uuid.UUID]) -> Iterator[tuple[str, str, QuerySet[Any]]]:
    """(table, the lookup of whose they are, all rows that go with these people's accounts)."""
    for table in TABLES:
        if table.owner and table.end in ENDED_HERE:
            manager = apps.get_model(table.model)._default_manager
            rows = manager.filter(**{f"{table.owner}__in": people})
            if table.model == Lease._meta.label:
                # The erasures' own, and those of parts, which come to receipts of their own.
                rows = rows.exclude(kind=LEASE)
            yield table.model, table.owner, rows


def forget_counts(erasure: Erasure) -> None:
    """What the limiter counts by account and address, before the rows go, which know these."""
    limits.forget(erasure.subject_id, _addresses(erasure.subject_id))


def _delete_rows(erasure: Erasure, now: datetime) -> None:
    if erasure.scope == Scope.ACCOUNT:
        forget_counts(erasure)
    for _, rows in _tables(erasure):
        # By the key alone: some columns are not for upkeep to read.
        rows.only("pk").delete()


def _addresses(user_id: uuid.UUID) -> list[str]:
    mine = User.objects.filter(pk=user_id)
    found = mine.values_list("email", "emailaddress__email")
    return [address for row in found for address in row if address]


def _left(erasure: Erasure) -> list[str]:
    """Look everything up again: what is still there, by name."""
    left = [name for name, rows in _tables(erasure) if rows.exists()]
    if storage.traces_of(erasure.names):
        left.append("objects by name")
    if erasure.scope == Scope.ACCOUNT:
        left += [prefix for prefix in folders(erasure) if storage.traces(prefix)]
        if limits.remembers(erasure.subject_id):
            left.append("the limiter's counts")
    return left


def _prove(erasure: Erasure, now: datetime) -> None:
    """Look, and say so."""
    left = _left(erasure)
    if left:
        # Something was written late. Go back to the start of the machine; the next attempt
        # deletes it and looks again.
        Erasure.objects.filter(pk=erasure.pk, stage=Stage.ROWS).update(stage=Stage.SHREDDED)
        raise NotYetGone(f"Still there: {', '.join(left)}.")
    say_proved(erasure, now)


def say_proved(erasure: Erasure, now: datetime) -> None:
    """Sign the receipt of what was looked up and not found, once."""
    receipt = receipts.sign(erasure, now, now)
    with transaction.atomic():
        proved = Erasure.objects.filter(pk=erasure.pk, stage=Stage.ROWS).update(
            stage=Stage.PROVED, proved_at=now, receipt=receipt, names=[]
        )
        if proved:
            audit.record(
                audit.Verb.ERASURE_PROVED,
                subject_id=erasure.subject_id,
                object_id=erasure.pk,
                reason=audit.Reason.ERASURE,
            )


def finish(erasure: Erasure, held: leases.Claim, now: datetime) -> bool:
    """Behind the proof: ask again who has not confirmed, and sign anew once all of them have."""
    if erasure.stage != Stage.PROVED or erasure.receipt is None:
        return False
    if erasure.receipt["statement"]["recipients_pending"]:
        recipients.tell(erasure, now)
        if recipients.pending(erasure):
            leases.give_back(held, after=recipients.next_at(erasure, now) - now)
            return False
        before = erasure.receipt["statement"]["revision"]
        Erasure.objects.filter(pk=erasure.pk, receipt__statement__revision=before).update(
            receipt=receipts.sign(erasure, erasure.proved_at or now, now)
        )
    return leases.close(held)


# --- When it does not go on --------------------------------------------------------------------


def _put_off(held: leases.Claim, error: Exception, now: datetime) -> None:
    """Say which erasure is stuck where and since when, by ids only, and try again a bit later."""
    erasure = Erasure.objects.get(pk=held.work_id)
    age = now - erasure.requested_at
    log.log(
        logging.ERROR if age > LATE else logging.WARNING,
        "erasure_not_proved",
        extra={
            "erasure_id": str(erasure.pk),
            "state": str(erasure.stage),
            "kind": str(erasure.scope),
            "seconds": round(age.total_seconds()),
            "attempts": held.attempts,
            "error": type(error).__name__,
        },
    )
    wait = min(RETRY_AT_MOST, RETRY_AFTER * 2 ** min(held.attempts - 1, 5))
    leases.give_back(held, after=wait, forgiven=held.attempts > COUNTED_UP_TO)
