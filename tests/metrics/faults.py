"""A healthy world in series, and what each alert's fault changes of it. Pure data."""

from typing import Final

AT: Final = 'instance="one",job="sitter"'


def series(name: str, **labels: str) -> str:
    """A series as Prometheus stores it behind a scrape."""
    more = "".join(f',{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{AT}{more}}}"


def sitter(name: str, **labels: str) -> str:
    """One of ours."""
    return series(f"sitter_{name}", **labels)


def ended(outcome: str) -> str:
    """Portraits of one engine that have ended in this way."""
    return sitter("items_ended_lately", engine="pocket", outcome=outcome)


HEALTHY: Final[dict[str, float]] = {
    series("up"): 1,
    **{sitter("need_met", need=need): 1 for need in ("database", "bucket", "fleet_key", "ledger")},
    sitter("metrics_part_failed", part="waiting"): 0,
    sitter("database_connections", login="web"): 10,
    sitter("database_connections", login="gpu"): 10,
    sitter("database_connections_limit"): 100,
    sitter("items_open", engine="pocket", lane="pack", state="waiting"): 10,
    sitter("items_open_limit"): 20_000,
    sitter("painters", engine="pocket", state="ready"): 2,
    sitter("item_oldest_waiting_seconds", lane="interactive"): 20,
    sitter("item_oldest_waiting_seconds", lane="pack"): 600,
    ended("done"): 100,
    ended("failed"): 2,
    ended("blocked"): 2,
    ended("cancelled"): 80,
    sitter("photos_lately", state="accepted"): 80,
    sitter("photos_lately", state="refused"): 30,
    sitter("photos_lately", state="checking"): 30,
    sitter("beat_silent_seconds"): 2,
    sitter("period_age_seconds", period="expire", role="upkeep"): 20,
    sitter("period_length_seconds", period="expire", role="upkeep"): 30,
    **{sitter("lease_oldest_waiting_seconds", kind=kind): 10 for kind in ("reference", "export")},
    # Of these, long waits are in the order of things and have alerts of their own.
    sitter("lease_oldest_waiting_seconds", kind="item"): 250,
    sitter("lease_oldest_waiting_seconds", kind="webhook"): 250,
    sitter("leases", kind="item", state="held"): 2,
    sitter("leases", kind="item", state="expired"): 0,
    sitter("leases_tried_before", kind="item"): 2,
    sitter("leases_tried_before", kind="webhook"): 50,
    sitter("webhook_event_oldest_seconds"): 5,
    sitter("webhook_events_given_up_lately"): 0,
    sitter("blobs_past_deadline"): 0,
    sitter("bodies_not_deleted"): 0,
    sitter("backlog", sort="sessions_past_term"): 0,
    sitter("backlog_age_seconds"): 40,
    sitter("erasure_oldest_seconds"): 20,
    sitter("proof_check_holds", check="inventory"): 1,
    sitter("proof_age_seconds"): 80_000,
    sitter("face_claim_oldest_seconds"): 86_400,
    sitter("request_unanswered_seconds", kind="access"): 86_400,
    # An alert of its own watches these.
    sitter("request_unanswered_seconds", kind="face"): 90_000,
    sitter("request_due_seconds"): 1_900_000,
    sitter("fleet_key_days_ahead"): 1,
    sitter("root_keys_late"): 0,
    sitter("evidence_key_days_left"): 5,
}

# Alert → what is different; None: the series is not there.
FAULTS: Final[dict[str, dict[str, float | None]]] = {
    "SitterDown": {series("up"): 0},
    "SitterNotReady": {sitter("need_met", need="bucket"): 0},
    "SitterDatabaseConnections": {sitter("database_connections", login="web"): 75},
    "SitterMetricsPartial": {sitter("metrics_part_failed", part="waiting"): 1},
    "SitterNoPainter": {sitter("painters", engine="pocket", state="ready"): 0},
    "SitterPainterUnfit": {sitter("painters", engine="pocket", state="unfit"): 1},
    "SitterWaitsLong": {sitter("item_oldest_waiting_seconds", lane="interactive"): 301},
    "SitterQueueFilling": {
        sitter("items_open", engine="pocket", lane="pack", state="waiting"): 16_001
    },
    "SitterPortraitsFail": {ended("failed"): 12},
    "SitterPortraitsHeldBack": {ended("blocked"): 30},
    "SitterPhotosRefused": {sitter("photos_lately", state="refused"): 130},
    "SitterPeriodicWorkStopped": {sitter("beat_silent_seconds"): 61},
    "SitterPeriodLate": {sitter("period_age_seconds", period="expire", role="upkeep"): 151},
    "SitterWorkWaits": {sitter("lease_oldest_waiting_seconds", kind="reference"): 61},
    "SitterLeasesExpired": {sitter("leases", kind="item", state="expired"): 1},
    "SitterWorkFailsAgain": {sitter("leases_tried_before", kind="item"): 6},
    "SitterWebhookLate": {sitter("webhook_event_oldest_seconds"): 601},
    "SitterWebhookGivenUp": {sitter("webhook_events_given_up_lately"): 1},
    "SitterPastDeadline": {sitter("blobs_past_deadline"): 1},
    "SitterBacklog": {sitter("backlog", sort="sessions_past_term"): 1},
    "SitterBacklogNotCounted": {sitter("backlog_age_seconds"): 301},
    "SitterErasureSlow": {sitter("erasure_oldest_seconds"): 91},
    "SitterErasureStuck": {sitter("erasure_oldest_seconds"): 3601},
    "SitterProofFails": {sitter("proof_check_holds", check="inventory"): 0},
    "SitterProofOld": {sitter("proof_age_seconds"): 93_601},
    "SitterFaceClaimDue": {sitter("face_claim_oldest_seconds"): 129_601},
    "SitterRequestUnanswered": {sitter("request_unanswered_seconds", kind="access"): 129_601},
    "SitterRequestDue": {sitter("request_due_seconds"): 863_999},
    "SitterFleetKeyEnds": {sitter("fleet_key_days_ahead"): 0},
    "SitterRootLate": {sitter("root_keys_late"): 1},
    "SitterEvidenceKeyEnds": {sitter("evidence_key_days_left"): 2},
}
