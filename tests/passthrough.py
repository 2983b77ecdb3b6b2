"""An engine that paints nothing: it returns the first reference, fitted to the size.

It makes the owner's download a positive control, because what went in comes out. It can be slowed
down from outside by `SITTER_TEST_STEP_SECONDS`, so that a test can strike while it paints.
"""

import os
import time
from pathlib import Path

from PIL import Image, ImageOps

from workers.engines.base import Capabilities, Order, Step, Task, check

STEPS = 10


class PassthroughEngine:
    """Follows the protocol of workers/engines/base.py."""

    def __init__(self, weights: Path) -> None:
        self.pause = float(os.environ.get("SITTER_TEST_STEP_SECONDS", "0"))

    def load(self) -> None:
        """Nothing to load."""

    def describe(self) -> Capabilities:
        """Any style, one size range."""
        return Capabilities(
            name="passthrough",
            tasks=frozenset({Task.IDENTITY}),
            styles=frozenset(),
            sizes=((512, 512), (512, 640), (1024, 1024)),
            max_references=5,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
        )

    def fingerprint(self) -> str:
        """It has no parameters."""
        return "0" * 64

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Ten steps, then the photo."""
        check(order, self.describe())
        for step in range(STEPS):
            time.sleep(self.pause)
            on_step(step + 1, STEPS)
        return ImageOps.fit(order.references[0], (order.width, order.height))

    def unload(self) -> None:
        """Nothing to give back."""
