"""The way from a photo to a painting of it, and what pocket's network is shown on it.

Owns the bridge between the two pictures and the walk over it. It needs torch and nothing above it:
pocket_pipeline.py is the same for diffusers. Leaves nothing behind of what the network was shown,
and keeps none of it longer than it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workers.engines import outcome, strips
from workers.engines.canvas import underpaint
from workers.engines.pages import give_back

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


class Bridge:
    """States between the start (t = 1) and the painting (t = 0), with a little noise in the middle.

    x_t = (1 - t) * painting + t * start + spread * sqrt(t * (1 - t)) * noise
    """

    def __init__(self, spread: float = 0.25) -> None:
        self.spread = spread

    def times(self, steps: int) -> Tensor:
        """Where each step begins."""
        return torch.linspace(1.0, 0.0, steps + 1)[:-1]

    def mix(self, painting: Tensor, start: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        t = t.reshape(-1, 1, 1, 1)
        return (1 - t) * painting + t * start + self.spread * (t * (1 - t)).sqrt() * noise


def as_tensor(pixels: NDArray[np.float32]) -> Tensor:
    """A picture of 0..1 as a batch of one in -1..1."""
    batch = torch.from_numpy(pixels * 2 - 1).permute(2, 0, 1)[None]
    return batch.contiguous(memory_format=torch.channels_last)


def begin(pixels: NDArray[np.float32], canvas: NDArray[np.float32], style: str) -> list[Tensor]:
    """What the network is shown first: the start, the photo and the canvas, which is not copied.

    The list is whoever paints' own: `Painter.paint` takes from it what is needed no more.
    """
    clean = as_tensor(pixels)
    start = as_tensor(underpaint(pixels, canvas, style))
    return [start, clean, torch.from_numpy(canvas)[None]]


def forget(shown: list[Tensor]) -> None:
    """These pixels are somebody's face: they do not wait for the allocator to reuse them."""
    for tensor in shown:
        tensor.zero_()
    shown.clear()


@dataclass(frozen=True)
class Painter:
    """A network of the shape that strips.py walks, its bridge, and who shares the work."""

    network: Any
    bridge: Bridge
    # Without them one thread paints all the strips.
    hands: ThreadPoolExecutor | None = None

    @torch.inference_mode()
    def paint(
        self,
        shown: list[Tensor],
        style: str,
        *,
        steps: int = 1,
        chance: torch.Generator | None = None,
        on_step: Callable[[int], None] = lambda index: None,
    ) -> Image.Image:
        """The painting; `shown` comes from `begin` and is empty behind it."""
        give_back()
        state = None
        try:
            label = torch.tensor([STYLES.index(style)])
            # A single leap goes past no noise.
            noise = torch.randn(shown[1].shape if steps > 1 else (), generator=chance)
            times = self.bridge.times(steps)
            for index, t in enumerate(times):
                last = index + 1 == steps
                painting = self._step(shown, state, t.reshape(1), label, last)
                state = painting
                if not last:
                    state = self.bridge.mix(painting, shown[0], noise, times[index + 1].reshape(1))
                on_step(index)
            return outcome.picture((painting + 1) / 2)
        finally:
            forget(shown)
            if state is not None:
                state.zero_()

    def _step(
        self, shown: list[Tensor], state: Tensor | None, t: Tensor, label: Tensor, last: bool
    ) -> Tensor:
        seen = [shown[0] if state is None else state, *shown[1:]]

        def read() -> None:
            """What nobody will look at again makes room for the layers that follow."""
            seen.clear()
            if last:
                forget(shown)

        return strips.predict(self.network, seen, t, label, self.hands, read)
