"""Hair, clothes and what is behind the drawn figure.

Owns everything of figure.py that is not the face. Places are in heads, as in features.py.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workers.engines.canvas import blur, grain, streaks
from workers.engines.features import Picture, Plane, edge, oval, over, rgb

HAIR: Final = {
    "brown": (0.36, 0.19, 0.115),
    "black": (0.115, 0.092, 0.085),
    "blond": (0.74, 0.55, 0.29),
    "red": (0.55, 0.22, 0.09),
    "grey": (0.50, 0.49, 0.48),
    "white": (0.82, 0.81, 0.79),
}
Random = np.random.Generator
# What lies behind the head, what lies before it, and their colour.
Hair = tuple[Plane, Plane, Picture]


def hair(x: Plane, y: Plane, rng: Random, style: str, colour: tuple[float, ...]) -> Hair:
    """One of the cuts of prompts.CHOICES."""
    if style == "head_scarf":
        return _scarf(x, y, rng)
    none = np.zeros_like(x)
    if style == "shaved":
        cap = np.maximum(oval(x, y, (0.0, -0.095), (0.318, 0.418)), y + 0.20 - 0.9 * x * x)
        shade = rgb(*colour) * (0.85 + 0.05 * grain(rng, x.shape, 1.0))[..., None]
        return none, 0.42 * edge(cap.astype(np.float32), 0.020), shade.astype(np.float32)
    back, fringe = _cut(x, y, rng, style)
    tone = _curls(x, y, rng) if style in ("curly", "coily") else _strands(x, y, rng)
    lit = rgb(*colour) * np.clip(tone, 0.12, 2)[..., None]
    return edge(back, 0.002), edge(fringe, 0.003), lit.astype(np.float32)


def _strands(x: Plane, y: Plane, rng: Random) -> Plane:
    swirl = np.arctan2(y + 0.50, x - 0.10)
    strand = np.sin(swirl * 95 + 9 * grain(rng, x.shape, 30.0)) * 0.5
    strand = strand + 0.6 * streaks(rng, x.shape, 84.0, 26.0)
    gloss = np.exp(-(((np.hypot(x - 0.10, y + 0.28) - 0.21) / 0.060) ** 2)) * (x < 0.28)
    tone = 0.62 + 0.17 * strand + 0.80 * gloss * (0.75 + 0.25 * strand)
    return np.asarray(tone - 0.25 * np.clip(x, 0, 1), np.float32)


def _curls(x: Plane, y: Plane, rng: Random) -> Plane:
    size = x.shape[0] / 90
    curl = grain(rng, x.shape, size) * 0.6 + 0.5 * np.abs(grain(rng, x.shape, size * 0.45))
    gloss = np.exp(-(((np.hypot(x + 0.10, y + 0.30) - 0.22) / 0.10) ** 2))
    tone = 0.55 + 0.20 * curl + 0.35 * gloss * (0.6 + 0.4 * curl) - 0.25 * np.clip(x, 0, 1)
    return np.asarray(tone, np.float32)


def _cut(x: Plane, y: Plane, rng: Random, style: str) -> tuple[Plane, Plane]:
    """Signed distances of the mass behind the head and of what falls over the forehead."""
    run = np.abs(x - 0.10)
    line = -0.385 + 0.62 * run**1.35
    fringe = np.maximum(oval(x, y, (0.0, -0.10), (0.355, 0.47)), y - line)
    wave = 0.018 * np.sin(y * 16 + 1.0) + 0.010 * np.sin(y * 31)
    if style == "long":
        tail = np.abs(x + wave) - 0.37 + 0.10 * np.clip(y - 0.15, 0, 1)
        tail = np.maximum(tail, y - 0.44 - 0.05 * np.cos(x * 9))
        back = np.minimum(
            oval(x + wave, y, (0.0, -0.07), (0.405, 0.50)), np.maximum(tail, -0.05 - y)
        )
    elif style == "bob":
        tail = np.maximum(np.abs(x) - 0.385 + 0.05 * np.clip(0.1 - y, 0, 1), y - 0.27)
        tail = np.maximum(tail, -0.05 - y)
        back = np.minimum(oval(x, y, (0.0, -0.08), (0.40, 0.49)), tail)
        line = -0.235 + 0.30 * np.abs(x) ** 2.2 + 0.008 * np.sin(x * 60)
        fringe = np.maximum(oval(x, y, (0.0, -0.10), (0.360, 0.47)), y - line)
    elif style == "bun":
        knot = oval(x, y, (0.02, -0.60), (0.155, 0.135))
        back = np.maximum(oval(x, y, (0.0, -0.10), (0.345, 0.465)), y - 0.04)
        back = np.minimum(back, knot)
        line = -0.40 + 0.75 * np.abs(x) ** 1.6
        fringe = np.maximum(oval(x, y, (0.0, -0.105), (0.335, 0.455)), y - line)
    elif style in ("curly", "coily"):
        fine = x.shape[0] / 150
        frizz = 0.012 * grain(rng, x.shape, fine) + 0.010 * grain(rng, x.shape, 3 * fine)
        wide, tall = (0.46, 0.56) if style == "curly" else (0.47, 0.50)
        back = oval(x, y, (0.0, -0.09 if style == "curly" else -0.16), (wide, tall)) + frizz
        if style == "curly":
            back = np.minimum(back, np.maximum(np.abs(x) - 0.42, np.abs(y - 0.12) - 0.26) + frizz)
        line = -0.30 + 0.75 * np.abs(x) ** 1.7 + 0.8 * frizz
        fringe = np.maximum(oval(x, y, (0.0, -0.12), (0.37, 0.47)) + frizz, y - line)
    else:
        back = np.maximum(oval(x, y, (0.0, -0.115), (0.345, 0.455)), y - 0.03)
        line = -0.315 - 0.10 * (x + 0.10) + 0.95 * np.abs(x + 0.06) ** 2.4
        line = line + 0.010 * np.sin(x * 45 + 1.5)
        fringe = np.maximum(oval(x, y, (0.0, -0.115), (0.335, 0.452)), y - line)
        side = np.maximum(np.abs(np.abs(x) - 0.315) - 0.022, np.abs(y + 0.10) - 0.11)
        fringe = np.minimum(fringe, side)
    return back.astype(np.float32), fringe.astype(np.float32)


def _scarf(x: Plane, y: Plane, rng: Random) -> Hair:
    outer = oval(x, y, (0.0, -0.09), (0.385, 0.50))
    wide = np.abs(x) - 0.335 - 0.16 * np.clip(y - 0.12, 0, 1) ** 1.5
    drape = np.maximum(np.maximum(wide, 0.10 - y), y - 0.66 + 0.55 * x * x)
    whole = np.minimum(outer, drape).astype(np.float32)
    opening = oval(x, y, (0.0, 0.005), (0.272, 0.372))
    front = np.maximum(whole, -opening)
    folds = blur(
        np.abs(np.sin(11 * np.hypot(x * 1.2, y - 0.35) + 1.1 * grain(rng, x.shape, 50.0))), 5
    )
    light = 0.72 - 0.35 * x + 0.30 * folds - 0.30 * np.exp(-((opening / 0.035) ** 2))
    cloth = rgb(0.56, 0.24, 0.30) * np.clip(light, 0.2, 1.5)[..., None] * 1.25
    return edge(whole, 0.002), edge(front.astype(np.float32), 0.003), cloth.astype(np.float32)


# --- Clothes -----------------------------------------------------------------------------------


def clothes(picture: Picture, x: Plane, y: Plane, rng: Random, kind: str) -> Picture:
    """Shoulders and what is on them."""
    slope = 0.47 + 0.42 * np.abs(x) ** 1.9
    body = np.maximum(slope - y, np.abs(x) - 0.80 - 0.04 * np.clip(y - 1.0, 0, 1))
    arms = np.abs(np.abs(x) - 0.56 + 0.05 * np.clip(y - 1.0, 0, 1)) / 0.014
    folds = blur(np.abs(np.sin(x * 9 + 5 * y + 0.7 * grain(rng, x.shape, 60.0))), 8.0)
    light = 0.66 - 0.32 * x + 0.22 * folds - 0.22 * np.exp(-(arms**2)) * edge(0.85 - y, 0.06)
    shape, light = edge(body.astype(np.float32)), np.asarray(light, np.float32)
    return _WEAR[kind](picture, x, y, shape, light)


def _cloth(colour: Picture, light: Plane) -> Picture:
    return np.asarray(colour * np.clip(light, 0.2, 1.3)[..., None] * 1.35, np.float32)


def _round(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    """A knitted neck."""
    collar = oval(x, y, (0, 0.42), (0.175, 0.20))
    light = light - 0.25 * np.exp(-((collar / 0.03) ** 2))
    rib = 0.10 * np.sin(np.arctan2(y - 0.42, x) * 60) * edge(np.abs(collar - 0.018) - 0.018, 0.003)
    return over(picture, _cloth(rgb(0.13, 0.36, 0.40), light + rib), shape * (1 - edge(collar)))


def _high(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    neck = np.maximum(np.abs(x) - 0.165 - 0.12 * np.clip(y - 0.42, 0, 1), 0.335 - y)
    neck = np.maximum(neck, y - 0.62)
    cover = np.maximum(shape, edge(neck.astype(np.float32)))
    fold = 0.20 * np.exp(-(((y - 0.455 - 0.05 * np.cos(x * 8)) / 0.012) ** 2)) * edge(neck, 0.01)
    light = light - fold - 0.30 * np.exp(-(((y - 0.335) / 0.02) ** 2))
    return over(picture, _cloth(rgb(0.20, 0.21, 0.25), light + 0.05), cover)


def _low(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    neck = oval(x, y, (0, 0.44), (0.30, 0.27))
    light = light - 0.20 * np.exp(-((neck / 0.02) ** 2))
    return over(picture, _cloth(rgb(0.55, 0.14, 0.22), light), shape * (1 - edge(neck)))


def _flap(x: Plane, y: Plane, side: int, wide: float, deep: float) -> Plane:
    """A collar's or lapel's leaf, from beside the neck down to the middle."""
    t = np.clip((y - 0.42) / deep, 0, 1)
    inner = side * x - 0.150 * (1 - t)
    # It opens from the neck outwards and comes back to a point.
    outer = inner - wide * (0.30 + 2.4 * t * (1 - t) ** 0.8)
    leaf = np.maximum(np.maximum(-inner, outer), np.abs(y - 0.41 - deep / 2) - deep / 2)
    return np.asarray(leaf, np.float32)


def _shirt(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    neck = np.abs(x) - 0.150 * (1 - np.clip((y - 0.42) / 0.24, 0, 2))
    picture = over(picture, _cloth(rgb(0.62, 0.70, 0.80), light), shape * (1 - edge(neck)))
    seam = np.exp(-((x / 0.006) ** 2)) * edge(0.60 - y, 0.01) * shape
    picture = over(picture, picture * 0.72, np.asarray(0.7 * seam, np.float32))
    for side in (-1, 1):
        leaf = edge(_flap(x, y, side, 0.115, 0.24).astype(np.float32), 0.002)
        picture = over(picture, _cloth(rgb(0.72, 0.79, 0.87), light + 0.10 - 0.05 * side), leaf)
        under = blur(leaf, x.shape[0] / 150) * (1 - leaf) * shape
        picture = over(picture, picture * 0.6, 0.6 * under)
    for row in range(4):
        button = oval(x, y, (0.018, 0.74 + 0.15 * row), (0.011, 0.011))
        picture = over(picture, rgb(0.93, 0.93, 0.90), edge(button, 0.002))
    return picture


def _suit(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    picture = _shirt(picture, x, y, shape, light + 0.12)
    tie = np.abs(x) - 0.030 - 0.045 * np.clip((y - 0.60) / 0.55, 0, 1)
    knot = np.maximum(np.abs(x) - 0.042 + 0.15 * np.clip(y - 0.55, 0, 1), np.abs(y - 0.585) - 0.04)
    tie = np.minimum(np.maximum(tie, 0.60 - y), knot).astype(np.float32)
    picture = over(picture, _cloth(rgb(0.45, 0.12, 0.14), light + 0.1), edge(tie, 0.002))
    return _coat(picture, x, y, shape, light, rgb(0.16, 0.19, 0.27), 0.62)


def _jacket(picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane) -> Picture:
    neck = edge(oval(x, y, (0, 0.42), (0.18, 0.19)))
    picture = over(picture, _cloth(rgb(0.80, 0.78, 0.74), light), shape * (1 - neck))
    return _coat(picture, x, y, shape, light, rgb(0.33, 0.25, 0.17), 0.95)


def _coat(
    picture: Picture, x: Plane, y: Plane, shape: Plane, light: Plane, colour: Picture, deep: float
) -> Picture:
    """Two halves that meet `deep` below the collar, with lapels."""
    gap = 0.20 * np.clip(1 - (y - 0.42) / deep, 0, 1) ** 0.8
    halves = shape * (1 - edge((np.abs(x) - gap).astype(np.float32), 0.002))
    picture = over(picture, _cloth(colour, light), halves)
    for side in (-1, 1):
        leaf = np.maximum(side * x - gap - 0.115 * np.clip((y - 0.40) / 0.25, 0, 1), gap - side * x)
        leaf = np.maximum(leaf, np.maximum(0.40 - y, y - 0.42 - deep))
        notch = np.abs(y - 0.60 + 0.35 * (side * x - 0.2)) / 0.006
        cover = edge(leaf.astype(np.float32), 0.002) * halves
        tone = light + 0.13 - 0.35 * np.exp(-(notch**2))
        picture = over(picture, _cloth(colour, np.asarray(tone, np.float32)), cover)
    return picture


_WEAR: Final = {
    "sweater": _round,
    "turtleneck": _high,
    "dress": _low,
    "shirt": _shirt,
    "suit": _suit,
    "jacket": _jacket,
}


# --- Behind ------------------------------------------------------------------------------------


def behind(x: Plane, y: Plane, rng: Random, kind: str) -> Picture:
    """What is out of focus behind the figure."""
    if kind == "sky":
        return _sky(x, y, rng)
    if kind in ("garden", "city"):
        return _blurred(x, y, rng, kind)
    near, far = {
        "warm": (rgb(0.93, 0.80, 0.62), rgb(0.42, 0.52, 0.60)),
        "dark": (rgb(0.24, 0.22, 0.23), rgb(0.06, 0.06, 0.08)),
        "plain": (rgb(0.84, 0.84, 0.83), rgb(0.60, 0.61, 0.63)),
    }[kind]
    fade = np.clip(np.hypot(x + 0.30, y + 0.25) / 1.15, 0, 1)[..., None]
    picture = near + (far - near) * fade + 0.012 * grain(rng, x.shape, 40.0)[..., None]
    return np.asarray(picture, np.float32)


def _sky(x: Plane, y: Plane, rng: Random) -> Picture:
    down = np.clip((y + 0.9) / 2.0, 0, 1)[..., None]
    picture = rgb(0.36, 0.58, 0.84) + (rgb(0.80, 0.88, 0.93) - rgb(0.36, 0.58, 0.84)) * down
    cloud = grain(rng, x.shape, x.shape[0] / 14) + 0.5 * grain(rng, x.shape, x.shape[0] / 34)
    cover = np.clip(cloud * 0.42 - 0.12, 0, 0.85).astype(np.float32)
    return over(picture.astype(np.float32), rgb(0.97, 0.97, 0.96), cover)


def _blurred(x: Plane, y: Plane, rng: Random, kind: str) -> Picture:
    """Round spots of light, as a lens makes them, over large soft shapes."""
    garden = kind == "garden"
    base = rgb(0.24, 0.36, 0.17) if garden else rgb(0.20, 0.22, 0.30)
    soft = grain(rng, x.shape, x.shape[0] / 12)
    picture = base * (1 + 0.30 * soft)[..., None] + (0.10 * np.clip(-y, 0, 1))[..., None]
    done: Picture = np.asarray(picture, np.float32)
    tints = (
        ((0.55, 0.66, 0.28), (0.34, 0.50, 0.20), (0.80, 0.80, 0.52), (0.78, 0.48, 0.52))
        if garden
        else ((0.96, 0.78, 0.45), (0.95, 0.60, 0.35), (0.62, 0.75, 0.95), (0.90, 0.90, 0.80))
    )
    for _ in range(46):
        at = (float(rng.uniform(-1.3, 1.3)), float(rng.uniform(-1.0, 1.2)))
        size = float(rng.uniform(0.03, 0.11))
        tint = rgb(*tints[int(rng.integers(len(tints)))])
        spot = edge(oval(x, y, at, (size, size)), 0.006) * float(rng.uniform(0.18, 0.55))
        done = over(done, tint, spot.astype(np.float32))
    return done
