"""Pictures by number: photos of tests/photos cut, turned and recoloured, and drawn textures."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ROOT / "tests" / "photos"
STYLES = ROOT / "portraits" / "static" / "portraits" / "styles"


@lru_cache
def _photo(name: str) -> Image.Image:
    with Image.open(PHOTOS / name) as found:
        return found.convert("RGB")


def styles() -> list[Image.Image]:
    """The pocket engine's own pictures of a drawn subject, one a style."""
    return [Image.open(file).convert("RGB") for file in sorted(STYLES.glob("*.jpg"))]


def picture(number: int, size: tuple[int, int] = (320, 400)) -> Image.Image:
    """The same for a number; a quarter each of photos, noise, shapes and hatching."""
    rng = np.random.default_rng(number)
    made = (_cut, _noise, _shapes, _hatched)[number % 4](rng, size)
    if rng.random() < 0.3:
        made = made.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 2))))
    return made


def _cut(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    photo = _photo(("astronaut.jpg", "grace_hopper.jpg")[int(rng.integers(2))])
    share = rng.uniform(0.35, 1.0)
    wide, high = int(photo.width * share), int(photo.height * share)
    left = int(rng.integers(photo.width - wide + 1))
    top = int(rng.integers(photo.height - high + 1))
    cut = photo.crop((left, top, left + wide, top + high)).resize(size, Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        cut = ImageOps.mirror(cut)
    cut = ImageEnhance.Color(cut).enhance(float(rng.uniform(0, 2)))
    return ImageEnhance.Contrast(cut).enhance(float(rng.uniform(0.6, 1.6)))


def _noise(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    grain = int(rng.integers(1, 9))
    shape = (size[1] // grain + 1, size[0] // grain + 1, 3)
    small = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def _shapes(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    made = Image.new("RGB", size, tuple(int(x) for x in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(made)
    for _ in range(int(rng.integers(3, 60))):
        left, top = int(rng.integers(size[0])), int(rng.integers(size[1]))
        wide, high = (int(x) for x in rng.integers(5, 200, 2))
        colour = tuple(int(x) for x in rng.integers(0, 256, 3))
        (pen.ellipse, pen.rectangle)[int(rng.integers(2))](
            (left, top, left + wide, top + high), fill=colour
        )
    return made


def _hatched(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Regular lines and tiles, which have periods of their own."""
    down, across = np.mgrid[0 : size[1], 0 : size[0]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 40)
    wave = np.sin((down * np.sin(angle) + across * np.cos(angle)) * 2 * np.pi / period)
    tiles = ((down // int(rng.integers(4, 65)) + across // int(rng.integers(4, 65))) % 2) * 2 - 1
    mixed = 128 + 60 * wave + 50 * tiles * rng.random() + rng.normal(0, 4, wave.shape)
    grey = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
    return grey.convert("RGB")
