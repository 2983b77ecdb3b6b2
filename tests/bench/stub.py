"""An engine that only takes its time, as a GPU does while the processor is free."""

import os
import time
from pathlib import Path

from PIL import Image

from workers.engines.base import Capabilities, Order, Step, Task, check

STEPS = 10


class StubEngine:
    """Follows the protocol of workers/engines/base.py; `SITTER_TEST_RENDER_SECONDS` a picture."""

    def __init__(self, weights: Path) -> None:
        self.pause = float(os.environ.get("SITTER_TEST_RENDER_SECONDS", "0.2")) / STEPS

    def load(self) -> None:
        """Nothing to load."""

    def describe(self) -> Capabilities:
        """Any style, without a photo."""
        return Capabilities(
            name="stub",
            tasks=frozenset({Task.TEXT}),
            styles=frozenset(),
            sizes=((512, 512), (1024, 1024)),
            max_references=0,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
        )

    def fingerprint(self) -> str:
        """It has no parameters."""
        return "0" * 64

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Sleep through the steps; the picture is noise of its seed, so that it encodes as one."""
        check(order, self.describe())
        for step in range(STEPS):
            time.sleep(self.pause)
            on_step(step + 1, STEPS)
        return Image.effect_noise((order.width, order.height), 64).convert("RGB")

    def unload(self) -> None:
        """Nothing to give back."""
