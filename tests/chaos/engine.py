"""An engine for storms: it takes its time, says what it does, and dies of an order that is poison.

`SITTER_TEST_TRACE` names a file that each step appends a line to: the seed, the step and when it
was. Nobody's picture is in it. `SITTER_TEST_VISIBILITY` is the broker's visibility timeout in its
worker.
"""

import os
import signal
import time
from pathlib import Path
from typing import Final

from PIL import Image

from tests.still import StillEngine
from workers.engines.base import Order, Task

NAME: Final = "tests.chaos.engine:StormEngine"
POISON: Final = "poison"


class StormEngine(StillEngine):
    """With photos or without; the picture is a gradient."""

    tasks = frozenset({Task.TEXT, Task.IDENTITY})
    sizes = ((512, 512),)

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        trace = os.environ.get("SITTER_TEST_TRACE")
        self.trace = Path(trace) if trace else None

    def load(self) -> None:
        """Nothing to load; a broker that delivers again too early is asked for here."""
        if seconds := os.environ.get("SITTER_TEST_VISIBILITY"):
            # Read when the worker dials the broker, which it does behind its start. Imported here:
            # the tests read this module before the settings can be read.
            from workers.app import app

            app.conf.broker_transport_options["visibility_timeout"] = int(seconds)

    def begin(self, order: Order, step: int) -> None:
        """Leave the line, or die."""
        if self.trace:
            with self.trace.open("a") as file:
                file.write(f"{order.seed} {step} {time.time():.4f}\n")
        if order.prompt == POISON and step == 0:
            # What the kernel does to a process that takes all memory, and as early as can be.
            os.kill(os.getpid(), signal.SIGKILL)

    def paint(self, order: Order) -> Image.Image:
        """The same for everybody."""
        return Image.linear_gradient("L").resize((order.width, order.height)).convert("RGB")


def steps_of(trace: Path) -> list[tuple[int, int, float]]:
    """(seed, step, when) of every step that was begun."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    parts = [line.split() for line in lines]
    return [(int(seed), int(step), float(at)) for seed, step, at in parts]
