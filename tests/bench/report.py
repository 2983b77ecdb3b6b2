"""Where the numbers of a benchmark go: raw into var/bench, figures into var/figures/bench.json."""

import json
import os
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version
from time import perf_counter
from typing import Any

from deploy import figures
from deploy.env import ROOT

PACKAGES = ("cryptography", "torch", "diffusers", "celery", "django")


def conditions() -> str:
    """The machine, its load and the versions: what a reader needs to judge the numbers."""
    load = os.getloadavg()[0]
    clean = "idle" if load < 0.3 else "NOT idle"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{platform.platform()}, {os.cpu_count()} cores, load {load:.2f} ({clean}); {versions}"


def seconds(call: Callable[[], Any], rounds: int) -> list[float]:
    """How long each of so many calls took, after one that does not count."""
    call()
    taken = []
    for _ in range(rounds):
        started = perf_counter()
        call()
        taken.append(perf_counter() - started)
    return taken


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def keep(suite: str, raw: dict[str, Any]) -> None:
    """Store the raw numbers of a suite with their conditions."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    body = {"conditions": conditions(), **raw}
    (folder / f"{suite}.json").write_text(json.dumps(body, indent=1) + "\n")


def figure(name: str, *, value: Any, unit: str, n: int, holds: bool, how: str) -> None:
    """One row of var/figures/bench.json."""
    figures.record("bench", name, value=value, unit=unit, n=n, holds=holds, conditions=how)
    print(f"{name}: {value} {unit} (n={n}): {'holds' if holds else 'DOES NOT HOLD'}")
