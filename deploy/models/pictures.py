"""The pictures that the pocket network learns from: free photographs, none of a person.

Owns the list with its licences, and what is drawn by code in place of people: heads that are
nobody's, and shapes for skin, eyes and hair. Refuses faces: a photograph of a person has no way
into this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from portraits.prompts import CHOICES
from workers.engines import figure
from workers.engines.canvas import grain, streaks

Photo = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    package: str
    path: str
    what: str
    licence: str
    weight: float


SOURCES = (
    Source("skimage.data", "chelsea.png", "a cat, by Stefan van der Walt", "CC0", 3.0),
    Source("skimage.data", "coffee.png", "a cup of coffee, by Rachel Michetti", "CC0", 1.5),
    Source("skimage.data", "rocket.jpg", "a rocket on its pad, by SpaceX", "public domain", 0.7),
    Source("skimage.data", "gravel.png", "gravel, from CC0 Textures", "CC0", 0.3),
    Source(
        "sklearn.datasets.images",
        "china.jpg",
        "a pavilion by a lake, by danielbuechele",
        "CC BY 2.0",
        1.2,
    ),
    Source(
        "sklearn.datasets.images",
        "flower.jpg",
        "a dahlia, by vultilion",
        "CC BY 2.0",
        1.5,
    ),
)


FIGURES: Final = 8
# So many are new in each round of training, which is short: a run meets a hundred of them.
FRESH: Final = 5
# The share of all heads in the weights of the sources.
HEADS: Final = 4.0


def figures(seed: int, count: int = FIGURES) -> list[Image.Image]:
    """Drawn heads of every description: what stands in for faces."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        choices = {name: str(rng.choice(list(values))) for name, values in CHOICES.items()}
        made.append(figure.draw(figure.chosen(choices, int(rng.integers(2**31))), (576, 768)))
    return made


def load(seed: int) -> list[tuple[Image.Image, float]]:
    """Every photograph and a few heads, each with its share of the training."""
    found = []
    for source in SOURCES:
        with files(source.package).joinpath(source.path).open("rb") as stream:
            found.append((Image.open(stream).convert("RGB"), source.weight))
    return found + [(head, HEADS / FRESH) for head in figures(seed, FRESH)]


def cut(rng: np.random.Generator, picture: Image.Image, side: int) -> Photo:
    """A square piece at a random scale, as small as a face in a group or as close as an eye."""
    shortest = min(picture.size)
    span = int(np.clip(shortest * rng.uniform(0.28, 1.0) ** 1.0, 64, shortest))
    left = int(rng.integers(0, picture.width - span + 1))
    top = int(rng.integers(0, picture.height - span + 1))
    piece = picture.crop((left, top, left + span, top + span))
    if rng.random() < 0.5:
        piece = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.3:
        piece = piece.rotate(float(rng.uniform(-30, 30)), Image.Resampling.BICUBIC, expand=False)
        rim = int(span * 0.15)
        piece = piece.crop((rim, rim, span - rim, span - rim))
    piece = piece.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(np.asarray(piece) / 255, dtype=np.float32)


def skin(rng: np.random.Generator) -> Photo:
    """Any complexion, from very light to very dark, in a warm or cool light."""
    depth = rng.random()
    light = np.array([0.96, 0.82, 0.74]) * (1 - depth) + np.array([0.20, 0.12, 0.09]) * depth
    return np.clip(light + rng.normal(0, 0.035, 3), 0.03, 1).astype(np.float32)


def drawn(rng: np.random.Generator, side: int) -> Photo:
    """Lit round forms with strands, dark almonds and soft lines: what a face is made of."""
    shape = (side, side)
    high = sum(
        (grain(rng, shape, float(s)) * s * rng.uniform(0.5, 1.6) for s in (9, 18, 40)),
        np.zeros(shape, np.float32),
    )
    down, across = np.gradient(high * 0.5)
    lamp = rng.normal(0, 1, 2)
    lamp /= np.hypot(*lamp) + 1e-6
    slope = (across * lamp[0] + down * lamp[1]) / np.sqrt(1 + across**2 + down**2)
    shade = np.clip(0.72 + 0.42 * slope, 0.05, 1.15)
    flush = 1 + 0.05 * grain(rng, shape, 12.0)[..., None] * np.array([1.0, -0.4, -0.4])
    photo = skin(rng) * flush * shade[..., None]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    if rng.random() < 0.75:
        tint = np.array([1.0, 0.8, 0.6]) + rng.normal(0, 0.1, 3)
        hair = np.clip(rng.uniform(0.02, 0.5) * tint, 0, 1)
        strands = 1 + 0.3 * streaks(rng, shape, float(rng.uniform(0, 180)), 9.0)
        mask = ndimage.gaussian_filter((grain(rng, shape, 28.0) > 0.5).astype(np.float32), 1.2)
        loose = streaks(rng, shape, float(rng.uniform(0, 180)), 8.0)
        wisps = np.clip(mask + 0.25 * mask * loose, 0, 1)
        photo = photo + (hair * strands[..., None] - photo) * wisps[..., None]
    for _ in range(int(rng.integers(2, 9))):
        y, x = rng.uniform(0, side, 2)
        wide, tall = rng.uniform(3, 26), rng.uniform(1.2, 12)
        angle = rng.normal(0, 0.5)
        dx, dy = columns - x, rows - y
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / wide
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / tall
        outside = (np.sqrt(u * u + v * v) - 1) * min(wide, tall) * 1.6
        inside = 1 / (1 + np.exp(np.clip(outside, -30, 30)))
        colour = rng.choice([0.05, 0.2, 0.9]) + rng.normal(0, 0.06, 3)
        photo = photo + (colour - photo) * (inside * rng.uniform(0.4, 1.0))[..., None]
    speckled = photo + 0.008 * rng.standard_normal(photo.shape)
    return np.asarray(np.clip(speckled, 0, 1), dtype=np.float32)


def light(rng: np.random.Generator, photo: Photo) -> Photo:
    """Another exposure, contrast, colour of light and sharpness, so that every tone is seen."""
    lit = photo ** float(np.exp(rng.normal(0, 0.38)))
    lit = (lit - 0.5) * rng.uniform(0.65, 1.25) + 0.5 + rng.normal(0, 0.06)
    grey = lit.mean(-1, keepdims=True)
    lit = grey + (lit - grey) * rng.uniform(0.3, 1.5)
    lit = lit * (1 + rng.normal(0, 0.09, 3))
    if rng.random() < 0.25:
        lit = lit[..., rng.permutation(3)]
    if rng.random() < 0.4:
        lit = ndimage.gaussian_filter(lit, (*[float(rng.uniform(0.4, 1.8))] * 2, 0))
    if rng.random() < 0.3:
        lit = lit + rng.normal(0, rng.uniform(0.005, 0.03), lit.shape)
    return np.asarray(np.clip(lit, 0, 1), dtype=np.float32)


def one(rng: np.random.Generator, photos: list[tuple[Image.Image, float]], side: int) -> Photo:
    if rng.random() < 0.35:
        return light(rng, drawn(rng, side))
    weights = np.array([weight for _, weight in photos])
    chosen = photos[int(rng.choice(len(photos), p=weights / weights.sum()))][0]
    return light(rng, cut(rng, chosen, side))
