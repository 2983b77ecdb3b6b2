"""Good and bad photos for the gate, made from the few free ones by what phones and rooms do.

Two people are all that is free here, so what varies is the light, the camera, the crop, the turn of
the head's picture and the tone of the skin; what varies between more people is not covered. `make
test` sees three tones, the lightest and the darkest among them; FULL=1 all five.
"""

import os
from collections.abc import Callable, Iterator
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from tests.images.making import file_of
from workers import images

PHOTOS = Path(__file__).resolve().parents[1] / "photos"
STYLES = Path(__file__).resolve().parents[2] / "portraits" / "static" / "portraits" / "styles"
SUBJECT = Path(__file__).resolve().parents[2] / "workers" / "pictures" / "nobody.jpg"
GREY = (128, 128, 128)
Change = Callable[[Image.Image], Image.Image]
FULL: Final = bool(os.environ.get("FULL"))


def photo(name: str) -> Image.Image:
    with Image.open(PHOTOS / name) as found:
        return found.convert("RGB").copy()


def toned(picture: Image.Image, tone: float, warmth: float) -> Image.Image:
    """The same person with lighter or darker skin: a curve over what has the colour of skin."""
    pixels = np.asarray(picture, dtype=np.float64)
    _, blue, red = (np.asarray(c, dtype=np.float64) for c in picture.convert("YCbCr").split())
    skin = (red > 132) & (red < 180) & (blue > 75) & (blue < 130)
    soft = Image.fromarray((skin * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(6))
    cover = np.asarray(soft, dtype=np.float64)[..., None] / 255
    curve = 255 * (pixels / 255) ** (1 / tone) * tone**0.5
    curve *= np.array([1 + warmth, 1.0, 1 - warmth])
    return Image.fromarray(np.clip(pixels + (curve - pixels) * cover, 0, 255).astype(np.uint8))


def lit_from(picture: Image.Image, side: str) -> Image.Image:
    """A lamp at one side: the other lies at two fifths of the light."""
    ramp = np.linspace(1.1, 0.4, picture.width)
    if side == "right":
        ramp = ramp[::-1]
    pixels = np.asarray(picture, dtype=np.float64) * ramp[None, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def gamma(picture: Image.Image, power: float) -> Image.Image:
    return picture.point(lambda v: round(255 * (v / 255) ** power))


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY)


def sized(picture: Image.Image, scale: float) -> Image.Image:
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def pressed(picture: Image.Image, quality: int) -> Image.Image:
    return images.open_reference(file_of(picture, "JPEG", quality=quality))


def cropped(
    picture: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


TONES = [(1.0, 0.0), (0.45, 0.02), (0.6, 0.04), (0.75, 0.05), (1.25, -0.02)]
SEEN: Final = TONES if FULL else [TONES[0], TONES[1], TONES[-1]]
CHANGES: dict[str, Change] = {
    "as it is": lambda p: p,
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "smaller": lambda p: sized(p, 0.75),
    "larger": lambda p: sized(p, 1.8),
    "close": lambda p: cropped(p, 0.15, 0.02, 0.9, 0.75),
    "to the side": lambda p: cropped(p, 0.1, 0.0, 1.0, 0.9),
    "tilted a little": lambda p: turned(p, 6),
    "tilted": lambda p: turned(p, -12),
    "dim": lambda p: ImageEnhance.Brightness(p).enhance(0.65),
    "bright": lambda p: ImageEnhance.Brightness(p).enhance(1.2),
    "flat": lambda p: ImageEnhance.Contrast(p).enhance(0.7),
    "hard": lambda p: ImageEnhance.Contrast(p).enhance(1.3),
    "shadows": lambda p: gamma(p, 1.5),
    "lamp left": lambda p: lit_from(p, "left"),
    "lamp right": lambda p: lit_from(p, "right"),
    "warm": lambda p: ImageEnhance.Color(p).enhance(1.4),
    "grey": lambda p: p.convert("L").convert("RGB"),
    "JPEG 80": lambda p: pressed(p, 80),
    "JPEG 40": lambda p: pressed(p, 40),
}


def good() -> Iterator[tuple[str, Image.Image]]:
    """Photos that anybody would call good enough, for the slot `front`."""
    for name, (tone, warmth) in product(("grace_hopper.jpg", "astronaut.jpg"), SEEN):
        found = photo(name)
        # One of the two files is smaller than what any phone takes.
        person = toned(sized(found, max(1.0, 480 / min(found.size))), tone, warmth)
        for change, apply in CHANGES.items():
            yield f"{name}, tone {tone}, {change}", apply(person)


def drawn(expression: int) -> Image.Image:
    """A face as people doodle it."""
    paper = Image.new("RGB", (640, 640), (250, 246, 238))
    pen = ImageDraw.Draw(paper)
    skin = [(255, 224, 189), (141, 85, 36), (250, 246, 238), (255, 220, 80)][expression % 4]
    pen.ellipse((140, 100, 500, 560), fill=skin, outline=(20, 20, 20), width=6)
    for left in (230, 350):
        pen.ellipse((left, 260, left + 60, 300), fill="white", outline=(20, 20, 20), width=4)
        pen.ellipse((left + 20, 268, left + 42, 292), fill=(40, 30, 20))
        pen.arc((left - 10, 220, left + 70, 270), 200, 340, fill=(20, 20, 20), width=6)
    pen.line((320, 300, 305, 390, 330, 392), fill=(60, 40, 30), width=4)
    pen.arc((240, 380, 400, 480), 20, 160, fill=(150, 40, 40), width=8)
    return paper


def prints() -> Iterator[tuple[str, Image.Image]]:
    """What a newspaper, a pen and a stencil make of the drawn subject, who is nobody."""
    with Image.open(SUBJECT) as found:
        nobody = found.convert("RGB").resize((640, 640))
    grey = nobody.convert("L")
    yield "halftone", grey.convert("1").convert("RGB")
    yield "stencil", grey.point(lambda v: 255 if v > 120 else 0).convert("RGB")
    yield "two inks", ImageOps.posterize(grey, 1).convert("RGB")
    yield "cartoon", ImageOps.posterize(nobody.filter(ImageFilter.MedianFilter(9)), 2)


def pair(one: Image.Image, other: Image.Image, height: int) -> Image.Image:
    wall = Image.new("RGB", (one.width + height, max(one.height, height)), GREY)
    wall.paste(one, (0, 0))
    wall.paste(other.resize((height, height)), (one.width, 0))
    return wall


def bad() -> Iterator[tuple[str, Image.Image, Image.Image | None]]:
    """(what it is, the picture, a photo that is in the set already)."""
    hopper, astronaut = photo("grace_hopper.jpg"), photo("astronaut.jpg")
    for file in sorted((PHOTOS / "nobody").glob("*.jpg")):
        with Image.open(file) as found:
            nobody = found.convert("RGB").copy()
        for change in ("as it is", "larger", "dim", "close"):
            yield f"no face: {file.stem}, {change}", CHANGES[change](nobody), None
    for height in (280, 350, 420, 500):
        yield f"two faces: {height}", pair(hopper, astronaut, height), None
        yield (
            f"two faces: mirrored {height}",
            pair(CHANGES["mirrored"](hopper), hopper, height),
            None,
        )
    for expression in range(4):
        for change in ("as it is", "larger", "JPEG 40", "tilted a little", "close"):
            doodle = CHANGES[change](drawn(expression))
            yield f"drawing: a doodle {expression}, {change}", doodle, None
    for name, printed in prints():
        yield f"drawing: {name}", printed, None
    yield from spoilt("hopper", hopper)
    yield from spoilt("astronaut", astronaut)


def spoilt(name: str, person: Image.Image) -> Iterator[tuple[str, Image.Image, Image.Image | None]]:
    """A good photo, made useless in every way that is told apart."""
    for height in (60, 100, 150):
        wall = Image.new("RGB", (1024, 1024), GREY)
        wall.paste(person.resize((height, height)), (400, 300))
        yield f"too small: {name} {height}", wall, None
    for radius in (4.0, 6.0, 9.0):
        blurred = sized(person, 600 / person.height).filter(ImageFilter.GaussianBlur(radius * 2))
        yield f"blurred: {name} {radius}", blurred, None
    for strength in (0.02, 0.08, 0.15):
        yield (
            f"dark: {name} {strength}",
            ImageEnhance.Brightness(person).enhance(strength),
            None,
        )
    for floor in (216, 224, 236):
        lost = person.point([min(255, v // 8 + floor) for v in range(256)] * 3)
        yield f"overexposed: {name} {floor}", lost, None
    for quality in (30, 60, 90):
        yield f"duplicate: {name} {quality}", pressed(person, quality), person
    yield f"duplicate: {name} smaller", sized(person, 0.8), person


def interval(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's, at 95 per cent."""
    if not n:
        return 0.0, 1.0
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
