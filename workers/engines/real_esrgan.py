"""Real-ESRGAN x4plus: a picture four times as wide and high; BSD-3-Clause.

Owns the network, stated here layer by layer, and how large its tiles are. A GAN adds less of its
own to a face than a diffusion upscaler.

The network is the published one ("RRDBNet"), by its published parameter names. spandrel, the usual
loader, was not taken: it imports forty other architectures, one of them a face-embedding network
(ArcFace), and torchvision with them, and this system promises to hold none.

Tested with random weights of the same classes. Faithfulness and speed with the published weights
were not measured; without a GPU it takes minutes.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Final

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from workers.engines import frozen, speed, terms, tiles
from workers.engines.base import (
    Capabilities,
    EngineError,
    Order,
    Step,
    Task,
    WeightsRefused,
    check,
)
from workers.engines.outcome import within_memory
from workers.engines.sizes import ENLARGED
from workers.engines.weights import verify_weights

FILE: Final = "model.safetensors"
TILE: Final = 256
# Each tile sees so much of its neighbours, and it is cut off afterwards.
HALO: Final = 32


def _conv(seen: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(seen, made, 3, padding=1)


class Dense(nn.Module):
    """Five convolutions, each of which sees all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for step in range(1, 5):
            setattr(self, f"conv{step}", _conv(width + (step - 1) * growth, growth))
        self.conv5 = _conv(width + 4 * growth, width)

    def forward(self, seen: Tensor) -> Tensor:
        known = [seen]
        for step in range(1, 5):
            made = getattr(self, f"conv{step}")(torch.cat(known, dim=1))
            known.append(functional.leaky_relu(made, 0.2))
        return seen + 0.2 * self.conv5(torch.cat(known, dim=1))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Three of them with a way around."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (Dense(width, growth) for _ in range(3))

    def forward(self, seen: Tensor) -> Tensor:
        return seen + 0.2 * self.rdb3(self.rdb2(self.rdb1(seen)))  # type: ignore[no-any-return]


class Enlarger(nn.Module):
    """From a picture of three channels to one four times as wide and high."""

    def __init__(self, width: int = 64, growth: int = 32, blocks: int = 23) -> None:
        super().__init__()
        self.conv_first = _conv(3, width)
        self.body = nn.Sequential(*(Block(width, growth) for _ in range(blocks)))
        self.conv_body = _conv(width, width)
        self.conv_up1 = _conv(width, width)
        self.conv_up2 = _conv(width, width)
        self.conv_hr = _conv(width, width)
        self.conv_last = _conv(width, 3)

    def forward(self, seen: Tensor) -> Tensor:
        first = self.conv_first(seen)
        made = first + self.conv_body(self.body(first))
        for conv in (self.conv_up1, self.conv_up2):
            larger = functional.interpolate(made, scale_factor=2, mode="nearest")
            made = functional.leaky_relu(conv(larger), 0.2)
        return self.conv_last(functional.leaky_relu(self.conv_hr(made), 0.2))  # type: ignore[no-any-return]


def build(state: dict[str, Tensor]) -> Enlarger:
    """The network that these parameters belong to, filled. Raises WeightsRefused."""
    try:
        width = state["conv_first.weight"].shape[0]
        growth = state["body.0.rdb1.conv1.weight"].shape[0]
        blocks = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("body."))
        network = Enlarger(width, growth, blocks)
        network.load_state_dict(state)
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsRefused(FILE, "is of another class.") from error
    return network


class RealEsrganEngine:
    """Upscale only: one source, no style, no words, no chance."""

    def __init__(self, weights: Path) -> None:
        self._folder = weights
        self._network: Enlarger | None = None
        self._manifest = ""
        self._licence = ""

    def load(self) -> None:
        torch.set_grad_enabled(False)
        self._manifest = verify_weights(self._folder)
        self._licence = terms.licence(self._folder)
        try:
            state = load_file(self._folder / FILE)
        except (OSError, SafetensorError) as error:
            raise WeightsRefused(FILE, "cannot be loaded.") from error
        where = speed.device()
        # Half as many bits where that is faster: the published weights were made for it.
        kind = torch.float16 if where.type == "cuda" else torch.float32
        self._network = build(state).requires_grad_(False).eval().to(device=where, dtype=kind)

    def describe(self) -> Capabilities:
        return Capabilities(
            name="real-esrgan",
            tasks=frozenset({Task.UPSCALE}),
            styles=frozenset(),
            sizes=ENLARGED,
            max_references=0,
            licence=self._licence,
            weights_sha256=self._manifest,
        )

    def fingerprint(self) -> str:
        return frozen.fingerprint(self._loaded())

    def render(self, order: Order, on_step: Step) -> Image.Image:
        network = self._loaded()
        check(order, self.describe())
        source = tiles.source(order)
        like = network.conv_first.weight
        with torch.no_grad(), within_memory():
            return tiles.enlarge(network, source, on_step, like=like, tile=TILE, halo=HALO)

    def unload(self) -> None:
        self._network = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _loaded(self) -> Enlarger:
        if self._network is None:
            raise EngineError("The engine is not loaded.")
        return self._network
