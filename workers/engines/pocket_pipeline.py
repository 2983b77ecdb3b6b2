"""A small diffusers pipeline that walks from a photo to a painting of it.

Owns the bridge between the two pictures and the loop over it. Refuses weights in any format but
safetensors and never reaches for a network: everything comes from the folder it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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

from workers.engines import strips
from workers.engines.canvas import underpaint
from workers.engines.pages import give_back
from workers.engines.strips import FOLD

STYLES = (
    "pencil",
    "engraving",
    "watercolour",
    "oil",
    "comic",
    "pastel",
    "mosaic",
    "riso",
    "linocut",
)
# Two folds inside the network on top of FOLD: a side must divide by eight.
MULTIPLE = 8


@dataclass
class PocketOutput(BaseOutput):
    images: list[Image.Image]


class BridgeScheduler(SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """States between the start (t = 1) and the painting (t = 0), with a little noise in the middle.

    x_t = (1 - t) * painting + t * start + spread * sqrt(t * (1 - t)) * noise
    """

    order = 1
    timesteps: Tensor

    def __init__(self, spread: float = 0.25) -> None:
        keep: Any = self.register_to_config
        keep(spread=spread)
        self.spread = spread
        self.set_timesteps(2)

    def set_timesteps(self, steps: int) -> None:
        self.timesteps = torch.linspace(1.0, 0.0, steps + 1)[:-1]

    def mix(self, painting: Tensor, start: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        t = t.reshape(-1, 1, 1, 1)
        return (1 - t) * painting + t * start + self.spread * (t * (1 - t)).sqrt() * noise

    def step(self, painting: Tensor, start: Tensor, noise: Tensor, index: int) -> Tensor:
        """The state at the next time, or the finished painting after the last one."""
        if index + 1 >= len(self.timesteps):
            return painting
        return self.mix(painting, start, noise, self.timesteps[index + 1].reshape(1))


def predict(
    unet: Any, state: Tensor, photo: Tensor, canvas: Tensor, t: Tensor, style: Tensor
) -> Tensor:
    """The painting that the network sees from here, in one piece, as it is trained."""
    seen = functional.pixel_unshuffle(torch.cat([state, photo, canvas], dim=1), FOLD)
    folded: Tensor = unet(seen, t * 1000.0, class_labels=style, return_dict=False)[0]
    return functional.pixel_shuffle(folded, FOLD)


def as_tensor(pixels: NDArray[np.float32]) -> Tensor:
    """A picture of 0..1 as a batch of one in -1..1."""
    batch = torch.from_numpy(pixels * 2 - 1).permute(2, 0, 1)[None]
    return batch.contiguous(memory_format=torch.channels_last)


class PocketPipeline(DiffusionPipeline):
    """Paints one photo in one style; the canvas carries the strokes, the network paints them."""

    # The library gives its models no types; what is read of them is stated here.
    unet: Any
    scheduler: BridgeScheduler
    device: torch.device
    progress_bar: Any
    register_modules: Any
    # Threads that share the strips of a painting; without them one thread paints them all.
    hands: ThreadPoolExecutor | None = None

    def __init__(self, unet: UNet2DModel, scheduler: BridgeScheduler) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.register_modules(unet=unet, scheduler=scheduler)

    @torch.inference_mode()
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
        kind = {"device": self.device, "dtype": self.unet.dtype}
        pixels: NDArray[np.float32] = np.array(photo, dtype=np.float32) / np.float32(255)
        clean = as_tensor(pixels).to(**kind)
        start = as_tensor(underpaint(pixels, canvas, style)).to(**kind)
        pixels.fill(0)
        del pixels
        sheet = torch.from_numpy(canvas)[None].to(**kind)
        label = torch.tensor([STYLES.index(style)], device=self.device)
        state = start
        give_back()
        try:
            self.scheduler.set_timesteps(num_inference_steps)
            # A single leap goes past no noise.
            shape = clean.shape if num_inference_steps > 1 else ()
            noise = torch.randn(shape, generator=generator).to(**kind)
            with self.progress_bar(total=num_inference_steps) as bar:
                for index, t in enumerate(self.scheduler.timesteps):
                    now = t.reshape(1).to(**kind)
                    seen = (state, clean, sheet)
                    painting = strips.predict(self.unet, seen, now, label, self.hands)
                    state = self.scheduler.step(painting, start, noise, index)
                    if callback_on_step_end is not None:
                        callback_on_step_end(self, index, t, {})
                    bar.update()
            done = ((state[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
            picture = Image.fromarray(done.permute(1, 2, 0).contiguous().cpu().numpy())
            done.zero_()
        finally:
            # These pixels are somebody's face: they do not wait for the allocator to reuse them.
            for tensor in (clean, start, state):
                tensor.zero_()
        return PocketOutput(images=[picture])
