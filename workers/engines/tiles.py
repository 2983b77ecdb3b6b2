"""Enlarging piece by piece: memory does not grow with the picture.

Owns the cut, the overlap and the order of pieces. Refuses a picture whose fourfold is not the size
asked for, and leaves no piece behind that is not black.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor

from workers.engines.base import CannotPaint, Order, Step
from workers.engines.outcome import picture
from workers.engines.sizes import SCALE


def source(order: Order) -> Image.Image:
    """The picture to enlarge. Raises CannotPaint."""
    picture = order.source
    if picture is None or picture.mode != "RGB":
        raise CannotPaint("The picture to enlarge must be a clean RGB picture.")
    if (picture.width * SCALE, picture.height * SCALE) != (order.width, order.height):
        raise CannotPaint("An enlarged picture is four times as wide and high as its source.")
    return picture


def enlarge(
    network: Callable[[Tensor], Tensor],
    small: Image.Image,
    on_step: Step,
    *,
    like: Tensor,
    tile: int,
    halo: int,
) -> Image.Image:
    """Fourfold; a step is a tile, which sees `halo` pixels of its neighbours.

    `like` is a parameter of the network: pieces go where it is, in its digits.
    """
    whole = Image.new("RGB", (small.width * SCALE, small.height * SCALE))
    places = [
        (left, top) for top in range(0, small.height, tile) for left in range(0, small.width, tile)
    ]
    for done, (left, top) in enumerate(places, 1):
        right, bottom = min(left + tile, small.width), min(top + tile, small.height)
        box = (
            max(left - halo, 0),
            max(top - halo, 0),
            min(right + halo, small.width),
            min(bottom + halo, small.height),
        )
        piece = small.crop(box)
        made = picture(network(_tensor(piece, like)).float())
        x, y = SCALE * (left - box[0]), SCALE * (top - box[1])
        inner = (x, y, x + SCALE * (right - left), y + SCALE * (bottom - top))
        whole.paste(made.crop(inner), (left * SCALE, top * SCALE))
        for each in (piece, made):
            each.paste((0, 0, 0), (0, 0, *each.size))
        on_step(done, len(places))
    return whole


def _tensor(piece: Image.Image, like: Tensor) -> Tensor:
    flat = torch.frombuffer(bytearray(piece.tobytes()), dtype=torch.uint8)
    pixels = flat.reshape(piece.height, piece.width, 3).permute(2, 0, 1)[None]
    return pixels.to(device=like.device, dtype=like.dtype) / 255
