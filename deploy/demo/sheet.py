"""The contact sheet: the photo first, then the portraits, each with its name below."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

PAPER, LINE, INK, GREY = (252, 252, 250), (226, 226, 221), (40, 40, 44), (128, 128, 132)
TILE = (384, 480)
MARGIN, GAP = 56, 32
LABEL, FOOTER = 26, 17
# From a picture's lower edge to its name, from there to the line, and from the line to the footer.
STEPS = (18, 54, 18)


def size(pictures: int) -> tuple[int, int]:
    """Of a sheet with so many pictures."""
    wide = 2 * MARGIN + pictures * TILE[0] + (pictures - 1) * GAP
    return wide, MARGIN + TILE[1] + sum(STEPS) + FOOTER + MARGIN


def make(pictures: Sequence[tuple[str, bytes]], footer: str) -> bytes:
    """A JPEG of the named pictures in one row."""
    width, height = size(len(pictures))
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    below = MARGIN + TILE[1] + STEPS[0]
    for place, (name, body) in enumerate(pictures):
        left = MARGIN + place * (TILE[0] + GAP)
        sheet.paste(_tile(body), (left, MARGIN))
        edge = (left - 1, MARGIN - 1, left + TILE[0], MARGIN + TILE[1])
        pen.rectangle(edge, outline=LINE)
        middle = left + TILE[0] // 2
        pen.text((middle, below), name, INK, ImageFont.load_default(LABEL), anchor="ma")
    line = below + STEPS[1]
    pen.line((MARGIN, line, width - MARGIN, line), fill=LINE)
    font = ImageFont.load_default(FOOTER)
    pen.text((width // 2, line + STEPS[2]), footer, GREY, font, anchor="ma")
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=92, subsampling=0)
    return stream.getvalue()


def _tile(body: bytes) -> Image.Image:
    with Image.open(io.BytesIO(body)) as opened:
        picture = opened.convert("RGB")
    # A little above the middle: where a picture must lose height, the face must not lose its brow.
    return ImageOps.fit(picture, TILE, Image.Resampling.LANCZOS, centering=(0.5, 0.35))
