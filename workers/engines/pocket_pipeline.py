"""What pocket's weights are to diffusers: a small pipeline that walks from a photo to a painting.

Owns the classes that the folder of weights names, so that the library alone can save and load it;
training and comparing go through them. A worker paints by bridge.py and loads none of this. Refuses
weights in any format but safetensors and never reaches for a network: everything comes from the
folder it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, UNet2DModel
from diffusers.configuration_utils import ConfigMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils.outputs import BaseOutput
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from workers.engines.bridge import Bridge, Painter, begin
from workers.engines.strips import FOLD

# Two folds inside the network on top of FOLD: a side must divide by eight.
MULTIPLE = 8


@dataclass
class PocketOutput(BaseOutput):
    images: list[Image.Image]


class BridgeScheduler(Bridge, SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """The bridge, saved and loaded as the library does with its schedulers."""

    order = 1

    def __init__(self, spread: float = 0.25) -> None:
        super().__init__(spread)
        keep: Any = self.register_to_config
        keep(spread=spread)


def predict(
    unet: Any, state: Tensor, photo: Tensor, canvas: Tensor, t: Tensor, style: Tensor
) -> Tensor:
    """The painting that the network sees from here, in one piece, as it is trained."""
    seen = functional.pixel_unshuffle(torch.cat([state, photo, canvas], dim=1), FOLD)
    folded: Tensor = unet(seen, t * 1000.0, class_labels=style, return_dict=False)[0]
    return functional.pixel_shuffle(folded, FOLD)


class PocketPipeline(DiffusionPipeline):
    """Paints one photo in one style; the canvas carries the strokes, the network paints them."""

    # The library gives its models no types; what is read of them is stated here.
    unet: Any
    scheduler: BridgeScheduler
    register_modules: Any

    def __init__(self, unet: UNet2DModel, scheduler: BridgeScheduler) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.register_modules(unet=unet, scheduler=scheduler)

    def __call__(
        self,
        photo: Image.Image,
        canvas: NDArray[np.float32],
        style: str,
        num_inference_steps: int = 2,
        generator: torch.Generator | None = None,
        callback_on_step_end: Callable[[Any, int, Any, dict[str, Any]], Any] | None = None,
    ) -> PocketOutput:
        if photo.width % MULTIPLE or photo.height % MULTIPLE:
            raise ValueError(f"Both sides must divide by {MULTIPLE}.")
        times = self.scheduler.times(num_inference_steps)

        def on_step(index: int) -> None:
            if callback_on_step_end is not None:
                callback_on_step_end(self, index, times[index], {})

        pixels: NDArray[np.float32] = np.array(photo, dtype=np.float32) / np.float32(255)
        picture = Painter(self.unet, self.scheduler).paint(
            # The canvas stays the caller's.
            begin(pixels, canvas.copy(), style),
            style,
            steps=num_inference_steps,
            chance=generator,
            on_step=on_step,
        )
        pixels.fill(0)
        return PocketOutput(images=[picture])
