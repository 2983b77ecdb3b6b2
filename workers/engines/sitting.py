"""What a prompting engine is shown of a person: few photos, cut to the head, none too large.

Owns the choice and the size of references. Refuses to hand on more of a photo than head and
shoulders, and leaves no copy behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image

from workers.engines import framing
from workers.engines.base import CannotPaint, Focus, Order

# One shape for all, so that the number of photos alone changes how much an engine reads.
SHAPE: Final = (576, 768)


def ranked(photos: tuple[Image.Image, ...], focus: tuple[Focus | None, ...]) -> list[int]:
    """Indices of the photos, the one with the most to paint from first."""
    spots = focus or (None,) * len(photos)
    left = list(range(len(photos)))
    order = []
    while left:
        some = tuple(photos[index] for index in left)
        best = framing.choose(some, tuple(spots[index] for index in left))
        order.append(left.pop(best))
    return order


@contextmanager
def references(order: Order, most: int) -> Iterator[list[Image.Image]]:
    """The best `most` photos, framed; they are blackened when the block ends."""
    for photo in order.references:
        if photo.mode != "RGB":
            raise CannotPaint("A reference must be a clean RGB picture.")
    spots = order.focus or (None,) * len(order.references)
    chosen = ranked(order.references, order.focus)[:most]
    # The same cut for every seed: what differs between two portraits is the painting.
    seen = [framing.frame(order.references[at], spots[at], SHAPE, 0) for at in chosen]
    try:
        yield seen
    finally:
        blacken(seen)


@contextmanager
def source(order: Order) -> Iterator[tuple[Image.Image, Image.Image | None]]:
    """The picture to change and its mask, both in the order's size. Raises CannotPaint."""
    picture, mask = order.source, order.mask
    if picture is None or picture.mode != "RGB":
        raise CannotPaint("The picture to work on must be a clean RGB picture.")
    if mask is not None and mask.size != picture.size:
        raise CannotPaint("The mask has another size than the picture.")
    size = (order.width, order.height)
    if abs(picture.width * size[1] - picture.height * size[0]) > 0.02 * picture.height * size[0]:
        raise CannotPaint("The picture has another shape than was asked for.")
    ready = picture.resize(size, Image.Resampling.LANCZOS)
    stencil = mask.convert("L").resize(size, Image.Resampling.BILINEAR) if mask else None
    try:
        if stencil is not None and stencil.getextrema()[1] == 0:
            raise CannotPaint("The mask marks nothing.")
        yield ready, stencil
    finally:
        blacken([ready, *([stencil] if stencil else [])])


def blacken(pictures: list[Image.Image]) -> None:
    """These are somebody's face: they do not wait for the allocator to reuse their memory."""
    for picture in pictures:
        picture.paste(0 if picture.mode == "L" else (0, 0, 0), (0, 0, *picture.size))
