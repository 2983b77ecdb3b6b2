"""Where the numbers of a benchmark go: raw into var/bench, figures into var/figures/bench.json."""

import contextlib
import io
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from time import perf_counter
from typing import Any

from deploy import figures
from deploy.env import ROOT

FOLDER = ROOT / "var" / "bench"
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


class _Both(io.StringIO):
    """Prints, and keeps what it printed."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        return super().write(text)


@contextlib.contextmanager
def said(suite: str) -> Iterator[None]:
    """Keep what a suite prints beside its raw numbers."""
    kept = _Both()
    with contextlib.redirect_stdout(kept):
        yield
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{suite}.txt").write_text(kept.getvalue())


def bars(title: str, unit: str, values: dict[str, float]) -> dict[str, Any]:
    """What `make publish` draws of a suite; a name that begins with "sitter" is ours."""
    return {"title": title, "unit": unit, "values": values}


def keep(suite: str, raw: dict[str, Any]) -> None:
    """Store the raw numbers of a suite with their conditions; `bars` among them are drawn."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    body = {"conditions": conditions(), **raw}
    (FOLDER / f"{suite}.json").write_text(json.dumps(body, indent=1) + "\n")


def not_run(names: Iterable[str], why: str) -> None:
    """Figures that this machine cannot measure; what was measured elsewhere stays as it is."""
    print(f"{why}: not run")
    known = {row["id"] for row in figures.best() if row["value"] is not None}
    for name in names:
        if name not in known:
            figures.record(
                "bench", name, value=None, unit="", n=0, holds=None, conditions=f"{why}: not run"
            )


def figure(name: str, *, value: Any, unit: str, n: int, holds: bool, how: str) -> None:
    """One row of var/figures/bench.json."""
    figures.record("bench", name, value=value, unit=unit, n=n, holds=holds, conditions=how)
    print(f"{name}: {value} {unit} (n={n}): {'holds' if holds else 'DOES NOT HOLD'}")
