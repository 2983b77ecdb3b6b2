"""The mark that nobody sees: that a picture was made here, and nothing else. Pixels and numpy only.

It owns one pattern, the same in every portrait of an installation, how it is laid over a picture,
and how it is found again after a picture was shrunk, cropped or saved once more. It carries no
payload: no number of a person, a portrait or a day could be read from it. It refuses no picture.

The pattern is a tile of PERIOD pixels, made of waves of equal strength and of phases that only the
key decides. `detect` looks at phases alone. Each wave of a strange picture then counts as the
cosine of an angle that is uniform over the keys, and a sum of n of them exceeds z·√(n/2) with a
chance of at most exp(-z²/2), whatever the picture shows. THRESHOLD leaves less than one in ten
million for all places and scales together. The key is no secret of a person; who knows it can
forge the mark, or take it away (deploy/docs/provenance.md).
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

PERIOD: Final = 64
# Waves of so many periods a tile: slower ones are what pictures consist of, faster ones do not
# survive a JPEG.
SLOWEST: Final = 4.0
FASTEST: Final = 15.0
# Root mean square of what is added, of 255: a signal-to-noise ratio of 41 dB.
STRENGTH: Final = 2.2
# Larger pictures carry a larger pattern, as they are looked at no larger than this.
LONGEST: Final = 1024
# How much stronger it may be where a picture is busy, where no eye finds it.
CALM: Final = 2.0
BUSY: Final = 24.0
# What the detector tries: from a picture shrunk to two fifths to one enlarged to twice its size.
SMALLEST: Final = 0.4
LARGEST: Final = 2.0
THRESHOLD: Final = 8.0
# The detector weighs each place by how calm its surroundings of so many pixels are, this calm ones
# and calmer alike: lines of ink are a hundred times as strong as what is looked for.
AROUND: Final = 6
STILL: Final = 2.0
_ROWS: Final = 256

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """How far the best fit stands out, in standard deviations of chance, and at which scale."""

    score: float
    scale: float

    @property
    def made_here(self) -> bool:
        """Whether chance is ruled out."""
        return self.score >= THRESHOLD


@lru_cache(maxsize=4)
def _waves(key: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.complex64]]:
    """Frequencies in periods a tile, half of the plane, and the key's phase of each."""
    reach = int(FASTEST)
    down, across = np.mgrid[-reach : reach + 1, 0 : reach + 1]
    far = np.hypot(down, across)
    kept = (far >= SLOWEST) & (far <= FASTEST) & ((across > 0) | (down > 0))
    down, across = down[kept], across[kept]
    digest = hashlib.shake_256(b"sitter/watermark/1/" + key.encode()).digest(4 * len(down))
    angles = np.frombuffer(digest, ">u4").astype(np.float64) * (2 * np.pi / 2**32)
    return down, across, np.exp(1j * angles).astype(np.complex64)


@lru_cache(maxsize=4)
def _tile(key: str) -> Plane:
    """One period of the pattern, with a mean of 0 and a root mean square of 1."""
    down, across, phases = _waves(key)
    spectrum = np.zeros((PERIOD, PERIOD), np.complex64)
    spectrum[down % PERIOD, across % PERIOD] = phases
    spectrum[-down % PERIOD, -across % PERIOD] = phases.conj()
    tile: Plane = np.fft.ifft2(spectrum).real.astype(np.float32)
    tile /= tile.std()
    return tile


def embed(picture: Image.Image, key: str) -> Image.Image:
    """The same picture with the mark in its brightness."""
    colours = picture.convert("RGB")
    weight = _weight(colours)
    pattern = _pattern(key, colours.width, colours.height)
    # The same strength in every picture: what a busy part gets more, a calm one gets less.
    total = float(np.square(pattern * weight, dtype=np.float32).mean())
    factor = np.float32(STRENGTH / max(total, 1e-6) ** 0.5)
    pixels = np.asarray(colours)
    marked = np.empty_like(pixels)
    for top in range(0, len(pixels), _ROWS):
        rows = slice(top, top + _ROWS)
        added = pattern[rows] * weight[rows] * factor
        moved = pixels[rows] + added[:, :, None]
        np.rint(np.clip(moved, 0, 255, out=moved), out=moved)
        marked[rows] = moved
    return Image.fromarray(marked)


def _weight(colours: Image.Image) -> Plane:
    """How much each place can carry unseen: more where the picture is busy."""
    grey = colours.convert("L")
    around = grey.filter(ImageFilter.BoxBlur(2))
    busy = ImageChops.difference(grey, around).filter(ImageFilter.BoxBlur(4))
    table = np.sqrt(np.clip(np.arange(256), CALM, BUSY) / CALM).astype(np.float32)
    return np.asarray(table[np.asarray(busy)], np.float32)


def _pattern(key: str, width: int, height: int) -> Plane:
    """The tile laid side by side, enlarged with pictures beyond LONGEST."""
    larger = max(1.0, max(width, height) / LONGEST)
    wide, high = round(width / larger), round(height / larger)
    repeats = -(-high // PERIOD), -(-wide // PERIOD)
    laid = np.tile(_tile(key), repeats)[:high, :wide]
    if larger > 1.0:
        enlarged = Image.fromarray(laid).resize((width, height), Image.Resampling.BILINEAR)
        laid = np.asarray(enlarged, np.float32)
    return laid


def detect(picture: Image.Image, key: str) -> Found:
    """Look for the mark at every place and scale."""
    grey = picture.convert("L")
    if max(grey.size) > LONGEST:
        grey.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    spectrum, high, wide = _spectrum(grey)
    return _search(spectrum, high, wide, key)


def _spectrum(grey: Image.Image) -> tuple[NDArray[np.complex64], int, int]:
    """Phases of what differs from its surroundings, seen from the middle of the picture."""
    around = np.asarray(grey.filter(ImageFilter.BoxBlur(AROUND)), np.float32)
    apart = np.asarray(grey, np.float32) - around
    loud = Image.fromarray(np.abs(apart).astype(np.uint8)).filter(ImageFilter.BoxBlur(AROUND))
    apart /= np.asarray(loud, np.float32) + np.float32(STILL)
    high, wide = apart.shape
    apart *= _window(high)[:, None]
    apart *= _window(wide)
    # With the middle at the origin, a wave between two frequencies has the phase of both.
    centred = np.roll(apart, (-(high // 2), -(wide // 2)), axis=(0, 1))
    spectrum = np.fft.rfft2(centred)
    size = np.abs(spectrum)
    return (spectrum / np.maximum(size, 1e-6)).astype(np.complex64), high, wide


def _window(length: int) -> Plane:
    """Half a wave: it ends at nothing, as it must, and keeps more of the picture than a bell."""
    return np.asarray(np.sin(np.pi * (np.arange(length) + 0.5) / length), np.float32)


def _search(spectrum: NDArray[np.complex64], high: int, wide: int, key: str) -> Found:
    down, across, phases = _waves(key)
    # From one scale to the next, the fastest wave moves by about two thirds of a frequency.
    step = 1 + 0.65 * PERIOD / (FASTEST * max(high, wide))
    count = int(np.log(LARGEST / SMALLEST) / np.log(step)) + 1
    scales = SMALLEST * step ** np.arange(count)
    best = Found(0.0, 0.0)
    for scale in scales:
        rows = np.rint(down * (high / (PERIOD * scale))).astype(np.int64)
        columns = np.rint(across * (wide / (PERIOD * scale))).astype(np.int64)
        inside = (np.abs(rows) < high // 2) & (columns < wide // 2)
        # Three quarters of the waves are enough; a scale that shows fewer is not looked at.
        known = int(inside.sum())
        if known * 4 < len(down) * 3:
            continue
        fit = np.zeros((PERIOD, PERIOD // 2 + 1), np.complex64)
        seen = spectrum[rows[inside], columns[inside]]
        fit[down[inside] % PERIOD, across[inside]] = seen * phases[inside].conj()
        # Waves that stand upright belong to both halves of the plane.
        upright = across[inside] == 0
        fit[-down[inside][upright] % PERIOD, 0] = (seen * phases[inside].conj())[upright].conj()
        places = np.fft.irfft2(fit, (PERIOD, PERIOD))
        # irfft2 counts every wave twice and divides by the number of places.
        score = float(places.max()) * (PERIOD * PERIOD / 2) / (known / 2) ** 0.5
        if score > best.score:
            best = Found(score, float(scale))
    return best
