"""Which reference to paint, and how much of it.

Owns the choice among references and the crop with head room. Refuses to know anybody: it weighs
sharpness and size, and never looks for a face or describes one.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from workers.engines.base import Focus

# A face box covers this share of the frame's height when the photo leaves room enough.
FACE_SHARE = 0.40
# Where the middle of the face stands in the frame, from the top: eyes in the upper third.
FACE_LINE = 0.46


def sharpness(photo: Image.Image, focus: Focus | None) -> float:
    """The spread of second differences at a fixed scale: a blurred photo has little of it."""
    piece = photo.convert("L")
    if focus is not None:
        left, top, right, bottom = focus
        piece = piece.crop(
            (
                int(left * photo.width),
                int(top * photo.height),
                max(int(right * photo.width), int(left * photo.width) + 8),
                max(int(bottom * photo.height), int(top * photo.height) + 8),
            )
        )
    piece.thumbnail((256, 256))
    light = np.asarray(piece, dtype=np.float32) / 255
    spread = np.diff(light, 2, axis=0).var() + np.diff(light, 2, axis=1).var()
    return float(np.sqrt(spread) / (light.std() + 0.05))


def choose(photos: tuple[Image.Image, ...], focus: tuple[Focus | None, ...]) -> int:
    """The index of the reference with the most to paint from; the first wins a tie."""
    spots = focus or (None,) * len(photos)
    scores = []
    for photo, spot in zip(photos, spots, strict=True):
        area = float(photo.width * photo.height)
        if spot is not None:
            area *= max(spot[2] - spot[0], 0.01) * max(spot[3] - spot[1], 0.01) * 9
        # Beyond a megapixel more pixels add nothing that the portrait could show.
        scores.append(sharpness(photo, spot) * min(area, 1e6) ** 0.25)
    return int(np.argmax(scores))


def frame(photo: Image.Image, focus: Focus | None, size: tuple[int, int], seed: int) -> Image.Image:
    """Cut the photo to the portrait's shape, a little differently for each seed."""
    width, height = size
    rng = np.random.default_rng([seed, 1])
    aspect = width / height
    largest = min(float(photo.height), photo.width / aspect)
    if focus is None:
        # Heads stand in the upper middle of most portraits; what is too tall loses its foot.
        spare = photo.height - largest
        tall, middle, line = largest, photo.width / 2, largest * FACE_LINE + spare * 0.25
    else:
        left, top, right, bottom = focus
        tall = min((bottom - top) * photo.height / FACE_SHARE, largest)
        middle = (left + right) / 2 * photo.width
        line = (top + bottom) / 2 * photo.height
    tall = min(tall * float(rng.uniform(0.95, 1.03)), largest)
    wide = tall * aspect
    middle += wide * float(rng.uniform(-0.02, 0.02))
    line += tall * float(rng.uniform(-0.015, 0.015))
    x = float(np.clip(middle - wide / 2, 0, photo.width - wide))
    y = float(np.clip(line - tall * FACE_LINE, 0, photo.height - tall))
    box = (x, y, x + wide, y + tall)
    return photo.resize(size, Image.Resampling.LANCZOS, box=box)
