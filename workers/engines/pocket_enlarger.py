"""Pocket's second network: a picture four times as wide and high, without a GPU.

Owns the network and how it is read from its folder. It corrects plain bicubic enlargement, so a
picture that it knows nothing of comes out no worse than that. It has two ends: one trained to be
right, one trained to put back as much fine structure as there was, which is then its own. The
second end is given noise: a sibling that was trained without drew a mesh over hair.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from workers.engines.base import WeightsRefused
from workers.engines.sizes import ENLARGED, SCALE

FOLDER: Final = "enlarger"
FILE: Final = "model.safetensors"
CONFIG: Final = "config.json"
# Each side of a tile sees so many pixels of its neighbours: as far as the network looks.
HALO: Final = 16
TILE: Final = 128
# Any portrait of ours by its fourfold, and a small picture up to the size that a portrait has.
SIZES: Final = ((512, 512), *ENLARGED)
SQUARE: Final = 3


def _conv(seen: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(seen, made, SQUARE, padding=SQUARE // 2)


class Enlarger(nn.Module):
    """From pictures of 0..1 to what is missing in their bicubic fourfold, at one of two ends."""

    def __init__(self, width: int = 32, depth: int = 8) -> None:
        super().__init__()
        self.first = _conv(3, width)
        self.body = nn.ModuleList(_conv(width, width) for _ in range(depth))
        self.faithful = _conv(width, 3 * SCALE**2)
        self.rich = _conv(2 * width, 3 * SCALE**2)

    def forward(self, seen: Tensor, chance: torch.Generator | None = None) -> Tensor:
        """The faithful fourfold; with a source of chance, the rich one."""
        plain, known = self.look(seen)
        if chance is None:
            return plain + self.right(known)
        return plain + self.more(known, torch.randn(known.shape, generator=chance))

    def look(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The bicubic fourfold, and what both ends start from."""
        plain = functional.interpolate(
            seen, scale_factor=SCALE, mode="bicubic", align_corners=False
        )
        known = functional.leaky_relu(self.first(seen - 0.5), 0.1)
        for before, after in zip(self.body[::2], self.body[1::2], strict=True):
            known = known + after(functional.leaky_relu(before(known), 0.1))
        return plain, known

    def right(self, known: Tensor) -> Tensor:
        return functional.pixel_shuffle(self.faithful(known), SCALE)

    def more(self, known: Tensor, noise: Tensor) -> Tensor:
        seen = torch.cat([known, known * noise], dim=1)
        return functional.pixel_shuffle(self.rich(seen), SCALE)


def read(folder: Path) -> Enlarger:
    """The network in a folder whose bytes were verified. Raises WeightsRefused."""
    try:
        shape = json.loads((folder / CONFIG).read_bytes())
        network = Enlarger(int(shape["width"]), int(shape["depth"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsRefused(f"{FOLDER}/{CONFIG}", "cannot be read.") from error
    try:
        network.load_state_dict(load_file(folder / FILE))
    except (OSError, SafetensorError) as error:
        raise WeightsRefused(f"{FOLDER}/{FILE}", "cannot be loaded.") from error
    except RuntimeError as error:
        raise WeightsRefused(f"{FOLDER}/{FILE}", "is of another class.") from error
    # In place; the library's types know no layout.
    ready: Any = network.requires_grad_(False).eval()
    ready.to(dtype=torch.float32, memory_format=torch.channels_last)
    return network
