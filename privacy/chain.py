"""Seals the two ledgers: links new entries into a hash chain in batches, and signs each batch.

Entries are inserted plainly, so that no request waits for a chain. Refuses to paper over a cut:
what the bucket knows and the database does not stays a finding until a restore is declared.
"""

import base64
import logging
import os
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from privacy import heads, ledgercheck, links, signing
from privacy.errors import StorageDown
from privacy.ledgercheck import LATE, Examination, Finding
from privacy.models import Checkpoint, Ledger, LedgerLink

log = logging.getLogger(__name__)

BATCH: Final = 5000
# The first half of an advisory lock's name; the second is the ledger.
LOCK: Final = 0x5EA1
_COPY: Final = "COPY privacy_ledgerlink (ledger, number, entry_id, at, salt, digest) FROM STDIN"


def seal(now: datetime) -> int:
    """Upkeep: link and sign what is new. A bucket that is down delays only the copy of the head."""
    total = 0
    for ledger in Ledger:
        while linked := _seal_batch(ledger, now):
            total += linked
            if linked < BATCH:
                break
        try:
            if not heads.publish(ledger):
                log.error("ledger_cut", extra={"kind": ledger.name.lower()})
        except StorageDown:
            log.warning("head_not_copied", extra={"kind": ledger.name.lower()})
    return total


def verify(now: datetime) -> list[Finding]:
    """Everything that does not fit, in both ledgers and the evidence."""
    return examine(now).findings


def examine(now: datetime) -> Examination:
    """The same, with how much was read and what this login could not look at."""
    whole = Examination()
    for part in (
        *(ledgercheck.examine(ledger, now) for ledger in Ledger),
        ledgercheck.examine_evidence(now),
    ):
        whole.findings += part.findings
        whole.entries += part.entries
        whole.skipped += part.skipped
    return whole


def restored(now: datetime) -> int:
    """The database was restored on purpose: heads ahead of it are dropped, audited."""
    return heads.forget_contradicting(now)


def forget(now: datetime) -> int:
    """Delete links and checkpoints that are past their term, and keep one checkpoint as anchor.

    The newest checkpoint past its term stays: without it nobody could tell a beginning that ended
    from one that was cut off.
    """
    total = 0
    for ledger in Ledger:
        old = links.cutoff(ledger, now)
        batches = Checkpoint.objects.filter(ledger=ledger, at__lte=old)
        anchor = batches.order_by("-last").values_list("last", flat=True).first()
        if anchor is None:
            continue
        ended = LedgerLink.objects.filter(ledger=ledger, number__lte=anchor, at__lte=old)
        while page := list(ended.order_by("number").values_list("pk", flat=True)[:BATCH]):
            total += LedgerLink.objects.filter(pk__in=page).delete()[0]
        total += batches.filter(last__lt=anchor).delete()[0]
    return total


def _seal_batch(ledger: Ledger, now: datetime) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two sealers would give one number twice; the second waits and sees the first's links.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, ledger.value])
        head = heads.newest(ledger)
        chain = previous = bytes(head.chain) if head else links.GENESIS
        first = head.last + 1 if head else 1
        made = []
        for number, entry in enumerate(_waiting(ledger, now), first):
            salt = os.urandom(links.SALT_BYTES)
            digest = links.digest(salt, entry)
            chain = links.step(chain, entry["id"], entry["at"], digest)
            made.append((ledger.value, number, entry["id"], entry["at"], salt, digest))
        if made:
            _insert(made)
            _sign(
                Checkpoint(
                    ledger=ledger,
                    first=first,
                    last=first + len(made) - 1,
                    previous=previous,
                    chain=chain,
                    at=now,
                )
            )
    return len(made)


def _insert(rows: list[tuple[Any, ...]]) -> None:
    """By COPY: an INSERT of thousands of rows costs several times the hashing."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _sign(row: Checkpoint) -> None:
    signed = signing.sign(links.statement(row))
    row.key_label = signed["statement"]["key"]
    row.signature = base64.b64decode(signed["signature"])
    row.save(force_insert=True)


def _waiting(ledger: Ledger, now: datetime) -> list[dict[str, Any]]:
    """Entries without a link, oldest first, back to what may still have been committing.

    By their own time and not by their id: what is dated back further than that stays unlinked, and
    is found.
    """
    linked = LedgerLink.objects.filter(ledger=ledger, entry_id=OuterRef("pk"))
    rows = links.ENTRIES[ledger]._default_manager.filter(~Exists(linked), at__lte=now)
    newest = LedgerLink.objects.filter(ledger=ledger).order_by("-number").first()
    if newest is not None:
        rows = rows.filter(at__gte=newest.at - LATE)
    return list(rows.order_by("at", "pk").values(*links.fields(ledger))[:BATCH])
