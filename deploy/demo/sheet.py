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


# More than so many pictures hang in two rows.
ROW = 6


def columns(pictures: int) -> int:
    """How many hang beside each other."""
    return pictures if pictures <= ROW else -(-pictures // 2)


def size(pictures: int) -> tuple[int, int]:
    """Of a sheet with so many pictures."""
    across = columns(pictures)
    rows = -(-pictures // across)
    wide = 2 * MARGIN + across * TILE[0] + (across - 1) * GAP
    between = (rows - 1) * (TILE[1] + STEPS[0] + STEPS[1])
    return wide, MARGIN + between + TILE[1] + sum(STEPS) + FOOTER + MARGIN


def extent(body: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(io.BytesIO(body)) as opened:
        return opened.size


def middle(body: bytes) -> bytes:
    """A tile of a large picture, pixel by pixel, where a face has its eyes."""
    with Image.open(io.BytesIO(body)) as opened:
        left, top = (opened.width - TILE[0]) // 2, (opened.height - TILE[1]) * 2 // 5
        piece = opened.crop((left, top, left + TILE[0], top + TILE[1])).convert("RGB")
    stream = io.BytesIO()
    piece.save(stream, "JPEG", quality=92, subsampling=0)
    return stream.getvalue()


def make(pictures: Sequence[tuple[str, bytes]], footer: str) -> bytes:
    """A JPEG of the named pictures in one row, or two."""
    width, height = size(len(pictures))
    across = columns(len(pictures))
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (name, body) in enumerate(pictures):
        left = MARGIN + place % across * (TILE[0] + GAP)
        top = MARGIN + place // across * (TILE[1] + STEPS[0] + STEPS[1])
        below = top + TILE[1] + STEPS[0]
        sheet.paste(_tile(body), (left, top))
        edge = (left - 1, top - 1, left + TILE[0], top + TILE[1])
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
