"""Engines that only take their time, as a GPU does while the processor is free."""

import os
import time
from pathlib import Path

from PIL import Image, ImageOps

from deploy.env import ROOT
from tests.still import StillEngine
from workers.engines.base import Order, Step, Task


class StubEngine(StillEngine):
    """Without a photo; the picture is noise, so that it encodes as one."""

    tasks = frozenset({Task.TEXT})
    max_references = 0

    def paint(self, order: Order) -> Image.Image:
        """Noise."""
        return Image.effect_noise((order.width, order.height), 64).convert("RGB")


class Logged(StillEngine):
    """Each render leaves a line in the file that `SITTER_TEST_RENDER_LOG` names.

    It says when it began and when it ended, on the clock that all processes of a machine share, and
    in which process.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        self.log = Path(os.environ["SITTER_TEST_RENDER_LOG"])

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Take the time and say when that was."""
        began = time.monotonic()
        picture = super().render(order, on_step)
        # The picture of nobody, which a worker's start paints, is no work.
        if order.steps is None:
            with self.log.open("a") as file:
                file.write(f"{began} {time.monotonic()} {os.getpid()}\n")
        return picture


class FaceEngine(Logged):
    """With photos to open first, and a photo as its picture, made beforehand."""

    def load(self) -> None:
        """Nothing but its only picture, in each size."""
        self.made = pictures(self.sizes)

    def paint(self, order: Order) -> Image.Image:
        """The same for everybody."""
        return self.made[order.width, order.height]


class SnapshotEngine(FaceEngine):
    """The same without a photo to open."""

    tasks = frozenset({Task.TEXT})
    max_references = 0


def pictures(sizes: tuple[tuple[int, int], ...]) -> dict[tuple[int, int], Image.Image]:
    """The demo's photo, fitted; it encodes as portraits do."""
    with Image.open(ROOT / "deploy" / "demo" / "photo.jpg") as photo:
        whole = photo.convert("RGB")
    return {size: ImageOps.fit(whole, size) for size in sizes}
