"""The sheet around the painting: where a sketch runs out and a print has its margin.

Owns the border, that a drawing in one ink has one ink, and that skin is as dark and of the hue that
it was where a style would bleach or tint it. Refuses to redraw: inside the border no line is moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.engines import hues
from workers.engines.canvas import Plane, blur, grain, luminance


@dataclass(frozen=True)
class Border:
    paper: tuple[float, float, float]
    margin: float  # bare paper at the edge, as a share of the shorter side
    fade: float  # how far the painting takes to reach its full strength
    ragged: float  # how uneven that line is


BORDERS = {
    "pencil": Border((0.965, 0.955, 0.93), 0.010, 0.08, 0.014),
    "watercolour": Border((0.985, 0.975, 0.95), 0.026, 0.022, 0.006),
    "engraving": Border((0.957, 0.937, 0.882), 0.035, 0.004, 0.0),
    "riso": Border((0.97, 0.95, 0.90), 0.035, 0.003, 0.0008),
    "linocut": Border((0.96, 0.93, 0.86), 0.035, 0.003, 0.003),
    # Drawn on toned paper, on which a drawing runs out instead of ending at a margin.
    "pastel": Border((0.60, 0.565, 0.52), 0.030, 0.09, 0.010),
}


# The ink of the styles that have only one, on the paper of their border.
INKS = {
    "pencil": (0.17, 0.17, 0.19),
    "engraving": (0.10, 0.13, 0.22),
}


# Washes and chalk on light paper make dark skin lighter. So much of that is taken back, seen from
# afar: a wash or a stroke stays as bright beside its neighbour as it was painted.
KEPT = {"watercolour": 0.75, "pastel": 0.75}
AFAR = 9.0


def keep_tone(picture: Image.Image, photo: Image.Image, style: str) -> Image.Image:
    """The painting, as dark from afar as the photo where its style is made to be."""
    strength = KEPT.get(style)
    if strength is None:
        return picture
    pixels: NDArray[np.float32] = np.asarray(picture, dtype=np.float32)
    far = AFAR * min(photo.size) / 512
    was, now = (
        blur(luminance(np.asarray(seen, dtype=np.float32) / np.float32(255)), far)
        for seen in (photo, picture)
    )
    ratio = np.clip((was + 0.02) / (now + 0.02), 0.2, 1.0) ** strength
    return Image.fromarray((pixels * ratio[..., None]).round().astype(np.uint8))


# The paper under thin washes tints what is pale: seen from afar a hue turns by so many degrees of
# CIELAB at most, and what it turned further is turned back. What is nearly grey has no hue to keep.
TURNED = {"watercolour": 10.0}
NEARLY_GREY = 5.0
# From afar: one of so many pixels to each side.
COARSE = 8


def keep_hue(picture: Image.Image, photo: Image.Image, style: str) -> Image.Image:
    """The painting, of nearly the photo's hues from afar where its style is made to keep them.

    What is turned is how a place looks from afar; a wash stays as it is beside its neighbour.
    """
    most = TURNED.get(style)
    if most is None:
        return picture
    far = _from_afar(picture)
    (_, was), (light, now) = hues.lab(_from_afar(photo)), hues.lab(far)
    apart = np.angle(now * was.conj())
    back = np.clip(apart, -np.deg2rad(most), np.deg2rad(most)) - apart
    if not back.any():
        return picture
    full = np.minimum(np.abs(was), np.abs(now))
    back *= full**2 / (full**2 + NEARLY_GREY**2)
    shift = hues.srgb(light, np.asarray(now * np.exp(1j * back), dtype=np.complex64)) - far
    pixels: NDArray[np.float32] = np.array(picture, dtype=np.float32)
    for k in range(3):
        plane = Image.fromarray(np.ascontiguousarray(shift[..., k]) * np.float32(255))
        pixels[..., k] += np.asarray(plane.resize(picture.size, Image.Resampling.BILINEAR))
    return Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))


def _from_afar(picture: Image.Image) -> NDArray[np.float32]:
    """A small copy in 0..1, without its strokes."""
    size = (picture.width // COARSE, picture.height // COARSE)
    small = np.asarray(picture.resize(size, Image.Resampling.BOX), dtype=np.float32)
    soft = [blur(small[..., k], AFAR * min(size) / 512) for k in range(3)]
    far: NDArray[np.float32] = np.clip(np.stack(soft, axis=-1) / np.float32(255), 0, 1)
    return far


def _one_ink(
    pixels: NDArray[np.float32], dark: NDArray[np.float32], paper: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Keep the tone and drop what is left of the photo's colours, red and gold above all."""
    low, high = float(luminance(dark)), float(luminance(paper))
    tone = np.clip((luminance(pixels) - low) / (high - low), 0, 1)[..., None]
    return np.asarray(dark + (paper - dark) * tone, dtype=np.float32)


def _inside(shape: tuple[int, int]) -> Plane:
    """Distance to the nearest edge as a share of the shorter side."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    down = np.minimum(rows, shape[0] - 1 - rows)
    right = np.minimum(columns, shape[1] - 1 - columns)
    return np.asarray(np.minimum(down, right) / min(shape), dtype=np.float32)


def finish(picture: Image.Image, style: str, seed: int) -> Image.Image:
    border = BORDERS.get(style)
    if border is None:
        return picture
    pixels: NDArray[np.float32] = np.asarray(picture, dtype=np.float32)
    paper = np.array(border.paper, dtype=np.float32) * np.float32(255)
    if style in INKS:
        dark = np.array(INKS[style], dtype=np.float32) * np.float32(255)
        pixels = _one_ink(pixels, dark, paper)
    shape = (picture.height, picture.width)
    rng = np.random.default_rng([seed, 2])
    scale = min(shape) / 512
    uneven = grain(rng, shape, 9.0 * scale) + 0.6 * grain(rng, shape, 2.5 * scale)
    reach = (_inside(shape) - border.margin + border.ragged * uneven) / border.fade
    cover = np.clip(reach, 0, 1)[..., None]
    done = paper + (pixels - paper) * cover
    return Image.fromarray(done.round().astype(np.uint8))
