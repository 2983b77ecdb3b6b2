"""What else the daily proof looks at: deadlines, ledgers, keys, receipts, facts, the two buckets.

Each look returns how much it saw and how much of it is wrong; what cannot be looked at raises.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q

from privacy import (
    bucket,
    checks,
    erasure,
    ledgercheck,
    policy,
    probes,
    restore,
    retention,
    signing,
    sweeps,
)
from privacy.errors import NotReady
from privacy.inventory import TABLES
from privacy.models import Erasure, Ledger, OwnerKey, RootEpoch
from privacy.retention import DEADLINES, ROOT_TURN, Term
from privacy.witnesses import Seen

# Roles that have no login at all, so that nothing can be granted to them.
NO_LOGIN: Final = ("beat", "flower")
OF_DJANGO: Final = frozenset({MigrationRecorder.Migration._meta.db_table})
FACTS: Final = "/v1/privacy/facts"
LATE: Final = timedelta(days=1)
PAGE: Final = 1000
# The sweep that decides comes every minute, and a busy upkeep comes late.
SETTLING: Final = timedelta(minutes=5)


def past_deadline(now: datetime) -> Seen:
    """Everything that ends by time, past its end by more than its sweeps' grace."""
    counts = sweeps.overdue(now)
    return Seen(len(counts), sum(counts.values()))


def ledger(which: Ledger, now: datetime) -> Seen:
    """One ledger from end to end, its heads in the bucket, and what login may see of evidence."""
    parts = [ledgercheck.examine(which, now)]
    if which is Ledger.CONSENT:
        parts.append(ledgercheck.examine_evidence(now))
    unseen = [name for part in parts for name in part.skipped if name != "evidence"]
    if unseen:
        raise NotReady
    return Seen(sum(part.entries for part in parts), sum(len(part.findings) for part in parts))


def inventory(now: datetime) -> Seen:
    """Every table and field of the installation is listed, and no other table is there."""
    listed = {apps.get_model(table.model)._meta.db_table for table in TABLES}
    there = set(connection.introspection.table_names()) - OF_DJANGO
    return Seen(len(there), len(there - listed) + sum(len(check(None)) for check in checks.ALL))


def facts(now: datetime) -> Seen:
    """What the web says in public is what this process computes from settings and retention."""
    ours = json.loads(json.dumps(policy.facts()))
    wrong = sum(
        (entry["default_seconds"], entry["longest_seconds"]) != _seconds(entry["what"])
        for entry in ours["how_long"]
        if entry["what"] in _KINDS
    )
    wrong += abs(len(DEADLINES) - sum(entry["what"] in _KINDS for entry in ours["how_long"]))
    if settings.WEB_URL:
        status, body = probes.web("GET", FACTS)
        if status != 200:
            raise NotReady
        theirs = json.loads(body)
        wrong += sum(theirs.get(name) != ours.get(name) for name in theirs.keys() | ours.keys())
    return Seen(len(ours), wrong)


_KINDS: Final = {kind.name.lower(): kind for kind in DEADLINES}


def _seconds(what: str) -> tuple[int, int]:
    rule = DEADLINES[_KINDS[what]]
    return int(rule.default.total_seconds()), int(rule.cap.total_seconds())


def erasures_late(now: datetime) -> Seen:
    """Erasures that are not proved an hour after they were asked for."""
    return Seen(Erasure.objects.count(), erasure.late(now))


def receipts_verify(now: datetime) -> Seen:
    """Every proved erasure has a receipt, and its signature is that of a published key."""
    proved = Erasure.objects.filter(stage=Erasure.Stage.PROVED)
    seen = wrong = 0
    for receipt in proved.values_list("receipt", flat=True).iterator(chunk_size=PAGE):
        seen += 1
        wrong += not _verifies(receipt)
    return Seen(seen, wrong)


def _verifies(receipt: Any) -> bool:
    try:
        return bool(receipt) and signing.verified(receipt)
    except (KeyError, TypeError, AttributeError):
        return False


def root_age(now: datetime) -> Seen:
    """Roots take their turn and end in time, and every living owner's root is alive."""
    living = RootEpoch.objects.filter(destroyed_at=None)
    in_turn = living.filter(retired_at=None)
    overdue = living.filter(created_at__lt=now - retention.term(Term.ROOT_EPOCH) - LATE)
    stale = in_turn.filter(created_at__lt=now - ROOT_TURN - LATE)
    rootless = OwnerKey.objects.filter(destroyed_at=None).exclude(
        root_epoch__in=living.values("label")
    )
    wrong = living.filter(Q(pk__in=overdue) | Q(pk__in=stale)).count() + rootless.count()
    return Seen(living.count(), wrong + (not in_turn.exists()))


def bucket_faults(now: datetime) -> Seen:
    """The bucket is private and keeps nothing that was deleted."""
    wrong, unseen = bucket.examine()
    return Seen(4 - len(unseen), len(wrong))


def restore_ledger(now: datetime) -> Seen:
    """No replay is due, and every intent was decided in time."""
    waiting, late = restore.undecided(now, restore.VOID_AFTER + SETTLING)
    return Seen(waiting, late + restore.pending())


def compartment(role: str, heard: Mapping[str, Mapping[str, str]]) -> Seen:
    """What one role did with the canaries; or that it has neither a login nor a key."""
    if role in NO_LOGIN:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [f"sitter_{role}"])
            return Seen(1, int(cursor.fetchone()[0]) + (role in checks.HELD))
    return Seen(len(probes.CANARIES), len(probes.crossings(role, heard[role])))
