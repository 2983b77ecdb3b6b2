"""An engine that only takes its time, as a GPU does while the processor is free."""

import os
import time
from pathlib import Path

from PIL import Image, ImageOps

from deploy.env import ROOT
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


class FaceEngine(StubEngine):
    """The same with a photo to open first, and a photo as its picture, made beforehand.

    Each render leaves a line in the file that `SITTER_TEST_RENDER_LOG` names: when it began and
    when it ended, on the clock that all processes of a machine share.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        self.log = Path(os.environ["SITTER_TEST_RENDER_LOG"])

    def load(self) -> None:
        """Nothing but its only picture, in each size."""
        self.made = pictures(self.describe().sizes)

    def describe(self) -> Capabilities:
        """Any style, from photos."""
        return Capabilities(
            name="stub",
            tasks=frozenset({Task.IDENTITY}),
            styles=frozenset(),
            sizes=((512, 512), (1024, 1024)),
            max_references=5,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
        )

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Sleep through the steps and say when that was."""
        check(order, self.describe())
        began = time.monotonic()
        for step in range(STEPS):
            time.sleep(self.pause)
            on_step(step + 1, STEPS)
        # The picture of nobody, which a worker's start paints, is no work.
        if order.steps is None:
            with self.log.open("a") as file:
                file.write(f"{began} {time.monotonic()}\n")
        return self.made[order.width, order.height]


def pictures(sizes: tuple[tuple[int, int], ...]) -> dict[tuple[int, int], Image.Image]:
    """The demo's photo, fitted; it encodes as portraits do."""
    with Image.open(ROOT / "deploy" / "demo" / "photo.jpg") as photo:
        whole = photo.convert("RGB")
    return {size: ImageOps.fit(whole, size) for size in sizes}
