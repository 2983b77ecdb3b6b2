"""A6: from a process without kernels to its first picture, and whether a job ever compiles again.

Each start is a process of its own: `python -m tests.bench.gpu.compiling <folder> <jobs>` prints
what it saw as JSON. The second start finds the first one's folder, as one finds a shipped cache.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch._dynamo import utils as dynamo

from deploy.env import ROOT
from tests.bench.gpu import engines
from tests.bench.gpu.painting import order
from tests.bench.gpu.place import Place, here
from workers.engines import speed

MIXED = 200
TOY = 3


def run(place: Place) -> dict[str, Any]:
    """Cold, from the cache, and so many jobs of mixed sizes and photos behind that."""
    jobs = place.pick(MIXED, TOY)
    with tempfile.TemporaryDirectory(prefix="sitter-kernels-") as folder:
        # A toy leaves no kernels that a second start could find: one is both.
        starts = [_start(folder, count) for count in place.pick((0, MIXED), (TOY,))]
    cold, warm = starts[0], starts[-1]
    found = {
        "cold_s": cold["compile_s"],
        "cached_s": warm["compile_s"],
        "graphs": warm["graphs"],
        "jobs": jobs,
        "recompiles": warm["recompiles"],
    }
    print(found)
    return found


def _start(folder: str, jobs: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.gpu.compiling", folder, str(jobs)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def measure(place: Place, folder: Path, jobs: int) -> dict[str, Any]:
    """In this process. Loading is not in the time: a worker compiles behind it."""
    engines.compiled_into(folder)
    engine = engines.furnished("flux2-klein", place)
    if place.toy:
        # Kernels for a processor would need a compiler; what dynamo sees is the same.
        speed.compile_regions(engine._parts["transformer"], backend="eager")
    sizes = place.pick(engine.describe().sizes, ((512, 512), (512, 640)))
    place.sync()
    began = time.perf_counter()
    steps = place.pick(None, 1)
    engine.render(order(1, sizes[0][0], steps), lambda *_: None)
    place.sync()
    taken = time.perf_counter() - began
    before = _graphs()
    for number in range(jobs):
        width, height = sizes[number % len(sizes)]
        wanted = replace(order(number % 5, 512, steps), width=width, height=height)
        engine.render(wanted, lambda *_: None)
    return {"compile_s": taken, "graphs": before, "recompiles": _graphs() - before}


def _graphs() -> int:
    return int(dynamo.counters["stats"]["unique_graphs"])


def main(arguments: list[str]) -> int:
    """One start."""
    place = here()
    assert place
    torch.set_grad_enabled(False)
    print(json.dumps(measure(place, Path(arguments[0]), int(arguments[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
