"""A head and shoulders that is nobody's, modelled by code.

Owns the figure on the style previews: a relief of smooth bumps under one lamp, with eyes, hair
and clothes laid over it. No photo and no likeness of anyone went into it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.engines.canvas import blur, grain, streaks

Plane = NDArray[np.float32]
Picture = NDArray[np.float32]
# Drawn larger and scaled down: the cheapest even antialiasing there is.
OVER = 2


def _edge(distance: Plane, width: float = 0.0014) -> Plane:
    """Cover from a signed distance: 1 inside, 0 outside, soft over `width`."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / width, -40, 40))), dtype=np.float32)


def _oval(x: Plane, y: Plane, at: tuple[float, float], size: tuple[float, float]) -> Plane:
    """Roughly a signed distance to an ellipse."""
    u, v = (x - at[0]) / size[0], (y - at[1]) / size[1]
    return np.asarray((np.sqrt(u * u + v * v) - 1) * min(size), dtype=np.float32)


def _bump(
    x: Plane, y: Plane, at: tuple[float, float], size: tuple[float, float], high: float
) -> Plane:
    u, v = (x - at[0]) / size[0], (y - at[1]) / size[1]
    return np.asarray(high * np.exp(-0.5 * (u * u + v * v)), dtype=np.float32)


def _over(picture: Picture, colour: Picture, cover: Plane) -> Picture:
    return np.asarray(picture + (colour - picture) * cover[..., None], dtype=np.float32)


def _rgb(*parts: float) -> Picture:
    return np.array(parts, dtype=np.float32)


def _lit(high: Plane, scale: float) -> Plane:
    """Lambert's law for one warm lamp at the upper left, with a weak light from the right."""
    down, across = np.gradient(high * scale)
    length = np.sqrt(1 + down**2 + across**2)
    key = (-across * -0.50 + -down * -0.48 + 0.72) / length
    fill = (-across * 0.75 + -down * -0.1 + 0.55) / length
    return np.asarray(0.24 + 0.80 * np.clip(key, 0, 1) + 0.16 * np.clip(fill, 0, 1), np.float32)


def _head_shape(x: Plane, y: Plane) -> Plane:
    """An egg: round above, narrowing to the chin."""
    lower = np.clip(y + 0.02, 0, None)
    wide = 0.315 * (1 - 0.50 * lower**1.6)
    u, v = x / wide, (y + 0.06) / 0.43
    return np.asarray((np.sqrt(u * u + v * v) - 1) * 0.33, dtype=np.float32)


def _relief(x: Plane, y: Plane) -> Plane:
    u, v = x / 0.36, (y + 0.06) / 0.50
    high = 0.30 * np.sqrt(np.clip(1 - u * u - v * v, 0.02, 1))
    for side in (-1, 1):
        high = high + _bump(x, y, (side * 0.125, -0.065), (0.060, 0.036), -0.030)
        high = high + _bump(x, y, (side * 0.125, -0.060), (0.042, 0.024), 0.016)
        high = high + _bump(x, y, (side * 0.125, -0.135), (0.075, 0.026), 0.014)
        high = high + _bump(x, y, (side * 0.165, 0.085), (0.070, 0.060), 0.018)
        high = high + _bump(x, y, (side * 0.040, 0.088), (0.020, 0.017), 0.016)
        high = high + _bump(x, y, (side * 0.086, 0.150), (0.014, 0.045), -0.006)
    for step in range(9):
        at = -0.10 + step * 0.022
        high = high + _bump(x, y, (0, at), (0.020 + step * 0.0012, 0.022), 0.007 + 0.0016 * step)
    high = high + _bump(x, y, (0, 0.072), (0.030, 0.026), 0.015)
    high = high + _bump(x, y, (0, 0.135), (0.012, 0.018), -0.008)
    high = high + _bump(x, y, (0, 0.168), (0.062, 0.013), 0.014)
    high = high + _bump(x, y, (0, 0.205), (0.055, 0.015), 0.018)
    high = high + _bump(x, y, (0, 0.240), (0.060, 0.012), -0.012)
    return np.asarray(high + _bump(x, y, (0, 0.300), (0.070, 0.040), 0.020), dtype=np.float32)


def _eyes(face: Picture, x: Plane, y: Plane) -> Picture:
    for side in (-1, 1):
        u = (x - side * 0.125) / 0.058
        tilt = y + 0.058 + 0.004 * u * side
        lid = -0.027 * np.clip(1 - u * u, -1, 1)
        floor = 0.018 * np.clip(1 - u * u, -1, 1)
        inside = _edge(np.maximum(lid - tilt, tilt - floor).astype(np.float32), 0.0022)
        face = _over(face, _rgb(0.90, 0.87, 0.84), inside)
        iris = _oval(x, y, (side * 0.125 - 0.002, -0.062), (0.0245, 0.0245))
        face = _over(face, _rgb(0.30, 0.20, 0.12), inside * _edge(iris, 0.002))
        pupil = _oval(x, y, (side * 0.125 - 0.002, -0.062), (0.012, 0.012))
        face = _over(face, _rgb(0.04, 0.03, 0.03), inside * _edge(pupil, 0.002))
        shade = np.exp(-np.clip(tilt - lid, 0, None) / 0.008) * inside
        face = _over(face, _rgb(0.16, 0.10, 0.09), 0.5 * shade.astype(np.float32))
        glint = _oval(x, y, (side * 0.125 - 0.010, -0.071), (0.006, 0.006))
        face = _over(face, _rgb(1, 1, 1), _edge(glint, 0.002))
        near = _edge((np.abs(u) - 1.08).astype(np.float32), 0.03)
        lash = np.exp(-(((tilt - lid) / 0.0055) ** 2)) * near
        face = _over(face, _rgb(0.10, 0.06, 0.05), 0.92 * lash.astype(np.float32))
        crease = np.exp(-(((tilt - lid + 0.020) / 0.005) ** 2)) * near
        face = _over(face, _rgb(0.40, 0.23, 0.18), 0.35 * crease.astype(np.float32))
        w = (x - side * 0.132) / 0.078
        arch = -0.128 - 0.020 * (1 - (w - 0.25 * side) ** 2)
        thick = 0.011 * (1.15 - 0.55 * w * side)
        brow = np.exp(-(((y - arch) / thick) ** 2)) * _edge(
            (np.abs(w) - 1).astype(np.float32), 0.06
        )
        face = _over(face, _rgb(0.17, 0.10, 0.07), 0.82 * brow.astype(np.float32))
    return face


def _mouth(face: Picture, x: Plane, y: Plane) -> Picture:
    u = x / 0.088
    seam = 0.188 - 0.017 * u * u + 0.003 * np.cos(u * 6)
    bow = 0.019 * np.clip(1 - np.abs(u) ** 1.6, 0, 1) * (1 - 0.30 * np.exp(-((u / 0.16) ** 2)))
    full = 0.026 * np.clip(1 - u * u, 0, 1)
    upper = _edge(np.maximum(seam - bow - y, y - seam).astype(np.float32), 0.0022)
    lower = _edge(np.maximum(seam - y, y - seam - full).astype(np.float32), 0.0026)
    within = _edge((np.abs(u) - 1).astype(np.float32), 0.03)
    upper, lower = upper * within, lower * within
    face = _over(face, face * _rgb(0.80, 0.48, 0.46), 0.85 * upper)
    face = _over(face, face * _rgb(0.95, 0.58, 0.56), 0.80 * lower)
    face = _over(face, face * 1.25 + 0.06, _bump(x, y, (-0.012, 0.203), (0.022, 0.005), 0.5))
    line = np.exp(-(((y - seam) / 0.0038) ** 2)) * _edge(
        (np.abs(u) - 1.02).astype(np.float32), 0.04
    )
    face = _over(face, _rgb(0.27, 0.10, 0.09), 0.80 * line.astype(np.float32))
    for side in (-1, 1):
        nostril = _oval(x, y, (side * 0.021, 0.104), (0.011, 0.006))
        face = _over(face, _rgb(0.25, 0.12, 0.09), 0.75 * _edge(nostril, 0.003))
    return face


def _hair(x: Plane, y: Plane, rng: np.random.Generator) -> tuple[Plane, Plane, Picture]:
    """The mass behind the head, the fringe before it, and their colour."""
    wave = 0.018 * np.sin(y * 16 + 1.0) + 0.010 * np.sin(y * 31)
    back = _oval(x + wave, y, (0.0, -0.07), (0.405, 0.50))
    tail = np.maximum(
        np.abs(x + wave) - 0.37 + 0.10 * np.clip(y - 0.15, 0, 1), y - 0.44 - 0.05 * np.cos(x * 9)
    )
    back = np.minimum(back, np.maximum(tail, -0.05 - y)).astype(np.float32)
    part = 0.10
    run = np.abs(x - part)
    line = -0.385 + 0.62 * run**1.35
    fringe = np.maximum(_oval(x, y, (0.0, -0.10), (0.355, 0.47)), y - line)
    swirl = np.arctan2(y + 0.50, x - part)
    strand = np.sin(swirl * 95 + 9 * grain(rng, x.shape, 30.0)) * 0.5
    strand = strand + 0.6 * streaks(rng, x.shape, 84.0, 26.0)
    gloss = np.exp(-(((np.hypot(x - part, y + 0.28) - 0.21) / 0.060) ** 2)) * (x < 0.28)
    tone = 0.62 + 0.17 * strand + 0.80 * gloss * (0.75 + 0.25 * strand) - 0.25 * np.clip(x, 0, 1)
    colour = _rgb(0.36, 0.19, 0.115) * np.clip(tone, 0.12, 2)[..., None]
    return _edge(back, 0.002), _edge(fringe.astype(np.float32), 0.003), colour.astype(np.float32)


def _clothes(x: Plane, y: Plane, rng: np.random.Generator) -> tuple[Plane, Picture]:
    slope = 0.47 + 0.42 * np.abs(x) ** 1.9
    body = np.maximum(slope - y, np.abs(x) - 0.80)
    collar = _oval(x, y, (0, 0.42), (0.175, 0.20))
    cover = _edge(body.astype(np.float32)) * (1 - _edge(collar))
    folds = blur(np.abs(np.sin(x * 9 + 5 * y + 0.7 * grain(rng, x.shape, 60.0))), 8.0)
    light = 0.62 - 0.32 * x + 0.22 * folds - 0.25 * np.exp(-((collar / 0.03) ** 2))
    return cover, (_rgb(0.13, 0.36, 0.40) * np.clip(light, 0.2, 1.3)[..., None] * 1.35)


def draw(side: int) -> Image.Image:
    """The figure, `side` pixels square."""
    rng = np.random.default_rng(20)
    size = side * OVER
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    x, y = columns / size * 1.56 - 0.78, rows / size * 1.56 - 0.66
    warm, cool = _rgb(0.93, 0.80, 0.62), _rgb(0.42, 0.52, 0.60)
    far = np.clip(np.hypot(x + 0.30, y + 0.25) / 1.15, 0, 1)[..., None]
    picture = warm + (cool - warm) * far + 0.012 * grain(rng, x.shape, 40.0)[..., None]
    back, fringe, hair = _hair(x, y, rng)
    picture = _over(picture.astype(np.float32), hair * 0.62, back)
    skin = _rgb(0.86, 0.62, 0.49)
    neck = np.maximum(np.abs(x) - 0.135 - 0.20 * np.clip(y - 0.38, 0, 1) ** 1.2, 0.1 - y)
    neck = np.maximum(neck, y - 0.70)
    shadow = 0.88 - 0.42 * np.exp(-((np.clip(y - 0.29, 0, 1) / 0.12) ** 2)) - 0.55 * x
    throat = skin * np.clip(shadow, 0.3, 1.05)[..., None]
    picture = _over(picture, throat, _edge(neck.astype(np.float32)))
    cover, cloth = _clothes(x, y, rng)
    picture = _over(picture, cloth, cover)
    # The features fill a little more of the head than they were modelled at.
    u, v = x / 1.13, (y + 0.03) / 1.13
    light = blur(_lit(_relief(u, v), size / 1.56), size / 300)
    flush = np.sum([_bump(u, v, (at, 0.09), (0.07, 0.05), 1) for at in (-0.17, 0.17)], axis=0)
    face = skin * (light * 1.10)[..., None] * (1 - flush[..., None] * _rgb(-0.02, 0.09, 0.08))
    face = _mouth(_eyes(np.asarray(face, dtype=np.float32), u, v), u, v)
    picture = _over(picture, face, _edge(_head_shape(x, y), 0.002))
    cast = blur(fringe, size / 45) * _edge(_head_shape(x, y), 0.002) * (1 - fringe)
    picture = _over(picture, picture * _rgb(0.55, 0.45, 0.42), np.asarray(cast * 0.8, np.float32))
    picture = _over(picture, hair, fringe)
    done = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return done.resize((side, side), Image.Resampling.LANCZOS)
