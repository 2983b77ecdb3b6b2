"""What the engines of the tests have in common: nothing to load, ten steps, time that they take."""

import os
import time
from pathlib import Path
from typing import ClassVar, Final

from PIL import Image

from workers.engines.base import Capabilities, Order, Step, Task, check

STEPS: Final = 10


class StillEngine:
    """Follows the protocol of workers/engines/base.py; `SITTER_TEST_STEP_SECONDS` a step."""

    tasks: ClassVar[frozenset[Task]] = frozenset({Task.IDENTITY})
    sizes: ClassVar[tuple[tuple[int, int], ...]] = ((512, 512), (1024, 1024))
    enlarged: ClassVar[tuple[tuple[int, int], ...]] = ()
    max_references: ClassVar[int] = 5

    def __init__(self, weights: Path) -> None:
        self.pause = float(os.environ.get("SITTER_TEST_STEP_SECONDS", "0"))

    def load(self) -> None:
        """Nothing to load."""

    def describe(self) -> Capabilities:
        """Any style."""
        return Capabilities(
            name=type(self).__name__.removesuffix("Engine").lower(),
            tasks=self.tasks,
            styles=frozenset(),
            sizes=self.sizes,
            max_references=self.max_references,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
            enlarged=self.enlarged,
        )

    def fingerprint(self) -> str:
        """It has no parameters."""
        return "0" * 64

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Ten steps unless fewer are asked for, then the picture."""
        check(order, self.describe())
        steps = order.steps or STEPS
        for step in range(steps):
            self.begin(order, step)
            time.sleep(self.pause)
            on_step(step + 1, steps)
        return self.paint(order)

    def begin(self, order: Order, step: int) -> None:
        """Called before each step."""

    def paint(self, order: Order) -> Image.Image:
        """What comes out."""
        raise NotImplementedError

    def unload(self) -> None:
        """Nothing to give back."""
