"""Whether what was promised is kept: deadlines, erasures, keys, the daily proof, requests.

Blobs and erasures are counted here and now, by their partial indexes, so that it shows when upkeep
is dead. The rest of the backlog is what upkeep counted last: the web may not read all of it, and
need not do the work a second time.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q
from prometheus_client.core import GaugeMetricFamily

from deploy.metrics.families import gauge, number, zeros
from privacy import epochs, periods, retention
from privacy.models import (
    Blob,
    Case,
    Erasure,
    EvidenceKey,
    FaceClaim,
    FleetKey,
    RootEpoch,
    TransparencyReport,
)
from privacy.sweeps import BACKLOG

# A sweep comes every 30 seconds; what two of them have missed is somebody's business. The backlog,
# which nobody reads within the minute, waits longer (retention.BLOB_GRACE).
MISSED: Final = timedelta(minutes=1)


def look(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Deadlines, erasures and claims; keys and the proof have looks of their own."""
    yield from _deadlines(now)
    yield from _backlog(now)
    yield from _erasures(now)
    yield from _claims(now)
    yield from _requests(now)


def _deadlines(now: datetime) -> Iterator[GaugeMetricFamily]:
    living = Blob.objects.exclude(state=Blob.State.SHREDDED)
    dead = Blob.objects.filter(state=Blob.State.SHREDDED)
    yield number(
        "blobs_past_deadline",
        "Sealed pictures and words that exist past their deadline by more than a minute."
        " Must be 0.",
        living.filter(expires_at__lte=now - MISSED).count(),
    )
    yield number(
        "bodies_not_deleted",
        "Bodies without a key that still lie in the bucket two hours past their deadline."
        " Must be 0.",
        dead.filter(expires_at__lte=now - retention.ROW_GRACE).count(),
    )


def _backlog(now: datetime) -> Iterator[GaugeMetricFamily]:
    counts, at = periods.noted(BACKLOG) or ({}, None)
    yield gauge(
        "backlog",
        "What upkeep has last counted that is past its end, or that nobody gets on with."
        " Each must be 0.",
        "sort",
        counts,
    )
    if at is not None:
        yield number("backlog_age_seconds", "How long ago upkeep has counted.", _since(at, now))


def _erasures(now: datetime) -> Iterator[GaugeMetricFamily]:
    opened = Erasure.objects.exclude(stage=Erasure.Stage.PROVED)
    stages = zeros(stage.value for stage in Erasure.Stage if stage is not Erasure.Stage.PROVED)
    rows = opened.values_list("stage").annotate(Count("pk"), Min("requested_at")).order_by("stage")
    oldest = now
    for stage, count, first in rows:
        stages[stage] = count
        oldest = min(oldest, first)
    yield gauge(
        "erasures_open",
        "Erasures without a receipt yet, by the last stage that is complete. Nothing of them opens"
        " any more.",
        "stage",
        stages,
    )
    yield number(
        "erasure_oldest_seconds", "How long the oldest of them has waited.", _since(oldest, now)
    )


def _claims(now: datetime) -> Iterator[GaugeMetricFamily]:
    opened = FaceClaim.objects.filter(state=FaceClaim.State.OPEN)
    found = opened.aggregate(count=Count("pk"), oldest=Min("received_at"))
    yield number(
        "face_claims_open", 'Reports "this is my face" that nobody has answered.', found["count"]
    )
    yield number(
        "face_claim_oldest_seconds",
        "How long the oldest of them has waited; 48 hours are promised.",
        _since(found["oldest"] or now, now),
    )


def _requests(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Of a group, the first one counts."""
    opened = Case.objects.filter(state=Case.State.OPEN, lead=None)
    counts, waiting = zeros(Case.Kind.values), zeros(Case.Kind.values)
    rows = opened.values("kind").annotate(
        count=Count("pk"), oldest=Min("received_at", filter=Q(answered_at=None))
    )
    for row in rows.order_by("kind"):
        counts[row["kind"]] = row["count"]
        waiting[row["kind"]] = _since(row["oldest"] or now, now)
    yield gauge("requests_open", "Requests to support that are not closed.", "kind", counts)
    yield gauge(
        "request_unanswered_seconds",
        "How long the oldest of them waits for a first answer; 48 hours are promised.",
        "kind",
        waiting,
    )
    first = opened.aggregate(due=Min("due_at"))["due"]
    if first is not None:
        yield number(
            "request_due_seconds",
            "Until the first of them is late by law; below 0 it is.",
            (first - now).total_seconds(),
        )


def keys(now: datetime) -> Iterator[GaugeMetricFamily]:
    """How old the keys are, and whether the next ones are there."""
    root = RootEpoch.objects.filter(destroyed_at=None, retired_at=None)
    made = root.aggregate(made=Max("created_at"))["made"]
    if made is not None:
        yield number(
            "root_key_age_seconds",
            "Since when the portrait root is in turn; it turns every 14 days.",
            _since(made, now),
        )
    yield number(
        "root_keys_late",
        "Portrait roots that have outlived what receipts promise of them. Must be 0.",
        len(epochs.late(now)),
    )
    today = now.date()
    yield number(
        "fleet_key_days_ahead",
        "For how many days after today the fleet's keys are published; -1: not for today.",
        _days_ahead(today),
    )
    year = max(EvidenceKey.objects.values_list("label", flat=True), default=None)
    if year is not None:
        yield number(
            "evidence_key_days_left",
            "Until when there is a key for consent evidence.",
            (date(int(year), 12, 31) - today).days,
        )


def _days_ahead(today: date) -> int:
    """Without a gap from today on."""
    published = set(
        FleetKey.objects.filter(label__gte=today.isoformat()).values_list("label", flat=True)
    )
    ahead = -1
    while (today + timedelta(days=ahead + 1)).isoformat() in published:
        ahead += 1
    return ahead


def proof(now: datetime) -> Iterator[GaugeMetricFamily]:
    """The last daily proof."""
    report = TransparencyReport.objects.order_by("-day").first()
    if report is None:
        return
    checks = report.statement["checks"]
    yield gauge(
        "proof_check_holds",
        "Whether this check of the last daily proof held.",
        "check",
        {check["name"]: bool(check["holds"]) for check in checks},
    )
    yield number(
        "proof_checks_failing",
        "Checks of the last daily proof that did not hold.",
        sum(not check["holds"] for check in checks),
    )
    yield number("proof_age_seconds", "How long ago the last proof was.", _since(report.at, now))


def _since(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
