"""The tiny pipeline as an engine of ours."""

import gc
import hashlib
from pathlib import Path
from typing import Any

from PIL import Image

from tests.bench.peers import tiny
from workers.engines import frozen
from workers.engines.base import Capabilities, Order, Step, Task, check

LOAD_FROM = "SITTER_TEST_TINY"


class TinyEngine:
    """Follows the protocol of workers/engines/base.py."""

    def __init__(self, weights: Path) -> None:
        import os

        self.folder = Path(os.environ[LOAD_FROM])
        self.pipeline: Any = None

    def load(self) -> None:
        """Read the weights that every contender reads."""
        self.pipeline = tiny.load(self.folder)

    def describe(self) -> Capabilities:
        """Pictures of nobody in one size."""
        return Capabilities(
            name="tiny",
            tasks=frozenset({Task.TEXT}),
            styles=frozenset(),
            sizes=((tiny.SIZE, tiny.SIZE),),
            max_references=0,
            licence="Apache-2.0",
            weights_sha256=hashlib.sha256(b"random").hexdigest(),
        )

    def fingerprint(self) -> str:
        """Of its parameters, as for every engine."""
        self.pipeline.unet.requires_grad_(False).eval()
        return frozen.fingerprint(self.pipeline.unet)

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """What `tiny.paint` paints, told of by step."""
        check(order, self.describe())
        import torch

        torch.set_grad_enabled(False)
        picture: Image.Image = tiny.paint(self.pipeline, order.seed)
        on_step(tiny.STEPS, tiny.STEPS)
        return picture

    def unload(self) -> None:
        """Give the memory back."""
        self.pipeline = None
        gc.collect()
