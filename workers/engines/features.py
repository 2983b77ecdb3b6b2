"""A drawn face that is nobody's: a relief of smooth bumps under one lamp, with features laid on it.

Owns the head, the eyes and the mouth of the drawn figure (figure.py). No photo and no likeness of
anyone went into it. Places are in heads: x to the right, y downwards, from between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """What is particular about one. All numbers are small, so that a face stays a face."""

    skin: tuple[float, float, float] = (0.86, 0.62, 0.49)
    brow: tuple[float, float, float] = (0.17, 0.10, 0.07)
    iris: tuple[float, float, float] = (0.30, 0.20, 0.12)
    # How much heavier brows and jaw are, and how much fuller lips and lashes.
    heavy: float = 0.0
    full: float = 1.0
    # Lines of age, from 0 to 1.
    lines: float = 0.0
    # How far the corners of the mouth stand up, how far it is open, how far brows are drawn in.
    smile: float = 0.3
    open: float = 0.0
    frown: float = 0.0
    # Where the eyes look, and how far they are closed.
    gaze: tuple[float, float] = (-0.002, 0.0)
    squint: float = 0.0


def edge(distance: NDArray[Any], width: float = 0.0014) -> Plane:
    """Cover from a signed distance: 1 inside, 0 outside, soft over `width`."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / width, -40, 40))), dtype=np.float32)


def oval(x: Plane, y: Plane, at: tuple[float, float], size: tuple[float, float]) -> Plane:
    """Roughly a signed distance to an ellipse."""
    u, v = (x - at[0]) / size[0], (y - at[1]) / size[1]
    return np.asarray((np.sqrt(u * u + v * v) - 1) * min(size), dtype=np.float32)


def bump(
    x: Plane, y: Plane, at: tuple[float, float], size: tuple[float, float], high: float
) -> Plane:
    """A smooth hill, or a hollow where `high` is negative."""
    u, v = (x - at[0]) / size[0], (y - at[1]) / size[1]
    return np.asarray(high * np.exp(-0.5 * (u * u + v * v)), dtype=np.float32)


def over(picture: Picture, colour: Picture, cover: Plane) -> Picture:
    """A colour laid over a picture where `cover` is."""
    laid = (colour - picture) * cover[..., None]
    # In place: another picture would be the largest thing that is held meanwhile.
    laid += picture
    return np.asarray(laid, dtype=np.float32)


def rgb(*parts: float) -> Picture:
    """One colour."""
    return np.array(parts, dtype=np.float32)


@dataclass(frozen=True)
class Lamp:
    """One key light, a weak one from the other side, and what is bright without either."""

    key: tuple[float, float, float] = (-0.50, -0.48, 0.72)
    fill: float = 0.16
    ambient: float = 0.24
    strength: float = 0.80
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


SOFT: Final = Lamp()


def lit(high: Plane, scale: float, lamp: Lamp) -> Plane:
    """Lambert's law."""
    down, across = np.gradient(high * scale)
    length = np.sqrt(1 + down**2 + across**2)
    left, up, front = lamp.key
    # A place faces (-across, -down, 1).
    key = (-across * left - down * up + front) / length
    fill = (across * 0.75 * np.sign(left) + down * 0.1 + 0.55) / length
    bright = lamp.ambient + lamp.strength * np.clip(key, 0, 1) + lamp.fill * np.clip(fill, 0, 1)
    return np.asarray(bright, np.float32)


def head(x: Plane, y: Plane, face: Face) -> Plane:
    """An egg: round above, narrowing to the chin."""
    lower = np.clip(y + 0.02, 0, None)
    wide = 0.315 * (1 - (0.50 - 0.16 * face.heavy) * lower**1.6)
    u, v = x / wide, (y + 0.06) / 0.43
    return np.asarray((np.sqrt(u * u + v * v) - 1) * 0.33, dtype=np.float32)


def relief(x: Plane, y: Plane, face: Face) -> Plane:
    """How far each place stands out."""
    u, v = x / 0.36, (y + 0.06) / 0.50
    high = 0.30 * np.sqrt(np.clip(1 - u * u - v * v, 0.02, 1))
    cheeks = 0.018 + 0.022 * max(face.smile, 0) + 0.012 * face.open
    for side in (-1, 1):
        high = high + bump(x, y, (side * 0.125, -0.065), (0.060, 0.036), -0.030)
        high = high + bump(x, y, (side * 0.125, -0.060), (0.042, 0.024), 0.016)
        brow = 0.014 + 0.010 * face.heavy
        high = high + bump(x, y, (side * 0.125, -0.135), (0.075, 0.026), brow)
        high = high + bump(x, y, (side * 0.165, 0.085), (0.070, 0.060), cheeks)
        high = high + bump(x, y, (side * 0.040, 0.088), (0.020, 0.017), 0.016)
        high = high + bump(x, y, (side * 0.086, 0.150), (0.014, 0.045), -0.006)
        high = high + bump(x, y, (side * 0.19, 0.27), (0.05, 0.05), 0.022 * face.heavy)
    for step in range(9):
        at = -0.10 + step * 0.022
        wide = 0.020 + step * 0.0012 + 0.003 * face.heavy
        high = high + bump(x, y, (0, at), (wide, 0.022), 0.007 + 0.0016 * step)
    high = high + bump(x, y, (0, 0.072), (0.030, 0.026), 0.015)
    high = high + bump(x, y, (0, 0.135), (0.012, 0.018), -0.008)
    high = high + bump(x, y, (0, 0.168), (0.062, 0.013), 0.014)
    high = high + bump(x, y, (0, 0.205), (0.055, 0.015), 0.018)
    high = high + bump(x, y, (0, 0.240), (0.060, 0.012), -0.012)
    high = high + bump(x, y, (0, 0.300), (0.070, 0.040), 0.020 + 0.010 * face.heavy)
    return np.asarray(high, dtype=np.float32)


def aged(picture: Picture, x: Plane, y: Plane, face: Face) -> Picture:
    """Lines beside the nose and the eyes and on the forehead; more of them with a smile."""
    strength = face.lines + 0.35 * max(face.smile - 0.4, 0)
    if strength <= 0:
        return picture
    dark = np.zeros_like(x)
    for side in (-1, 1):
        # From the wing of the nose around the corner of the mouth.
        t = np.clip((y - 0.085) / 0.15, 0, 1)
        fold = np.abs(x * side - (0.052 + 0.062 * t**0.8)) / 0.006
        dark += 0.55 * np.exp(-(fold**2)) * edge(np.abs(y - 0.16) - 0.075, 0.012)
        for turn in (-0.5, 0.0, 0.45):
            reach = x * side - 0.205
            crow = np.abs(y + 0.058 - turn * np.clip(reach, 0, 0.06)) / 0.0035
            dark += (
                0.42 * face.lines * np.exp(-(crow**2)) * edge(np.abs(reach - 0.028) - 0.024, 0.01)
            )
        bag = np.abs(y + 0.012 + 0.35 * (x * side - 0.125) ** 2 * 8) / 0.006
        dark += 0.30 * face.lines * np.exp(-(bag**2)) * edge(np.abs(x * side - 0.125) - 0.05, 0.015)
    for line in (-0.245, -0.285, -0.322):
        wave = np.abs(y - line - 0.012 * np.cos(x * 14)) / 0.0042
        dark += 0.36 * face.lines * np.exp(-(wave**2)) * edge(np.abs(x) - 0.16, 0.04)
    return over(picture, picture * rgb(0.58, 0.46, 0.42), np.clip(strength * dark, 0, 1))


def eyes(picture: Picture, x: Plane, y: Plane, face: Face) -> Picture:
    """White, iris, lids, lashes and brows, of both."""
    for side in (-1, 1):
        u = (x - side * 0.125) / 0.058
        tilt = y + 0.058 + 0.004 * u * side
        near = 1 - 0.55 * face.squint
        lid = -0.027 * near * np.clip(1 - u * u, -1, 1)
        floor = 0.018 * near * np.clip(1 - u * u, -1, 1)
        inside = edge(np.maximum(lid - tilt, tilt - floor).astype(np.float32), 0.0022)
        white = rgb(0.90, 0.87, 0.84) * (0.80 + 0.20 * max(face.skin))
        picture = over(picture, white.astype(np.float32), inside)
        middle = (side * 0.125 + face.gaze[0], -0.062 + face.gaze[1])
        iris = oval(x, y, middle, (0.0245, 0.0245))
        picture = over(picture, rgb(*face.iris), inside * edge(iris, 0.002))
        pupil = oval(x, y, middle, (0.012, 0.012))
        picture = over(picture, rgb(0.04, 0.03, 0.03), inside * edge(pupil, 0.002))
        shade = np.exp(-np.clip(tilt - lid, 0, None) / 0.008) * inside
        picture = over(picture, rgb(0.16, 0.10, 0.09), 0.5 * shade.astype(np.float32))
        glint = oval(x, y, (middle[0] - 0.008, middle[1] - 0.009), (0.006, 0.006))
        picture = over(picture, rgb(1, 1, 1), edge(glint, 0.002) * inside)
        reach = edge((np.abs(u) - 1.08).astype(np.float32), 0.03)
        lash = np.exp(-(((tilt - lid) / (0.0042 + 0.0018 * face.full)) ** 2)) * reach
        picture = over(picture, rgb(0.10, 0.06, 0.05), 0.92 * lash.astype(np.float32))
        crease = np.exp(-(((tilt - lid + 0.020) / 0.005) ** 2)) * reach
        crease_colour = np.asarray(rgb(*face.skin) * rgb(0.47, 0.37, 0.37), np.float32)
        picture = over(picture, crease_colour, 0.35 * crease.astype(np.float32))
        picture = _brow(picture, x, y, side, face)
    return picture


def _brow(picture: Picture, x: Plane, y: Plane, side: int, face: Face) -> Picture:
    w = (x - side * 0.132) / 0.078
    inner = -w * side
    arch = -0.128 - 0.020 * (1 - (w - 0.25 * side) ** 2) - 0.010 * face.open
    arch = arch + 0.020 * face.frown * np.clip(inner, -0.3, 1) + 0.008 * face.heavy
    thick = (0.011 + 0.005 * face.heavy) * (1.15 - 0.55 * w * side)
    brow = np.exp(-(((y - arch) / thick) ** 2)) * edge((np.abs(w) - 1).astype(np.float32), 0.06)
    return over(picture, rgb(*face.brow), 0.82 * brow.astype(np.float32))


def mouth(picture: Picture, x: Plane, y: Plane, face: Face) -> Picture:
    """Lips, the line between them or teeth, and nostrils."""
    wide = 0.088 * (1 + 0.18 * max(face.smile, 0))
    u = x / wide
    up = -0.017 - 0.030 * (face.smile - 0.3)
    seam = 0.188 + up * u * u + 0.003 * np.cos(u * 6) + 0.012 * (face.smile - 0.3)
    gap = 0.040 * face.open * np.clip(1 - u * u, 0, 1)
    bow = 0.019 * np.clip(1 - np.abs(u) ** 1.6, 0, 1) * (1 - 0.30 * np.exp(-((u / 0.16) ** 2)))
    bow, full = bow * face.full, 0.026 * face.full * np.clip(1 - u * u, 0, 1)
    floor = seam + gap
    upper = edge(np.maximum(seam - bow - y, y - seam).astype(np.float32), 0.0022)
    lower = edge(np.maximum(floor - y, y - floor - full).astype(np.float32), 0.0026)
    within = edge((np.abs(u) - 1).astype(np.float32), 0.03)
    upper, lower = upper * within, lower * within
    red = 0.70 + 0.30 * min(face.full, 1.1)
    picture = over(picture, picture * rgb(0.80, 0.48, 0.46), 0.85 * red * upper)
    picture = over(picture, picture * rgb(0.95, 0.58, 0.56), 0.80 * red * lower)
    shine = bump(x, y, (-0.012, 0.203 + 0.040 * face.open), (0.022, 0.005), 0.5)
    picture = over(picture, picture * 1.25 + 0.06, shine)
    if face.open > 0:
        inside = edge(np.maximum(seam - y, y - floor).astype(np.float32), 0.002) * within
        picture = over(picture, rgb(0.24, 0.08, 0.08), inside)
        teeth = edge(np.maximum(seam - y, y - seam - 0.72 * gap).astype(np.float32), 0.002)
        picture = over(picture, rgb(0.93, 0.91, 0.87), inside * teeth * 0.95)
    line = np.exp(-(((y - seam) / 0.0038) ** 2)) * edge((np.abs(u) - 1.02).astype(np.float32), 0.04)
    picture = over(picture, rgb(0.27, 0.10, 0.09), 0.80 * line.astype(np.float32))
    for side in (-1, 1):
        nostril = oval(x, y, (side * 0.021, 0.104), (0.011, 0.006))
        picture = over(picture, rgb(0.25, 0.12, 0.09), 0.75 * edge(nostril, 0.003))
    return picture
