"""Engines for real worker processes: slow, stuck or unfit, as the environment says."""

import os
import time
from pathlib import Path

from PIL import Image

from tests.workers.painting import Model, picture
from workers.engines import base


class SlowEngine(Model):
    """Each of `SITTER_TEST_STEPS` steps takes `SITTER_TEST_STEP_SECONDS`; its fitness run none."""

    def __init__(self, weights: Path) -> None:
        super().__init__(steps=int(os.environ.get("SITTER_TEST_STEPS", "5")))
        self.slow = float(os.environ.get("SITTER_TEST_STEP_SECONDS", "0.1"))

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        # Only the picture of nobody, at the start, has its number of steps named.
        self.pause = 0.0 if order.steps else self.slow
        return super().render(order, on_step)


class StuckEngine(SlowEngine):
    """It never comes back from its first step."""

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        if order.steps:
            return picture(order.width, order.height)
        time.sleep(600)
        raise AssertionError


class FlatEngine(SlowEngine):
    """It paints black."""

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        return Image.new("RGB", (order.width, order.height))
