"""An engine for storms: it takes its time, says what it does, and dies of an order that is poison.

`SITTER_TEST_STEP_SECONDS` a step, ten steps; `SITTER_TEST_TRACE` names a file that each step
appends a line to: the seed, the step and when it was. Nobody's picture is in it.
`SITTER_TEST_VISIBILITY` is the broker's visibility timeout in its worker.
"""

import os
import signal
import time
from pathlib import Path
from typing import Final

from PIL import Image

from workers.engines.base import Capabilities, Order, Step, Task, check

NAME: Final = "tests.chaos.engine:StormEngine"
STEPS: Final = 10
POISON: Final = "poison"


class StormEngine:
    """Follows the protocol of workers/engines/base.py."""

    def __init__(self, weights: Path) -> None:
        self.pause = float(os.environ.get("SITTER_TEST_STEP_SECONDS", "0.03"))
        trace = os.environ.get("SITTER_TEST_TRACE")
        self.trace = Path(trace) if trace else None

    def load(self) -> None:
        """Nothing to load; a broker that delivers again too early is asked for here."""
        if seconds := os.environ.get("SITTER_TEST_VISIBILITY"):
            # Read when the worker dials the broker, which it does behind its start. Imported here:
            # the tests read this module before the settings can be read.
            from workers.app import app

            app.conf.broker_transport_options["visibility_timeout"] = int(seconds)

    def describe(self) -> Capabilities:
        """Any style, with photos or without."""
        return Capabilities(
            name="storm",
            tasks=frozenset({Task.TEXT, Task.IDENTITY}),
            styles=frozenset(),
            sizes=((512, 512),),
            max_references=5,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
        )

    def fingerprint(self) -> str:
        """It has no parameters."""
        return "0" * 64

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Ten steps unless fewer are asked for, then a gradient."""
        check(order, self.describe())
        for step in range(order.steps or STEPS):
            self._say(order.seed, step)
            time.sleep(self.pause)
            if order.prompt == POISON and step == STEPS // 2:
                # What the kernel does to a process that takes all memory.
                os.kill(os.getpid(), signal.SIGKILL)
            on_step(step + 1, STEPS)
        return Image.linear_gradient("L").resize((order.width, order.height)).convert("RGB")

    def unload(self) -> None:
        """Nothing to give back."""

    def _say(self, seed: int, step: int) -> None:
        if self.trace:
            with self.trace.open("a") as file:
                file.write(f"{seed} {step} {time.time():.4f}\n")


def steps_of(trace: Path) -> list[tuple[int, int, float]]:
    """(seed, step, when) of every step that was begun."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    parts = [line.split() for line in lines]
    return [(int(seed), int(step), float(at)) for seed, step, at in parts]
