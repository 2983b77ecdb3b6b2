"""Where a portrait is to change, as its owner's finger has painted over it.

A mask comes as strokes in fractions of the picture, not as a picture: so there is no file of a
stranger's to decode, and none of another size.
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from portraits.prompts import Stroke


def draw(strokes: Sequence[Stroke], size: tuple[int, int]) -> Image.Image:
    """White where it is to change, black elsewhere; (width, height) in pixels, mode L."""
    mask = Image.new("L", size, 0)
    pen = ImageDraw.Draw(mask)
    for stroke in strokes:
        points = [(x * size[0], y * size[1]) for x, y in stroke.points]
        if stroke.filled and len(points) > 2:
            pen.polygon(points, fill=255)
        # A line of no width would mark nothing, and a pen is round.
        reach = max(1.0, stroke.width * min(size) / 2)
        if len(points) > 1:
            pen.line(points, fill=255, width=round(2 * reach), joint="curve")
        for x, y in points:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return mask
