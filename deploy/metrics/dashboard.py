"""Grafana's dashboard as a table: what is shown, in which row, by which question to Prometheus.

`python -m deploy.metrics.dashboard` writes deploy/grafana/dashboards/sitter.json; a test compares
them. Knows neither Django nor a database.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from deploy.env import ROOT

FILE: Final = ROOT / "deploy" / "grafana" / "dashboards" / "sitter.json"
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
WIDTH: Final = 24


@dataclass(frozen=True)
class Panel:
    """One drawing: `asks` is question → what its lines are called."""

    title: str
    asks: dict[str, str]
    unit: str = "short"
    # A number in a box, red above this, instead of lines over time.
    red_above: float | None = None
    span: int = 8


def must_be_zero(title: str, ask: str) -> Panel:
    """A box that is green at 0 alone."""
    return Panel(title, {ask: ""}, red_above=0, span=4)


_QUANTILE: Final = "{{engine}} p{{quantile}}"
ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Now": (
        Panel("Missing", {"count(sitter_need_met == 0) or vector(0)": ""}, red_above=0, span=4),
        Panel("Open portraits", {"sum(sitter_items_open)": ""}, span=4),
        Panel(
            "Waiting longest",
            {"max(sitter_item_oldest_waiting_seconds)": ""},
            unit="s",
            red_above=300,
            span=4,
        ),
        Panel("Workers that paint", {'sum(sitter_painters{state="ready"})': ""}, span=4),
        must_be_zero(
            "Past their deadline", "sitter_blobs_past_deadline + sitter_bodies_not_deleted"
        ),
        must_be_zero("Checks of the proof that fail", "sitter_proof_checks_failing"),
    ),
    "Queue": (
        Panel(
            "Open portraits by engine",
            {"sum by (engine, state) (sitter_items_open)": "{{engine}} {{state}}"},
        ),
        Panel("Oldest waiting", {"sitter_item_oldest_waiting_seconds": "{{lane}}"}, unit="s"),
        Panel(
            "GPU seconds",
            {
                "sitter_gpu_seconds_waiting": "{{engine}} waiting",
                "sitter_gpu_seconds_painting": "{{engine}} painting",
            },
            unit="s",
        ),
        Panel(
            "Workers, and engines that were stopped",
            {
                "sitter_painters": "{{engine}} {{state}}",
                "sitter_engines_stopped": "{{engine}} {{kind}}",
            },
        ),
        Panel(
            "Background work", {"sum by (kind, state) (sitter_leases) > 0": "{{kind}} {{state}}"}
        ),
        Panel("Tried before", {"sitter_leases_tried_before": "{{kind}}"}),
    ),
    "Waits and success": (
        Panel(
            "From asking to being taken", {"sitter_item_wait_seconds_lately": _QUANTILE}, unit="s"
        ),
        Panel(
            "From being taken to kept", {"sitter_item_paint_seconds_lately": _QUANTILE}, unit="s"
        ),
        Panel(
            "Success rate of 15 minutes",
            {
                'sum by (engine) (sitter_items_ended_lately{outcome="done"}) / sum by (engine)'
                ' (sitter_items_ended_lately{outcome=~"done|failed|blocked"})': "{{engine}}"
            },
            unit="percentunit",
        ),
        Panel(
            "Portraits an hour",
            {'4 * sum by (engine) (sitter_items_ended_lately{outcome="done"})': "{{engine}}"},
        ),
        Panel("Held back by a gate", {"sitter_items_blocked_lately": "{{code}}"}),
        Panel("Photos refused in an hour", {"sitter_photos_refused_lately > 0": "{{code}}"}),
    ),
    "Erasure and retention": (
        Panel("Open erasures", {"sitter_erasures_open": "{{stage}}"}),
        Panel("Oldest erasure", {"sitter_erasure_oldest_seconds": ""}, unit="s"),
        Panel("Backlog", {"sitter_backlog": "{{sort}}"}),
        Panel(
            "Periodic tasks, in their periods",
            {"sitter_period_age_seconds / sitter_period_length_seconds": "{{period}}"},
        ),
        Panel("Face claims", {"sitter_face_claims_open": "open"}),
        Panel("Oldest face claim", {"sitter_face_claim_oldest_seconds": ""}, unit="s"),
        Panel("Requests to support", {"sitter_requests_open": "{{kind}}"}),
        Panel(
            "Without a first answer", {"sitter_request_unanswered_seconds": "{{kind}}"}, unit="s"
        ),
        Panel("Until the first is late by law", {"sitter_request_due_seconds": ""}, unit="s"),
    ),
    "Keys and proof": (
        Panel("Age of the root in turn", {"sitter_root_key_age_seconds": ""}, unit="s", span=6),
        Panel("Fleet keys, days ahead", {"sitter_fleet_key_days_ahead": ""}, span=6),
        Panel("Evidence key, days left", {"sitter_evidence_key_days_left": ""}, span=6),
        Panel("Age of the last proof", {"sitter_proof_age_seconds": ""}, unit="s", span=6),
    ),
    "Webhook and machinery": (
        Panel(
            "Events",
            {
                "sitter_webhook_events_waiting": "waiting",
                "sitter_webhook_events_given_up_lately": "given up in a day",
            },
        ),
        Panel("Oldest event", {"sitter_webhook_event_oldest_seconds": ""}, unit="s"),
        Panel(
            "Database connections",
            {
                "sitter_database_connections": "{{login}}",
                "sitter_database_connections_limit": "limit",
            },
        ),
        Panel("What is missing", {"1 - sitter_need_met": "{{need}}"}),
        Panel("Parts of the metrics that fail", {"sitter_metrics_part_failed": "{{part}}"}),
        Panel("A scrape takes", {"sitter_metrics_seconds": ""}, unit="s"),
    ),
}


def render() -> str:
    """The dashboard as Grafana reads it."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    made = {
        "uid": "sitter",
        "title": "Sitter",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source]},
        "panels": _panels(),
    }
    return json.dumps(made, indent=1) + "\n"


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place})
        x, y = 0, y + 1
        height = 4 if all(panel.span == 4 for panel in row) else 8
        for panel in row:
            if x + panel.span > WIDTH:
                x, y = 0, y + height
            place = {"x": x, "y": y, "w": panel.span, "h": height}
            panels.append({"id": len(panels) + 1, **_panel(panel), "gridPos": place})
            x += panel.span
        y += height
    return panels


def _panel(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": ask, "legendFormat": legend}
        for at, (ask, legend) in enumerate(panel.asks.items())
    ]
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_above is not None:
        steps.append({"color": "red", "value": panel.red_above + 1e-9})
    return {
        "type": "stat" if panel.span == 4 else "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
    }


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(render())
