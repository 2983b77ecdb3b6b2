"""How long the embedded stack takes to be ready, and what it weighs."""

import tempfile
import time
from pathlib import Path

import psutil

from deploy.env import Role
from deploy.stack import roles
from deploy.stack.supervisor import Stack
from tests.bench import report

GOAL_SECONDS = 15
GOAL_BYTES = 1.5e9


def run() -> None:
    """First start and second start on the same data, then the memory of everything but the gpu."""
    raw: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        for start in ("first", "second"):
            stack = Stack(Path(folder), roles=roles.ALL, preferred_ports=False)
            began = time.monotonic()
            try:
                stack.start()
                stack.wait_ready()
                raw[f"{start}_start_seconds"] = round(time.monotonic() - began, 1)
                # Memory settles once Flower and beat have done their first round.
                time.sleep(5)
                raw["bytes"] = _weigh(stack.pid(Role.GPU))
            finally:
                stack.stop()
    print(raw)
    report.keep("stack", raw)
    for start in ("first", "second"):
        taken = raw[f"{start}_start_seconds"]
        print(f"{start} start: {taken} s")
    slowest = raw["first_start_seconds"]
    assert isinstance(slowest, float)
    report.figure(
        "stack-ready",
        value=slowest,
        unit="s",
        n=1,
        holds=slowest <= GOAL_SECONDS,
        how=f"first start, every role; the second took {raw['second_start_seconds']} s",
    )
    weight = raw["bytes"]
    assert isinstance(weight, dict)
    total = sum(size for name, size in weight.items() if name != "gpu")
    report.figure(
        "stack-memory",
        value=round(total / 1e9, 2),
        unit="GB",
        n=1,
        holds=total <= GOAL_BYTES,
        how="proportional set size of every process but the gpu worker",
    )


def _weigh(gpu: int) -> dict[str, int]:
    """Bytes by process, shared pages divided among those that share them."""
    weights: dict[str, int] = {}
    painter = {gpu, *(child.pid for child in psutil.Process(gpu).children(recursive=True))}
    for process in psutil.Process().children(recursive=True):
        try:
            size = process.memory_full_info().pss
            name = "gpu" if process.pid in painter else f"{process.name()} {process.pid}"
        except psutil.NoSuchProcess:
            continue
        weights[name] = weights.get(name, 0) + size
    return weights
