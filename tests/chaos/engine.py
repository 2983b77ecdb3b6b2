"""An engine for storms: it takes its time, says what it does, and dies of an order that is poison.

`SITTER_TEST_PACE` names a file that is read when a picture is begun: how many seconds a step takes,
and into which file each step writes a line: the seed, the step, when it was and in which process.
So one worker serves one storm after the other. Nobody's picture is in it. `SITTER_TEST_VISIBILITY`
is the broker's visibility timeout in its worker, `SITTER_TEST_LEASE` how many seconds its leases
hold.
"""

import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from PIL import Image

from tests.still import StillEngine
from workers.engines.base import Order, Task

NAME: Final = "tests.chaos.engine:StormEngine"
POISON: Final = "poison"
SIDE: Final = 256


class StormEngine(StillEngine):
    """With photos or without; the picture is a gradient."""

    tasks = frozenset({Task.TEXT, Task.IDENTITY})
    # Small, because encoding and signing it is not what a storm is about.
    sizes = ((SIDE, SIDE),)

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        self.file = Path(os.environ.get("SITTER_TEST_PACE", os.devnull))
        self.trace: Path | None = None

    def load(self) -> None:
        """Nothing to load; a broker that delivers again too early is asked for here.

        Leases that hold for less make who waits for a dead painter wait for less.
        """
        if seconds := os.environ.get("SITTER_TEST_VISIBILITY"):
            # Read when the worker dials the broker, which it does behind its start. Imported here:
            # the tests read this module before the settings can be read.
            from workers.app import app

            app.conf.broker_transport_options["visibility_timeout"] = int(seconds)
        if seconds := os.environ.get("SITTER_TEST_LEASE"):
            from privacy import leases

            held = timedelta(seconds=float(seconds))
            leases.HELD_FOR, leases.RENEW_EVERY = held, held / 4  # type: ignore[misc]

    def begin(self, order: Order, step: int) -> None:
        """Leave the line, or die."""
        if step == 0:
            self._look()
        if self.trace:
            with self.trace.open("a") as file:
                file.write(f"{order.seed} {step} {time.time():.4f} {os.getpid()}\n")
        if order.prompt == POISON and step == 0:
            # What the kernel does to a process that takes all memory, and as early as can be.
            os.kill(os.getpid(), signal.SIGKILL)

    def paint(self, order: Order) -> Image.Image:
        """The same for everybody."""
        return Image.linear_gradient("L").resize((order.width, order.height)).convert("RGB")

    def _look(self) -> None:
        """A picture that was begun keeps the pace that it was begun with."""
        if text := self.file.read_text():
            told = json.loads(text)
            self.pause = float(told["step"])
            self.trace = Path(told["trace"]) if told["trace"] else None


def tell(file: Path, step: float, trace: Path | None) -> None:
    """Whatever is begun from now on takes so many seconds a step, and leaves its line there."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({"step": step, "trace": str(trace or "")}))
    draft.replace(file)


def steps_of(trace: Path) -> list[tuple[int, int, float]]:
    """(seed, step, when) of every step that was begun."""
    return [(int(seed), int(step), float(at)) for seed, step, at, _ in _lines(trace)]


def processes_of(trace: Path) -> dict[int, int]:
    """In which process each seed was begun last."""
    return {int(seed): int(pid) for seed, step, _, pid in _lines(trace) if step == "0"}


def _lines(trace: Path) -> list[list[str]]:
    text = trace.read_text() if trace.exists() else ""
    # The last line may still be written.
    return [line.split() for line in text.split("\n")[:-1]]
