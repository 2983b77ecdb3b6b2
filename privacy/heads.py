"""The newest heads of the chains, kept in the ledger bucket too, where no backup replaces them.

A chain that is cut at its end verifies by itself; only a copy outside the database shows the cut.
A head is never overwritten, and none is published next to one that the database contradicts.
"""

from datetime import datetime
from typing import Any, Final

from privacy import audit, ledgerstore, links, signing
from privacy.errors import BlobGone
from privacy.models import Checkpoint, Ledger

# Each head commits to all before it, so that only a few are worth keeping.
KEPT: Final = 3


def prefix(ledger: Ledger) -> str:
    """Where the heads of a ledger lie."""
    return f"heads/{ledger.name.lower()}/"


def newest(ledger: Ledger) -> Checkpoint | None:
    """The last checkpoint that the database knows."""
    return Checkpoint.objects.filter(ledger=ledger).order_by("-last").first()


def publish(ledger: Ledger) -> bool:
    """Upkeep: copy the newest head. False: a kept head contradicts the database. StorageDown."""
    head = newest(ledger)
    if head is None:
        return True
    name = _name(ledger, head.last)
    kept = ledgerstore.names(prefix(ledger))
    if kept and not matches(ledger, _read(kept[-1])):
        return False
    if name not in kept:
        ledgerstore.put(name, links.signed(head))
        ledgerstore.delete(kept[: 1 - KEPT])
    return True


def contradicting(ledger: Ledger) -> list[str]:
    """Names of kept heads that the database's chain does not go through. Raises StorageDown."""
    oldest = Checkpoint.objects.filter(ledger=ledger).order_by("last").first()
    # A head of batches that have ended has nothing left to be compared with.
    since = _name(ledger, oldest.last if oldest else 0)
    names = [name for name in ledgerstore.names(prefix(ledger)) if name >= since]
    return [name for name in names if not matches(ledger, _read(name))]


def missing(ledger: Ledger) -> bool:
    """Whether there is a chain and no copy of any head of it."""
    return newest(ledger) is not None and not ledgerstore.names(prefix(ledger))


def forget_contradicting(now: datetime) -> int:
    """After a restore: drop the heads that are ahead of the restored database, and say so."""
    total = 0
    for ledger in Ledger:
        doomed = contradicting(ledger)
        ledgerstore.delete(doomed)
        if doomed:
            audit.record(audit.Verb.RESTORED, count=len(doomed), reason=audit.Reason.RESTORE)
        total += len(doomed)
    return total


def matches(ledger: Ledger, head: dict[str, Any]) -> bool:
    """Whether a kept head is signed, and a checkpoint of the database says the same."""
    if "statement" not in head or not signing.verified(head):
        return False
    said = head["statement"]
    row = Checkpoint.objects.filter(ledger=ledger, last=said["last"]).first()
    return row is not None and said == links.signed(row)["statement"]


def _name(ledger: Ledger, last: int) -> str:
    return f"{prefix(ledger)}{last:012d}"


def _read(name: str) -> dict[str, Any]:
    try:
        return ledgerstore.get(name)
    except (BlobGone, ValueError):
        return {}  # nothing, or no JSON: it matches no checkpoint
