"""What things cost, and where each number comes from: measured files of deploy/docs, or assumed.

Nothing is assumed in silence: every number carries its source, which is printed with each answer.
"""

import json
import math
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.env import ROOT
from portraits import costs, scheduling
from portraits.recipes import Recipe

MEASURED: Final = ROOT / "deploy" / "docs" / "measured"
ASSUMED: Final = "assumed"


@dataclass(frozen=True)
class Figure:
    """A number that the answers are made from."""

    value: float
    unit: str
    source: str

    @property
    def assumed(self) -> bool:
        """Whether nobody has measured it."""
        return self.source.startswith(ASSUMED)


Figures = Mapping[str, Figure]


def read(folder: Path = MEASURED) -> dict[str, Figure]:
    """Everything but what a portrait takes, by name."""
    live = _file(folder, "capacity").get("calibration", {})
    return {**_around(folder), **_web(folder), **_chance(folder), **_lived(live)}


def paint(
    folder: Path, engine: str, size: tuple[int, int], photos: int, tflops: float | None
) -> tuple[float, Figure]:
    """(cost in TFLOP, seconds) of one portrait on one GPU worker. KeyError: no such size."""
    recipe = Recipe("plan", *size, references=photos)
    cost = costs.cost(engine, recipe, photos)
    if engine == "pocket" and not tflops:
        return cost, _pocket(folder, size)
    if tflops:
        return cost, Figure(cost / tflops, "s", f"assumed: {tflops:g} TFLOP/s, as was asked")
    row = _painted(folder, engine)
    if row:
        said = f"{cost:.0f} TFLOP (costs.json) at {row:.0f} TFLOP/s (gpu.json)"
        return cost, Figure(cost / row, "s", said)
    said = (
        f"assumed: {cost:.0f} TFLOP (counted, costs.json) at {TFLOPS:g} TFLOP/s, two fifths of what"
        " an H100 has on paper; no card was at hand"
    )
    return cost, Figure(cost / TFLOPS, "s", said)


# Two fifths of 989 dense in bf16; published figures of compiled transformers reach 41 to 53 %.
TFLOPS: Final = 400.0


def _painted(folder: Path, engine: str) -> float | None:
    """TFLOP/s of this engine as `make bench SUITE=gpu` found it, most photos first."""
    rows = _file(folder, "gpu").get("painting", {})
    found = [row["tflops"] for name, row in rows.items() if re.fullmatch(rf"{engine} \d", name)]
    return found[-1] if found else None


def _pocket(folder: Path, size: tuple[int, int]) -> Figure:
    rows = _file(folder, "pocket")["seconds"]
    named = "{}x{}".format(*size)
    found = [statistics.median(taken) for row, taken in rows.items() if row.endswith(f" {named}")]
    if not found:
        raise KeyError(f"pocket was not measured at {named}")
    return Figure(statistics.fmean(found), "s", f"pocket.json: {named}, on two processor cores")


def _around(folder: Path) -> dict[str, Figure]:
    """What a worker does beside painting."""
    worker, queue = _file(folder, "worker"), _file(folder, "queue")
    rounds = queue["rounds"]["celery threads"]
    nudge = statistics.median(row["p50_ms"] for row in rounds) / 1000
    begins = statistics.median(worker["start_s"]["sitter"])
    store = statistics.median(row["cpu_ms"] for row in worker["busy"]["sitter 200 ms jpeg"]) / 1000
    swap = scheduling.SWAP_SECONDS
    return {
        "nudge": Figure(nudge, "s", "queue.json: Celery's threads, from sending to running"),
        "fetch": Figure(
            max(0.0, begins - nudge), "s", "worker.json: from an order to its first step, less that"
        ),
        "store": Figure(store, "s", "worker.json: processor time a picture, JPEG, 1024 x 1024"),
        "swap": Figure(swap, "s", "assumed: what portraits/scheduling.py begins with"),
        "start": Figure(180.0, "s", "assumed: a machine, its weights, a test picture"),
        "deaths": Figure(7 * 86400.0, "s", "assumed: a worker dies once a week"),
    }


def _web(folder: Path) -> dict[str, Figure]:
    """Processor seconds of a request; where only its duration was measured, that is more."""
    api, delivery = _file(folder, "api")["numbers"], _file(folder, "delivery")["numbers"]

    def cpu(name: str) -> float:
        microseconds: list[float] = api[name]["ours"]
        return statistics.median(microseconds) / 1e6

    sealed = statistics.median(delivery["upload sealed, s"])
    return {
        "poll": Figure(cpu("poll 200"), "s", "api.json: processor time of a poll"),
        "order": Figure(cpu("submit"), "s", "api.json: processor time of an order"),
        "upload": Figure(sealed, "s", "delivery.json: a photo of 3 MB until it is sealed"),
        "download": Figure(
            statistics.median(delivery["first byte large sealed, s"]),
            "s",
            "delivery.json: a portrait's first byte",
        ),
        "judge": Figure(
            statistics.median(delivery["upload judged, s"]) - sealed,
            "s",
            "delivery.json: a photo looked at by the intake",
        ),
    }


def _chance(folder: Path) -> dict[str, Figure]:
    rows = _file(folder, "pocket").get("seconds", {})
    sigmas = [statistics.stdev(map(math.log, taken)) for taken in rows.values()]
    spread = Figure(statistics.median(sigmas), "", "pocket.json: within a style and size")
    held = Figure(0.02, "", "assumed")
    for row in _rows(folder):
        if row["id"] == "face-found" and (told := re.match(r"(\d+) of (\d+)", row["value"])):
            found, shown = map(int, told.groups())
            held = Figure(1 - found / shown, "", f"figure face-found: {found} of {shown}")
    return {
        "spread": spread,
        "held back": held,
        "failing": Figure(0.01, "", "assumed: one attempt in a hundred fails"),
    }


# What the calibration has measured of the live stack: name → unit. Its portraits are painted
# without a photo and beside all the roles, so what a worker takes is not among it.
LIVED: Final = {
    "database processor": "s a portrait",
    "broker processor": "s a portrait",
    "transactions": "a portrait",
    "log": "bytes a portrait",
    "commands": "a portrait",
    "audit rows": "a portrait",
    "blob rows": "a portrait",
    "bytes": "a portrait",
}


def _lived(live: Mapping[str, Any]) -> dict[str, Figure]:
    costs_of = live.get("costs", {})
    return {
        name: Figure(costs_of[name], unit, "capacity.json: measured on the embedded stack")
        for name, unit in LIVED.items()
        if name in costs_of
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    file = folder / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def _rows(folder: Path) -> list[dict[str, Any]]:
    file = folder / "figures.json"
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found
