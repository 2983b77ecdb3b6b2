"""Whether the capacity plan's simulation tells what the live stack does; its costs a portrait."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.env import ROOT
from tests.bench import report

GOAL = 0.15


def run() -> None:
    """As whoever plans would: the command, and what it kept."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        command = [sys.executable, "-m", "deploy.capacity", "--calibrate", "--out", folder]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        kept = json.loads((Path(folder) / "calibration.json").read_text())
    print(done.stdout)
    for name, value in kept["costs"].items():
        print(f"{name}: {value:.4g} a portrait")
    report.keep("capacity", {"calibration": kept, "points": _points(kept)})
    off = kept["error"]
    report.figure(
        "capacity",
        value=", ".join(f"{100 * off[name]:+.1f}" for name in ("throughput", "p50", "p95")),
        unit="%",
        n=len(kept["items"]),
        holds=max(map(abs, off.values())) <= GOAL,
        how=(
            f"{kept['workers']} gpu workers whose engine sleeps, orders for two minutes with a rush"
            f" and packs, given to both; measured {_told(kept['measured'])}, simulated"
            f" {_told(kept['simulated'])}; each picture is given the time that it took"
        ),
    )


def _told(one: dict[str, float]) -> str:
    return f"{one['throughput']:.2f}/s, p50 {one['p50']:.2f} s, p95 {one['p95']:.2f} s"


def _points(kept: dict[str, Any]) -> dict[str, Any]:
    waits = kept["waits"]
    return {
        "title": "Waiting for a worker: lived and simulated, the same orders",
        "x": "percentile, from the 5th to the 95th",
        "y": "seconds",
        "values": {"live": waits["measured"], "sitter, simulated": waits["simulated"]},
    }
