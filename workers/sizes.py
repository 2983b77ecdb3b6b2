"""The sizes that a portrait is kept in, each with the watermark, made once when it is painted.

Apart from images.py, because the sandboxed child knows that and has no use for numpy.
"""

from typing import NamedTuple

from PIL import Image

from workers import images, watermark


class Rendition(NamedTuple):
    """One stored size of a portrait."""

    name: str
    data: bytes
    width: int
    height: int
    kind: str


def renditions(picture: Image.Image, kind: str = "JPEG", *, key: str) -> tuple[Rendition, ...]:
    """Full size, a preview and a thumbnail, made once when the portrait is painted.

    Each carries the watermark of `key`, laid on at its own size. `kind` is the full size's; the
    small ones are for lists of many, and stay JPEG.
    """
    made = []
    copy = images.bare(picture.convert("RGB"))
    for name, side, quality in (("full", None, 95), ("preview", 512, 88), ("thumb", 192, 85)):
        form = kind if side is None else "JPEG"
        if side is not None:
            copy.thumbnail((side, side), Image.Resampling.LANCZOS)
        marked = watermark.embed(copy, key)
        made.append(Rendition(name, images.encoded(marked, form, quality), *copy.size, form))
    return tuple(made)
