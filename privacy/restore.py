"""The erasure ledger: what people ended, written where no backup of the database can undo it.

An intent lies in the ledger's own bucket before the transaction that carries it out begins, so a
deletion that anybody was told of is always in it. `resolve` later reads the database: what
happened is confirmed, what certainly did not is voided. A count in the database follows a count
in the bucket; when it lags, the database was restored from a backup, and `privacy/replay.py`
carries everything out again. An entry holds ids and times, and no word of a person.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from privacy import audit, ledgerstore, retention
from privacy.errors import BlobGone, LedgerDown, LedgerUnreadable, PrivacyError, StorageDown
from privacy.models import Blob, Consent, Erasure, OwnerKey, Pulse

INTENTS: Final = "intents/"
CONFIRMED: Final = "confirmed/"
PULSES: Final = "pulse/"
# A request that is still running is left alone this long.
SETTLED_AFTER: Final = timedelta(seconds=30)
# No request lives this long: what is not in the database by now will never be.
VOID_AFTER: Final = timedelta(minutes=10)
# How far behind the restored database's last pulse a replay begins: longer than any transaction.
OVERLAP: Final = timedelta(hours=1)
BATCH: Final = 1000
# Entries are small, so reading them is mostly waiting for the bucket.
READERS: Final = 8


class Intent(StrEnum):
    """What a person ends."""

    ERASE = "erase"  # an erasure of any scope
    WITHDRAW = "withdraw"  # a consent
    SHORTEN = "shorten"  # the life of blobs


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; its id is the erasure's. What its intent does not need is empty."""

    id: uuid.UUID
    intent: Intent
    subject_id: uuid.UUID
    at: datetime
    scope: str = ""
    target_id: uuid.UUID | None = None
    blobs: tuple[uuid.UUID, ...] = ()
    purpose: str = ""
    erase_results: bool = False
    expires_at: datetime | None = None

    @property
    def name(self) -> str:
        """Its name behind the prefix; names sort by time."""
        return f"{_stamp(self.at)}-{self.id}"

    def statement(self) -> dict[str, Any]:
        """As it lies in the bucket: what is empty is left out."""
        return {key: _plain(value) for key, value in asdict(self).items() if value}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def _entry(name: str) -> Entry:
    """Read one back. Raises LedgerUnreadable, BlobGone, StorageDown."""
    try:
        said = ledgerstore.get(name)
        return Entry(
            id=uuid.UUID(said["id"]),
            intent=Intent(said["intent"]),
            subject_id=uuid.UUID(said["subject_id"]),
            at=datetime.fromisoformat(said["at"]),
            scope=said.get("scope", ""),
            target_id=(target := said.get("target_id")) and uuid.UUID(target),
            blobs=tuple(uuid.UUID(one) for one in said.get("blobs", ())),
            purpose=said.get("purpose", ""),
            erase_results=said.get("erase_results", False),
            expires_at=(end := said.get("expires_at")) and datetime.fromisoformat(end),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise LedgerUnreadable(
            f"The ledger's entry {name} cannot be read. Bring an older version of it back, or move "
            "it out of the bucket if it is none of ours."
        ) from error


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


# --- Writing -----------------------------------------------------------------------------------


@contextmanager
def intend(
    what: Intent,
    subject_id: uuid.UUID,
    now: datetime,
    *,
    scope: str = "",
    target_id: uuid.UUID | None = None,
    blobs: tuple[uuid.UUID, ...] = (),
    purpose: str = "",
    erase_results: bool = False,
    expires_at: datetime | None = None,
) -> Iterator[Entry]:
    """Write down what the block is about to do. Raises LedgerDown; then it has not begun.

    The block opens the transaction. Refused inside one: others would wait for the bucket behind
    its locks. What one of our own refusals rolled back did not happen, so its entry goes at once;
    any other end is left for `resolve` to find out.
    """
    if connection.in_atomic_block:
        raise RuntimeError("An intent is written before its transaction begins.")
    entry = Entry(
        id=uuid.uuid4(),
        intent=what,
        subject_id=subject_id,
        at=now,
        scope=scope,
        target_id=target_id,
        blobs=blobs,
        purpose=purpose,
        erase_results=erase_results,
        expires_at=expires_at,
    )
    try:
        ledgerstore.put(INTENTS + entry.name, entry.statement())
    except StorageDown as error:
        raise LedgerDown from error
    try:
        yield entry
    except PrivacyError:
        with suppress(StorageDown):
            ledgerstore.delete([INTENTS + entry.name])
        raise


# --- Settling ----------------------------------------------------------------------------------


def resolve(now: datetime) -> Counter[str]:
    """Confirm or void intents by what the database says, and end entries past their term.

    A kill between the two writes of a confirmation leaves the entry under both names, which is
    harmless: the next round confirms it again. Nothing is decided while a replay is due, because a
    database from a backup knows of nothing.
    """
    done: Counter[str] = Counter()
    if pending():
        return done
    for name in ledgerstore.names(INTENTS, limit=BATCH):
        if _is_behind(name, INTENTS, now - SETTLED_AFTER):
            break
        try:
            entry = _entry(name)
        except BlobGone:
            continue
        if happened(entry):
            ledgerstore.put(CONFIRMED + entry.name, entry.statement())
            ledgerstore.delete([name])
            done["confirmed"] += 1
        elif entry.at < now - VOID_AFTER and _never(entry):
            ledgerstore.delete([name])
            done["voided"] += 1
    over = now - retention.term(retention.Term.RESTORE)
    first = ledgerstore.names(CONFIRMED, limit=BATCH)
    ended = [name for name in first if not _is_behind(name, CONFIRMED, over)]
    ledgerstore.delete(ended)
    done["ended"] = len(ended)
    return done


def undecided(now: datetime, longer_than: timedelta) -> tuple[int, int]:
    """(intents that wait to be decided, those of them that wait too long). Raises StorageDown."""
    names = ledgerstore.names(INTENTS)
    return len(names), sum(not _is_behind(name, INTENTS, now - longer_than) for name in names)


def _is_behind(name: str, prefix: str, moment: datetime) -> bool:
    return name.removeprefix(prefix) > _stamp(moment)


def happened(entry: Entry) -> bool:
    """Whether the database holds what the entry says."""
    if entry.intent is Intent.ERASE:
        return Erasure.objects.filter(pk=entry.id).exists()
    if entry.intent is Intent.WITHDRAW:
        return Consent.objects.filter(
            subject_id=entry.subject_id,
            document__purpose=entry.purpose,
            verb=Consent.Verb.WITHDRAWN,
            at=entry.at,
        ).exists()
    return not longer_than_said(entry).exists()


def longer_than_said(entry: Entry) -> QuerySet[Blob]:
    """Blobs of a shortening that would still live past what their owner said."""
    living = Blob.objects.exclude(state=Blob.State.SHREDDED)
    return living.filter(pk__in=entry.blobs, expires_at__gt=entry.expires_at)


def _never(entry: Entry) -> bool:
    """Look once more while nobody else holds the person: a slow transaction may still commit."""
    with transaction.atomic():
        for rows in (User.objects.all(), OwnerKey.objects.all()):
            of_them = rows.filter(pk=entry.subject_id)
            free = of_them.select_for_update(no_key=True, skip_locked=True).exists()
            if not free and of_them.exists():
                return False
        return not happened(entry)


# --- The pulse ---------------------------------------------------------------------------------


def count() -> int:
    """The database's count."""
    return Pulse.objects.values_list("count", flat=True).first() or 0


def _highest() -> int:
    """The bucket's count. It is a name, so that no writer can ever lower it."""
    found = [name.removeprefix(PULSES) for name in ledgerstore.names(PULSES)]
    return max((int(name) for name in found if name.isdecimal()), default=0)


def pending() -> bool:
    """Whether the database was restored and the ledger not replayed yet. Raises StorageDown.

    A new installation has no pulse in its bucket and is not pending.
    """
    return _highest() > count()


def pulse(now: datetime) -> bool:
    """Count up, the database first. False: a replay is due, and the counts stay as they are."""
    highest = _highest()
    with transaction.atomic():
        row = _lock(now)
        if row.count < highest:
            return False
        _beat(row, row.count + 1, now)
    _announce(row.count, now)
    return True


def caught_up(now: datetime, carried: int) -> bool:
    """Behind a replay: put the database ahead of the bucket. False: somebody else has done it."""
    highest = _highest()
    with transaction.atomic():
        row = _lock(now)
        if row.count >= highest:
            return False
        _beat(row, highest + 1, now)
        audit.record(audit.Verb.RESTORED, count=carried, reason=audit.Reason.RESTORE)
    _announce(row.count, now)
    return True


def _lock(now: datetime) -> Pulse:
    Pulse.objects.get_or_create(pk=1, defaults={"at": now})
    return Pulse.objects.select_for_update().get(pk=1)


def _beat(row: Pulse, number: int, now: datetime) -> None:
    row.count, row.at = number, now
    row.save()


def _announce(number: int, now: datetime) -> None:
    name = f"{PULSES}{number:020d}"
    ledgerstore.put(name, {"at": now.isoformat()})
    ledgerstore.delete(old for old in ledgerstore.names(PULSES) if old < name)


# --- What a replay has to carry out --------------------------------------------------------------


def entries() -> Iterator[Entry]:
    """Confirmed entries that the database may not know, then the undecided ones, oldest first."""
    last = Pulse.objects.values_list("at", flat=True).first()
    after = CONFIRMED + _stamp(last - OVERLAP) if last else ""
    # Listed first: what is confirmed meanwhile then stands in the other list.
    undecided = ledgerstore.names(INTENTS)
    found = [*ledgerstore.names(CONFIRMED, after=after), *undecided]
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(found), BATCH):
            yield from filter(None, pool.map(_entry_or_none, found[start : start + BATCH]))


def _entry_or_none(name: str) -> Entry | None:
    try:
        return _entry(name)
    except BlobGone:
        # Its time was over, or it has just been confirmed.
        return None
