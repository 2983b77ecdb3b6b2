"""Each alert asks for metrics that exist, fires at its fault and at no other, and has its page."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.env import ROOT
from deploy.metrics import dashboard
from tests.metrics import scrape
from tests.metrics.faults import FAULTS, HEALTHY

GRAFANA = ROOT / "deploy" / "grafana"
ALERTS = GRAFANA / "alerts.yaml"
RUNBOOKS = ROOT / "deploy" / "docs" / "runbooks"
RULES: dict[str, Any] = {
    rule["alert"]: rule
    for group in yaml.safe_load(ALERTS.read_text())["groups"]
    for rule in group["rules"]
}
# Debian's package brings it (apt-get install --no-install-recommends prometheus).
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and "SITTER_TEST_PROMETHEUS" not in os.environ,
    reason="promtool is not installed",
)


def seconds(told: str) -> int:
    number, unit = int(told[:-1]), told[-1]
    return int(timedelta(**{{"s": "seconds", "m": "minutes"}[unit]: number}).total_seconds())


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, cwd=GRAFANA
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("something_of_everything")
def test_rules_and_panels_ask_for_metrics_that_exist() -> None:
    told = scrape.here()
    asked = {name: set(scrape.NAME.findall(rule["expr"])) for name, rule in RULES.items()}
    for row in dashboard.ROWS.values():
        asked |= {panel.title: set(scrape.NAME.findall(" ".join(panel.asks))) for panel in row}
    assert {name: names - told.names for name, names in asked.items() if names - told.names} == {}
    # And whatever is told is shown or watched.
    assert told.names - set().union(*asked.values()) == {"sitter_ready"}


@pytest.mark.usefixtures("something_of_everything")
def test_the_labels_that_rules_name_are_those_of_the_metrics() -> None:
    told = scrape.here()
    for name, rule in RULES.items():
        for metric, selector in re.findall(r"sitter_(\w+)\{([^}]*)\}", rule["expr"]):
            named = set(re.findall(r"(\w+)\s*[=!]~?", selector))
            assert named <= set().union(*map(set, told.labels(metric))), name


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    pages = {rule["annotations"]["runbook_url"] for rule in RULES.values()}
    written = {str(page.relative_to(ROOT)) for page in RUNBOOKS.glob("*.md")}
    assert pages == written - {"deploy/docs/runbooks/README.md"}
    for name, rule in RULES.items():
        text = (ROOT / rule["annotations"]["runbook_url"]).read_text()
        assert text.startswith(f"# {name}\n")
        for heading in ("What it means", "Look first", "Mend", "Mended when"):
            assert f"\n**{heading}.** " in text, f"{name}: {heading}"
        assert len(text.splitlines()) <= 40, name


def test_each_alert_says_how_bad_it_is_in_a_sentence() -> None:
    for rule in RULES.values():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_commands_of_the_pages_exist() -> None:
    known = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    known |= {"check", "migrate", "createsuperuser", "dbshell", "shell"}
    named = {
        command
        for page in RUNBOOKS.glob("*.md")
        for command in re.findall(r"manage\.py (\w+)", page.read_text())
    }
    assert named
    assert named <= known


def test_the_committed_dashboard_is_what_the_table_says() -> None:
    assert dashboard.render() == dashboard.FILE.read_text(), "python -m deploy.metrics.dashboard"
    assert len(json.loads(dashboard.FILE.read_text())["panels"]) > 30


def test_every_alert_has_a_fault_to_be_tried_with() -> None:
    assert set(FAULTS) == set(RULES)


@needs_promtool
def test_prometheus_takes_the_rules_and_the_settings() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "alerts.yaml")
    promtool("check", "config", "--syntax-only", "prometheus.yaml")


@needs_promtool
def test_each_alert_fires_at_its_own_fault_and_nothing_fires_without(tmp_path: Path) -> None:
    tests = [case({}, [], "10m")]
    for name, changed in FAULTS.items():
        # Two scrapes and two evaluations of 15 s, at the worst, lie before the alert's own pause.
        pause = seconds(RULES[name]["for"])
        tests.append(case(changed, [name], f"{pause + 30}s"))
    file = tmp_path / "tests.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "15s", "tests": tests})
    )
    assert "SUCCESS" in promtool("test", "rules", str(file))


def test_what_people_feel_is_told_within_two_minutes() -> None:
    """What waits longer before it says so is nothing that anybody feels within the hour."""
    slow = {name for name, rule in RULES.items() if seconds(rule["for"]) > 60}
    assert slow == {
        *("SitterPhotosRefused", "SitterProofOld", "SitterFleetKeyEnds", "SitterEvidenceKeyEnds")
    }


def case(changed: dict[str, float | None], fire: list[str], at: str) -> dict[str, Any]:
    world = {name: value for name, value in {**HEALTHY, **changed}.items() if value is not None}
    return {
        "interval": "15s",
        "input_series": [
            {"series": name, "values": f"{value}+0x60"} for name, value in world.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fire],
            }
        ],
    }
