"""What pocket's enlarging network learns from: large pieces, and what is left of them when small.

Owns the pieces, the ways in which they are made small, and the comparison with bicubic on pictures
that training never sees. Refuses photos of people, as pictures.py does: the figure that stands in
for them is drawn by code.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from deploy.models import pictures
from workers.engines.sizes import SCALE

Pixels = NDArray[np.float32]
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

SIDE: Final = 48  # of a piece when it is small
LARGE: Final = SIDE * SCALE
# (package, file): measured on, never learnt from.
HELD_OUT: Final = (("skimage.data", "coffee.png"), ("skimage.data", "brick.png"))
SMALLER: Final = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)


def photographs() -> list[Image.Image]:
    """The free photographs of pictures.py without those that are measured on."""
    kept = [source for source in pictures.SOURCES if (source.package, source.path) not in HELD_OUT]
    return [_open(source.package, source.path) for source in kept]


def _open(package: str, path: str) -> Image.Image:
    with files(package).joinpath(path).open("rb") as stream:
        return Image.open(stream).convert("RGB")


def cut(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """A piece that is never enlarged, so that it is as sharp as its picture is."""
    shortest = min(picture.size)
    span = int(rng.integers(LARGE, max(shortest, LARGE) + 1))
    left = int(rng.integers(0, picture.width - span + 1))
    top = int(rng.integers(0, picture.height - span + 1))
    box = (left, top, left + span, top + span)
    return picture.resize((LARGE, LARGE), Image.Resampling.LANCZOS, box=box)


def inked(rng: np.random.Generator) -> Image.Image:
    """Lines, dots and flat shapes with clean edges: what drawn and printed styles are made of."""
    side = 2 * LARGE
    sheet = Image.new("RGB", (side, side), _colour(rng))
    pen = ImageDraw.Draw(sheet)
    for _ in range(int(rng.integers(3, 14))):
        colour, kind = _colour(rng), rng.random()
        points = [(float(x), float(y)) for x, y in rng.uniform(0, side, (4, 2))]
        if kind < 0.3:
            pen.line(points, fill=colour, width=int(rng.integers(4, 26)), joint="curve")
        elif kind < 0.5:
            pen.polygon(points, fill=colour)
        elif kind < 0.65:
            (x, y), radius = points[0], float(rng.uniform(8, 90))
            pen.ellipse((x - radius, y - 0.7 * radius, x + radius, y + 0.7 * radius), fill=colour)
        elif kind < 0.85:
            _hatch(rng, pen, points[0], colour)
        else:
            _dots(rng, pen, points[0], colour)
    return sheet.resize((LARGE, LARGE), Image.Resampling.BOX)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Half of them ink, paper or grey; the rest of any hue."""
    tone = rng.integers(0, 256, 3) if rng.random() < 0.5 else np.full(3, rng.integers(0, 256))
    return int(tone[0]), int(tone[1]), int(tone[2])


def _hatch(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    angle, gap, length = rng.uniform(0, np.pi), rng.uniform(16, 60), rng.uniform(60, 260)
    wide = int(gap * rng.uniform(0.25, 0.6))
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    for index in range(int(rng.integers(4, 14))):
        first = np.array(start) + aside * gap * index
        last = first + along * length
        pen.line([(first[0], first[1]), (last[0], last[1])], fill=colour, width=wide)


def _dots(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    gap = float(rng.uniform(24, 60))
    radius = gap * float(rng.uniform(0.15, 0.45))
    for row in range(6):
        for column in range(6):
            x = start[0] + (column + 0.5 * (row % 2)) * gap
            y = start[1] + row * gap * 0.87
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def turned(rng: np.random.Generator, piece: Image.Image) -> Pixels:
    """Another way round, another light, another colour."""
    if rng.random() < 0.5:
        piece = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.5:
        piece = piece.transpose(Image.Transpose.ROTATE_90)
    lit = np.asarray(piece, dtype=np.float32) / np.float32(255)
    lit = lit ** float(np.exp(rng.normal(0, 0.3)))
    lit = (lit - 0.5) * rng.uniform(0.7, 1.2) + 0.5 + rng.normal(0, 0.04)
    if rng.random() < 0.3:
        lit = lit[..., rng.permutation(3)]
    return np.asarray(np.clip(lit, 0, 1), dtype=np.float32)


def piece(rng: np.random.Generator, photos: list[Image.Image], drawn: list[Image.Image]) -> Pixels:
    chance = rng.random()
    if chance < 0.42:
        return turned(rng, cut(rng, photos[int(rng.integers(len(photos)))]))
    if chance < 0.54:
        return pictures.drawn(rng, LARGE)
    if chance < 0.70:
        return turned(rng, cut(rng, drawn[int(rng.integers(len(drawn)))]))
    return turned(rng, inked(rng))


def small(
    large: Image.Image,
    *,
    blur: float,
    how: Image.Resampling,
    grain: Pixels | None = None,
    quality: int | None = None,
) -> Image.Image:
    """What is left of a picture after a lens, a smaller size, a little noise and a JPEG."""
    soft = large.filter(ImageFilter.GaussianBlur(blur)) if blur else large
    less = soft.resize((large.width // SCALE, large.height // SCALE), how)
    if grain is not None:
        noisy = np.asarray(less, dtype=np.float32) + grain
        less = Image.fromarray(np.clip(noisy, 0, 255).round().astype(np.uint8))
    if quality is None:
        return less
    held = io.BytesIO()
    less.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def pairs(
    seed: list[int], count: int, photos: list[Image.Image], drawn: list[Image.Image]
) -> list[Pair]:
    """Small and large of the same piece, channels first."""
    rng = np.random.default_rng(seed)
    made: list[Pair] = []
    for _ in range(count):
        pixels = piece(rng, photos, drawn)
        large = Image.fromarray((pixels * 255).round().astype(np.uint8))
        noise = rng.normal(0, rng.uniform(0.3, 2.5), (SIDE, SIDE, 3)).astype(np.float32)
        less = small(
            large,
            blur=float(rng.uniform(0, 1.6)),
            how=SMALLER[int(rng.integers(len(SMALLER)))],
            grain=noise if rng.random() < 0.3 else None,
            quality=int(rng.integers(75, 99)) if rng.random() < 0.6 else None,
        )
        made.append(
            (
                np.asarray(less, dtype=np.uint8).transpose(2, 0, 1),
                np.asarray(large, dtype=np.uint8).transpose(2, 0, 1),
            )
        )
    return made


def psnr(truth: Image.Image, made: Image.Image) -> float:
    """In decibels, over all channels, without a rim that every method has to guess."""
    rim = 4 * SCALE
    first, second = (
        np.asarray(each, dtype=np.float64)[rim:-rim, rim:-rim] for each in (truth, made)
    )
    return float(10 * np.log10(255**2 / np.mean((first - second) ** 2)))


def compare(enlarge: Callable[[Image.Image], Image.Image]) -> dict[str, list[float]]:
    """Bicubic's and our PSNR on each picture that is measured on, made small as an app might."""
    found = {}
    for package, path in HELD_OUT:
        truth = _open(package, path)
        truth = truth.crop((0, 0, truth.width // SCALE * SCALE, truth.height // SCALE * SCALE))
        for name, quality in (("clean", None), ("JPEG 90", 90)):
            less = small(truth, blur=0.6, how=Image.Resampling.LANCZOS, quality=quality)
            plain = less.resize(truth.size, Image.Resampling.BICUBIC)
            scores = [psnr(truth, plain), psnr(truth, enlarge(less))]
            found[f"{path}, {name}"] = [round(score, 2) for score in scores]
    return found
