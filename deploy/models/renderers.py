"""Classical painters that the pocket network learns from, one function a style.

Owns the ground truth: photo and canvas in, picture out, without a random number of its own, so
that a network which sees the same canvas can learn every stroke. Runs at training time only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from workers.engines.canvas import REACH, luminance, washes

Image = NDArray[np.float32]
Plane = NDArray[np.float32]


def soft(image: Image, sigma: float) -> Image:
    sigmas = (sigma, sigma, 0) if image.ndim == 3 else (sigma, sigma)
    return np.asarray(ndimage.gaussian_filter(image, sigmas, mode="reflect"), dtype=np.float32)


def ramp(value: Plane, low: float, high: float) -> Plane:
    """A smooth step from 0 at `low` to 1 at `high`."""
    at = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(at * at * (3 - 2 * at), dtype=np.float32)


def blend(under: Image, over: Image, cover: Plane) -> Image:
    return np.asarray(under + (over - under) * cover[..., None], dtype=np.float32)


def ink(red: float, green: float, blue: float) -> Image:
    return np.array([red, green, blue], dtype=np.float32)


def vivid(image: Image, gain: float) -> Image:
    """More or less colour at the same lightness."""
    grey = luminance(image)[..., None]
    return np.asarray(np.clip(grey + (image - grey) * gain, 0, 1), dtype=np.float32)


def clear(light: Plane) -> Plane:
    """Lift what is modelled inside shadows and lights, so that a dark face keeps its features."""
    local = light - soft(light, 14.0)
    return np.asarray(np.clip(light + 0.45 * local, 0, 1), dtype=np.float32)


def flatten(image: Image, radius: int) -> Image:
    """Kuwahara's filter: the calmest of four neighbouring windows gives the colour."""
    size = radius + 1
    grey = luminance(image)
    mean = ndimage.uniform_filter(image, (size, size, 0), mode="reflect")
    level = ndimage.uniform_filter(grey, size, mode="reflect")
    spread = ndimage.uniform_filter(grey * grey, size, mode="reflect") - level * level
    total = np.zeros_like(image)
    weights = np.zeros_like(grey)
    half = radius // 2 + 1
    for down in (-half, half):
        for right in (-half, half):
            calm = np.roll(spread, (down, right), (0, 1))
            weight = 1.0 / (1e-4 + np.clip(calm, 0, None)) ** 3
            total += np.roll(mean, (down, right), (0, 1)) * weight[..., None]
            weights += weight
    return np.asarray(total / weights[..., None], dtype=np.float32)


def contours(light: Plane, sigma: float, slope: float, floor: float) -> Plane:
    """Drawn outlines: 1 on a line, 0 elsewhere (an extended difference of Gaussians)."""
    near, far = soft(light, sigma), soft(light, sigma * 1.6)
    edge = near - far
    return np.asarray(1 - np.clip(1 + np.tanh((edge + floor) * slope), 0, 1), dtype=np.float32)


def pencil(photo: Image, canvas: Image) -> Image:
    light = soft(luminance(photo), 0.6)
    light = np.clip(0.5 * light + 0.5 * clear(light), 0, 1)
    around = soft(light, 6.0)
    drawn = np.clip((light + 0.09) / (around + 0.09), 0, 1)
    line = (1 - drawn) * 1.05 + 0.36 * contours(light, 1.1, 60.0, 0.012)
    tone = 1 - light
    # Two layers of hatching by the side of the lead: the second only where it is dark.
    first = ramp(tone + 0.20 * canvas[0], 0.14, 1.10) * 0.60
    second = ramp(tone + 0.20 * canvas[1], 0.50, 1.25) * 0.46
    graphite = np.clip(line * 0.95 + first + second, 0, 1) * (1 + 0.15 * canvas[2])
    graphite = np.clip(graphite, 0, 0.88)
    paper = ink(0.965, 0.955, 0.93) * (1 + 0.012 * canvas[2][..., None])
    return blend(paper, ink(0.17, 0.17, 0.19), graphite)


def engraving(photo: Image, canvas: Image) -> Image:
    light = clear(soft(luminance(photo), 0.8))
    tone = 1 - np.clip(light * 1.08 - 0.02, 0, 1) ** 0.9
    first = ramp(canvas[0] - (1.06 - 2.15 * np.clip(tone * 0.9, 0, 1)), -0.35, 0.35)
    second = ramp(canvas[1] - (1.15 - 2.1 * np.clip(tone * 1.5 - 0.75, 0, 1)), -0.35, 0.35)
    line = contours(light, 1.1, 70.0, 0.006)
    cover = np.clip(np.maximum(np.maximum(first, second), line), 0, 1) * (0.93 + 0.05 * canvas[2])
    paper = np.broadcast_to(ink(0.957, 0.937, 0.882), photo.shape)
    return blend(paper, ink(0.10, 0.13, 0.22), np.clip(cover, 0, 1))


def watercolour(photo: Image, canvas: Image) -> Image:
    wash, grey, rest = washes(photo, canvas)
    # Each wash dries with a dark rim on its darker side.
    rim = np.exp(-(((rest - 0.30) / 0.10) ** 2)) * 0.34
    # The lightest parts stay bare paper, with the torn edge that a dry brush leaves.
    bare = ramp(grey + 0.10 * canvas[1] + 0.06 * canvas[0], 0.74, 0.98)
    lifted = np.asarray(wash * 1.08 + 0.05, dtype=np.float32)
    pigment = np.clip(vivid(lifted, 1.55), 0.03, 1) ** 0.74
    # Pigment pools in big clouds and settles in the paper's grain; a drop of water pushes it out.
    bloom = ramp(canvas[2], 0.45, 0.75)
    flow = 1 + 0.26 * canvas[2] + 0.20 * canvas[1] + 0.16 * canvas[0] * (1.15 - grey)
    flow = flow * (1 - 0.42 * bloom) * (1 - 0.65 * bare)
    fringe = np.exp(-(((canvas[2] - 0.47) / 0.05) ** 2)) * 0.16 * (1 - bare)
    density = -np.log(pigment) * (flow + rim + fringe)[..., None]
    density = density + (0.30 * rim * (1 - bare))[..., None]
    # A second, drier glaze brings back eyes and mouth, which the first wash has swallowed.
    glaze = np.clip(luminance(soft(photo, 4.0)) - soft(luminance(photo), 0.6) - 0.02, 0, 0.5)
    density = density * 0.85 + 1.9 * glaze[..., None] * ink(0.9, 1.05, 1.0)
    sheet = ink(0.985, 0.975, 0.95) * (1 + 0.015 * canvas[0][..., None])
    return np.asarray(np.clip(sheet * np.exp(-np.clip(density, 0, None)), 0, 1), np.float32)


def _picked(image: Image, canvas: Image) -> Image:
    """The colour under the centre of each pixel's mark."""
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    at = (rows + canvas[1] * REACH, columns + canvas[0] * REACH)
    planes = [ndimage.map_coordinates(image[..., k], at, order=1, mode="nearest") for k in range(3)]
    return np.stack(planes, -1).astype(np.float32)


def oil(photo: Image, canvas: Image) -> Image:
    under = vivid(0.75 * flatten(photo, 3) + 0.25 * photo, 1.28)
    picked = _picked(under, canvas)
    # No two loads of the brush are mixed alike; the hairs leave a streak of the neighbour colour.
    body = picked * (1 + 0.07 * canvas[3])[..., None]
    # Paint stands up in the middle of a stroke and is combed by the hairs of the brush.
    height = ramp(canvas[2], 0.0, 0.40) * 1.0 + 0.42 * canvas[3]
    down, across = np.gradient(height.astype(np.float32))
    relief = np.clip(-(down + across) * 1.1, -0.6, 0.6)
    lit = body * (1 + 0.22 * relief)[..., None] + 0.10 * np.clip(relief, 0, 1)[..., None]
    contrast = lit + 0.16 * (lit - soft(under, 12.0))
    return np.asarray(np.clip(contrast, 0, 1), dtype=np.float32)


def calmed(image: Image, rounds: int, width: float) -> Image:
    """Smooth inside areas and stop at edges: an anisotropic diffusion with a falling threshold."""
    held = soft(image, 1.0)
    for turn in range(rounds):
        limit = width * (1 - 0.5 * turn / rounds)
        change = np.zeros_like(held)
        for axis in (0, 1):
            step = np.diff(soft(held, 0.7), axis=axis)
            gate = np.exp(-np.square(step / limit).sum(-1, keepdims=True))
            flux = np.diff(held, axis=axis) * gate
            before = [(0, 0)] * 3
            after = [(0, 0)] * 3
            before[axis], after[axis] = (1, 0), (0, 1)
            change += np.pad(flux, after) - np.pad(flux, before)
        held = held + 0.24 * change
    return np.asarray(held, dtype=np.float32)


def posterised(grey: Plane, levels: int) -> Plane:
    """A few even tones with a short soft border, so that a flat area has no ragged rim."""
    at = grey * levels
    floor = np.floor(at)
    return np.asarray((floor + ramp(at - floor, 0.42, 0.58)) / levels, dtype=np.float32)


def comic(photo: Image, canvas: Image) -> Image:
    calm = calmed(clear_colour(photo), 16, 0.06)
    grey = luminance(calm)
    tone = posterised(np.clip(grey * 1.05, 0, 1), 5)
    colour = np.clip(vivid(calm * ((tone + 0.04) / (grey + 0.04))[..., None], 1.2), 0, 1)
    shade = ramp(0.42 - grey, 0.0, 0.30)
    screen = ramp(canvas[0] + (shade * 1.5 - 1.0), -0.15, 0.15) * ramp(shade, 0.05, 0.25)
    colour = blend(colour, colour * ink(0.66, 0.60, 0.74), screen)
    # Lines come from the calmed picture: wrinkles and pores draw none. A wide line where the
    # form turns, a thin one in the details.
    thick = contours(grey, 1.8, 90.0, 0.012)
    thin = contours(soft(luminance(photo), 0.8), 1.1, 90.0, 0.020)
    black = ramp(0.15 - grey, 0.0, 0.05)
    line = np.clip(np.maximum(np.maximum(thick, thin) * 1.1, black * 0.9), 0, 1)
    return blend(colour, ink(0.07, 0.06, 0.10), line)


def pastel(photo: Image, canvas: Image) -> Image:
    under = vivid(flatten(photo, 6), 1.55)
    chalk = 0.9 * _picked(under, canvas) + 0.1 * under
    # Each stick is a little warmer or cooler, lighter or darker than the last.
    stick = canvas[2][..., None] - 0.5
    chalk = chalk * 0.92 + 0.08 + stick * 0.16 * ink(1.1, 1.0, 0.85)
    ground = ink(0.60, 0.53, 0.50)
    grey = luminance(chalk)
    # The tooth of a toned paper breaks every stroke; mid tones are left to the paper most.
    load = 0.62 + 1.1 * np.abs(grey - 0.45) + 0.80 * canvas[3] + 0.65 * (canvas[2] - 0.5)
    press = ramp(np.asarray(load, dtype=np.float32), 0.0, 0.75)
    sheet = blend(np.broadcast_to(ground, photo.shape), chalk, press)
    line = contours(soft(luminance(photo), 0.8), 1.8, 45.0, 0.010) * ramp(1.0 + canvas[3], 0.3, 1.2)
    return np.asarray(np.clip(blend(sheet, ink(0.20, 0.14, 0.17), 0.7 * line), 0, 1), np.float32)


def mosaic(photo: Image, canvas: Image) -> Image:
    tile = _picked(vivid(soft(clear_colour(photo), 1.2), 1.3), canvas)
    tile = tile * (0.90 + 0.20 * canvas[3])[..., None]
    bevel = ramp(canvas[2], 0.0, 0.5)
    down, across = np.gradient(np.asarray(bevel))
    slope = np.asarray(np.clip(down + across, -0.5, 0.5), dtype=np.float32)
    tile = tile * (1 - slope * 0.35)[..., None] + 0.02
    joint = 1 - ramp(canvas[2], 0.06, 0.30)
    return np.asarray(np.clip(blend(tile, tile * 0.42 + 0.03, joint), 0, 1), np.float32)


def clear_colour(photo: Image) -> Image:
    light = luminance(photo)
    gain = (clear(light) + 0.03) / (light + 0.03)
    return np.asarray(np.clip(photo * gain[..., None], 0, 1), dtype=np.float32)


def riso(photo: Image, canvas: Image) -> Image:
    light = clear(soft(luminance(photo), 0.5))
    tone = 1 - light
    warm = ramp(tone * 1.5 - 0.12 + 0.42 * canvas[1] * (1 - tone), 0.1, 0.62)
    cold = ramp(tone * 1.9 - 0.78 + 0.30 * canvas[0], 0.05, 0.42)
    warm = warm * (0.90 + 0.07 * canvas[2])
    cold = cold * (0.93 + 0.06 * canvas[2])
    sheet = np.broadcast_to(ink(0.97, 0.95, 0.90), photo.shape)
    sheet = sheet * (1 - warm[..., None] * (1 - ink(1.0, 0.42, 0.36)))
    sheet = sheet * (1 - cold[..., None] * (1 - ink(0.12, 0.30, 0.44)))
    return np.asarray(np.clip(sheet, 0, 1), dtype=np.float32)


def linocut(photo: Image, canvas: Image) -> Image:
    light = clear(soft(luminance(photo), 1.0))
    light = np.clip(light + 0.25 * (light - soft(light, 7.0)), 0, 1)
    cut = ramp(canvas[0] * 0.16 + light + 0.012 * canvas[2], 0.42, 0.48)
    white = ramp(light + 0.012 * canvas[2], 0.60, 0.66)
    line = contours(light, 1.4, 80.0, 0.007)
    printed = np.clip(1 - np.maximum(cut, white) + line, 0, 1)
    mid = ramp(0.74 - light + 0.09 * canvas[0], 0.0, 0.05)
    paper = np.broadcast_to(ink(0.96, 0.93, 0.86), photo.shape)
    paper = blend(paper, ink(0.86, 0.60, 0.36), mid * 0.85)
    worn = printed * (1 - 0.10 * ramp(canvas[2], 0.3, 0.9))
    return blend(paper, ink(0.11, 0.12, 0.15), worn)


PAINTERS: dict[str, Callable[[Image, Image], Image]] = {
    "pencil": pencil,
    "engraving": engraving,
    "watercolour": watercolour,
    "oil": oil,
    "comic": comic,
    "pastel": pastel,
    "mosaic": mosaic,
    "riso": riso,
    "linocut": linocut,
}


def paint(photo: Image, canvas: Image, style: str) -> Image:
    return np.clip(PAINTERS[style](photo, canvas), 0, 1).astype(np.float32)
