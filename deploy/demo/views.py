"""The demo's five photos, made from one free portrait of a person who is public history.

It owns the crops, the slight turns of the head, the light, and a body where the photo has none. It
refuses every other photo: the outline below was drawn by eye for this one. It knows nothing of the
project, so that the gate judges what it makes as it would judge anybody's photos.
"""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

SHA256 = "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"
SIZE = (512, 600)
Point = tuple[float, float]

# The sitter's outline in the photo, from the left elbow over the cap to the right elbow.
OUTLINE: tuple[Point, ...] = (
    (8, 600), (20, 540), (29, 450), (44, 408), (78, 380), (138, 360), (192, 338), (196, 318),
    (188, 294), (170, 278), (156, 232), (154, 190), (159, 166), (151, 148), (151, 108), (162, 92),
    (176, 82), (180, 62), (192, 48), (214, 36), (236, 27), (258, 24), (282, 27), (304, 36),
    (328, 48), (346, 64), (353, 84), (366, 92), (370, 104), (370, 148), (364, 172), (374, 192),
    (372, 228), (360, 258), (352, 292), (338, 308), (328, 326), (398, 356), (460, 383), (490, 404),
    (504, 440), (520, 520), (526, 600),
)  # fmt: skip
# Below the photo's edge, in the photo's own coordinates: a uniform coat, two legs and two shoes.
COAT: tuple[Point, ...] = (
    (8, 590), (4, 820), (30, 900), (70, 880), (86, 760), (92, 1010), (110, 1340), (420, 1340),
    (438, 1010), (446, 760), (462, 880), (504, 900), (530, 820), (526, 590),
)  # fmt: skip
LEGS = ((170, 1330, 236, 1730), (296, 1330, 362, 1730))
SHOES = ((150, 1700, 246, 1764), (286, 1700, 382, 1764))
HANDS = ((28, 880, 76, 950), (458, 880, 506, 950))
NAVY, STOCKING, SKIN, LEATHER = (22, 22, 32), (96, 78, 72), (196, 148, 128), (12, 12, 14)


def five_views(photo: Path) -> dict[str, bytes]:
    """One JPEG a slot; the same bytes on every run."""
    body = photo.read_bytes()
    if hashlib.sha256(body).hexdigest() != SHA256:
        raise ValueError("The five views can be made from the demo's own photo only.")
    with Image.open(io.BytesIO(body)) as opened:
        picture = opened.convert("RGB")
    makers: dict[str, Callable[[Image.Image], Image.Image]] = {
        "front": _front,
        "three_quarter_left": _three_quarter_left,
        "three_quarter_right": _three_quarter_right,
        "half_body": _half_body,
        "full_body": _full_body,
    }
    return {slot: _jpeg(make(picture)) for slot, make in makers.items()}


def _front(picture: Image.Image) -> Image.Image:
    crop = picture.crop((64, 6, 472, 516)).resize((816, 1020), Image.Resampling.LANCZOS)
    return _light(crop, (0.5, 0.3), 1.04, (1.0, 1.0, 1.0))


def _three_quarter_left(picture: Image.Image) -> Image.Image:
    """Turned a little to the viewer's left, in warm light from that side."""
    turned = _turn(picture, -1.0).rotate(3, Image.Resampling.BICUBIC, center=(262, 300))
    crop = turned.crop((80, 14, 420, 466)).resize((768, 1021), Image.Resampling.LANCZOS)
    return _light(crop, (0.1, 0.3), 1.14, (1.05, 1.0, 0.92))


def _three_quarter_right(picture: Image.Image) -> Image.Image:
    """Mirrored, so that the flag changes sides, and turned the other way, in cool light."""
    turned = _turn(ImageOps.mirror(picture), 1.0)
    turned = turned.rotate(-4, Image.Resampling.BICUBIC, center=(250, 300))
    crop = turned.crop((60, 22, 460, 472)).resize((880, 990), Image.Resampling.LANCZOS)
    return _light(crop, (0.95, 0.25), 1.1, (0.94, 1.0, 1.06))


def _half_body(picture: Image.Image) -> Image.Image:
    """Cut out along the outline and set before a plain backdrop with room around."""
    canvas = _backdrop((760, 950), (150, 142, 132), (92, 86, 82), None)
    _place(canvas, picture, 1.4, (14, 112))
    return _light(_grain(canvas, 3), (0.6, 0.35), 1.05, (1.02, 1.0, 0.97))


def _full_body(picture: Image.Image) -> Image.Image:
    """As half_body, but farther away, with a coat, legs and a floor below the photo's edge."""
    canvas = _backdrop((720, 1024), (122, 140, 150), (84, 98, 108), 0.86)
    _place(canvas, picture, 0.48, (232, 100))
    return _light(_grain(canvas, 5), (0.4, 0.2), 1.06, (0.98, 1.0, 1.03))


def _turn(picture: Image.Image, side: float) -> Image.Image:
    """Moves the face within the head, and the nose within the face, as a turn of the head does."""
    middle = 262.0 if side < 0 else SIZE[0] - 262.0
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float64)

    def swell(x: float, y: float, wide: float, high: float) -> NDArray[np.float64]:
        distance = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2
        return np.asarray(np.clip(1 - distance, 0, None) ** 2, dtype=np.float64)

    shift = side * (14 * swell(middle, 220, 130, 190) + 16 * swell(middle, 236, 62, 84))
    source = np.clip(columns - shift, 0, SIZE[0] - 1.001)
    left = source.astype(np.intp)
    part = (source - left)[..., None]
    pixels = np.asarray(picture, dtype=np.float64)
    line = np.arange(SIZE[1])[:, None]
    mixed = pixels[line, left] * (1 - part) + pixels[line, left + 1] * part
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _light(
    picture: Image.Image, source: Point, strength: float, tint: tuple[float, float, float]
) -> Image.Image:
    """A soft lamp: brighter near its place, a little darker far away, in its own colour."""
    width, height = picture.size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    far = np.hypot(columns / width - source[0], rows / height - source[1])
    gain = strength * (1.04 - 0.3 * far**1.5)
    lit = np.asarray(picture, dtype=np.float64) * gain[..., None] * np.array(tint)
    return Image.fromarray(np.clip(np.rint(lit), 0, 255).astype(np.uint8))


def _backdrop(
    size: tuple[int, int],
    bright: tuple[int, int, int],
    dim: tuple[int, int, int],
    floor: float | None,
) -> Image.Image:
    """Painted paper: bright behind the head, dim at the rim; with a floor where feet stand."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    far = np.hypot((columns / width - 0.5) * 1.1, rows / height - 0.35)
    mix = np.clip(far / 0.75, 0, 1)[..., None]
    paper = np.array(bright) * (1 - mix) + np.array(dim) * mix
    if floor is not None:
        edge = 1 / (1 + np.exp(-(rows / height - floor) * 90))
        paper = paper * (1 - 0.22 * edge[..., None])
    return Image.fromarray(np.rint(paper).astype(np.uint8))


def _place(canvas: Image.Image, picture: Image.Image, scale: float, corner: Point) -> None:
    """Paints the body below, then the sitter over it, both with soft edges."""

    def moved(points: tuple[Point, ...], factor: int = 1) -> list[Point]:
        return [
            (factor * (x * scale + corner[0]), factor * (y * scale + corner[1])) for x, y in points
        ]

    def boxed(box: tuple[int, int, int, int]) -> list[Point]:
        return moved(((box[0], box[1]), (box[2], box[3])), 3)

    paint = Image.new("RGBA", (canvas.width * 3, canvas.height * 3), (*NAVY, 0))
    pen = ImageDraw.Draw(paint)
    floor = boxed((60, 1725, 480, 1790))
    pen.ellipse(floor, fill=(30, 30, 34, 150))
    for boxes, colour in ((LEGS, STOCKING), (SHOES, LEATHER), (HANDS, SKIN)):
        for box in boxes:
            pen.rounded_rectangle(boxed(box), 60 * scale, fill=(*colour, 255))
    pen.polygon(moved(COAT, 3), fill=(*NAVY, 255))
    pen.polygon(moved(OUTLINE, 3), fill=(*NAVY, 255))
    small = paint.resize(canvas.size, Image.Resampling.LANCZOS)
    canvas.paste(small, mask=small.getchannel("A").filter(ImageFilter.GaussianBlur(1.2)))
    cut = Image.new("L", (SIZE[0] * 3, SIZE[1] * 3))
    ImageDraw.Draw(cut).polygon([(3 * x, 3 * y) for x, y in OUTLINE], fill=255)
    mask = cut.resize(SIZE, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(1.5))
    fade = np.clip((SIZE[1] - np.arange(SIZE[1])) / 40, 0, 1)[:, None]
    mask = Image.fromarray((np.asarray(mask) * fade).astype(np.uint8))
    target = round(SIZE[0] * scale), round(SIZE[1] * scale)
    place = round(corner[0]), round(corner[1])
    lanczos = Image.Resampling.LANCZOS
    canvas.paste(picture.resize(target, lanczos), place, mask.resize(target, lanczos))


def _grain(picture: Image.Image, seed: int) -> Image.Image:
    """What was painted is too smooth beside what was photographed."""
    noise = np.random.default_rng(seed).normal(0, 2.5, (picture.height, picture.width, 1))
    grainy = np.asarray(picture, dtype=np.float64) + noise
    return Image.fromarray(np.clip(np.rint(grainy), 0, 255).astype(np.uint8))


def _jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=92)
    return stream.getvalue()
