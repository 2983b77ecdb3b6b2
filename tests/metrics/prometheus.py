"""A real Prometheus with the committed rules, that scrapes a running web every two seconds."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import yaml

from deploy.env import ROOT
from deploy.stack.ports import free

TOKEN = "a-token-of-the-tests"
# Debian's package brings both; where a run must have them, this is set (.ci/run).
MISSING = shutil.which("prometheus") is None and "SITTER_TEST_PROMETHEUS" not in os.environ
INTERVAL = "2s"


def shortened(rules: str, factor: int) -> str:
    """The rules with a shorter `for:` each; what they ask stays as it is."""

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found[1]) * {"s": 1, "m": 60}[found[2]]
        return f"for: {max(1, seconds // factor)}s"

    return re.sub(r"for: (\d+)([sm])", shorter, rules)


@dataclass
class Prometheus:
    """One that runs; `seen` keeps when an alert was first seen to fire."""

    port: int
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def ask(self, path: str) -> Any:
        """The data of one answer."""
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    def firing(self) -> set[tuple[str, str]]:
        """(alert, what it is about) of all that fire now."""
        found = {
            (alert["labels"]["alertname"], about(alert["labels"]))
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }
        for one in found:
            self.seen.setdefault(one, time.monotonic())
        return found


def about(labels: dict[str, str]) -> str:
    """The one label that tells one alert of a name from another."""
    for name in ("need", "engine", "kind", "sort", "check", "period", "lane", "part"):
        if name in labels:
            return labels[name]
    return ""


@contextmanager
def watching(web: str, folder: Path, *, factor: int = 1) -> Iterator[Prometheus]:
    """Scrape this web with the rules, whose pauses are divided by `factor`."""
    port = next(port for port in range(19_090, 19_190) if free(port))
    rules = (ROOT / "deploy" / "grafana" / "alerts.yaml").read_text()
    (folder / "alerts.yaml").write_text(shortened(rules, factor))
    config = yaml.safe_load((ROOT / "deploy" / "grafana" / "prometheus.yaml").read_text())
    config["global"] = dict.fromkeys(
        ("scrape_interval", "scrape_timeout", "evaluation_interval"), INTERVAL
    )
    config["scrape_configs"][0]["static_configs"] = [{"targets": [urlsplit(web).netloc]}]
    (folder / "metrics-token").write_text(TOKEN)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [
            *("prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
        ],
        cwd=folder,
    )
    try:
        yield _ready(Prometheus(port))
    finally:
        process.terminate()
        process.wait(30)


def _ready(found: Prometheus) -> Prometheus:
    deadline = time.monotonic() + 30
    while True:
        try:
            if any(target["health"] == "up" for target in found.ask("targets")["activeTargets"]):
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline, "Prometheus does not reach the web"
        time.sleep(0.2)


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """These processes and all that they have started stand still."""
    everyone = [one for pid in pids for one in _family(pid)]
    for one in everyone:
        one.send_signal(SIGSTOP)
    try:
        yield
    finally:
        for one in everyone:
            one.send_signal(SIGCONT)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
