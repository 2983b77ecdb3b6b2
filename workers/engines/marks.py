"""Strokes and tiles: which mark of a tool covers each pixel, and where in it the pixel lies.

Owns the jittered grid that marks stand on and the contest of the marks near a pixel. Refuses to
choose colours: it knows directions and places alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
# So many knots away a mark may still reach a pixel.
REACH: Final = 2
# No pixel asks its neighbours, and the contest takes a score of planes: so many rows at once.
ROWS: Final = 64


@dataclass(frozen=True)
class Marks:
    """What each pixel knows of the mark that covers it."""

    right: Plane  # pixels to the mark's centre
    down: Plane
    rim: Plane  # 0 at the border of the mark, 1 well inside
    across: Plane  # -1..1 over the mark's width
    chance: Plane  # one random number a mark


@dataclass(frozen=True)
class _Knots:
    """The marks of a picture, by their place in the grid."""

    pitch: float
    aspect: float
    layered: bool
    # Where down and right it is, the cosine and sine of its turn, its size, its random number.
    planes: tuple[Plane, Plane, Plane, Plane, Plane, Plane]


def marks(
    rng: np.random.Generator,
    angle: Plane,
    *,
    pitch: float,
    aspect: float,
    layered: bool,
    sizes: Plane | None = None,
) -> Marks:
    """Put one mark on each knot of a jittered grid and give every pixel to one of them.

    Side by side (`layered` false) the nearest mark wins, as in a mosaic; layered, the mark that
    was put down last wins among those that reach the pixel, as with a brush.
    """
    high, wide = angle.shape
    knots_down, knots_across = int(high / pitch) + 2 * REACH + 2, int(wide / pitch) + 2 * REACH + 2
    jitter = rng.uniform(-0.38, 0.38, (2, knots_down, knots_across)).astype(np.float32)
    chance = rng.random((knots_down, knots_across), dtype=np.float32)
    rows, columns = np.mgrid[0:knots_down, 0:knots_across].astype(np.float32)
    y = (rows - REACH + 0.5 + jitter[0]) * pitch
    x = (columns - REACH + 0.5 + jitter[1]) * pitch
    at_y = np.clip(y, 0, high - 1).astype(np.int32)
    at_x = np.clip(x, 0, wide - 1).astype(np.int32)
    turn = angle[at_y, at_x] + (chance - 0.5) * (0.35 if layered else 0.0)
    size = np.ones_like(chance) if sizes is None else sizes[at_y, at_x]
    knots = _Knots(pitch, aspect, layered, (y, x, np.cos(turn), np.sin(turn), size, chance))
    found = [np.empty((high, wide), np.float32) for _ in range(5)]
    for top in range(0, high, ROWS):
        for plane, part in zip(
            found, _covered(knots, top, min(top + ROWS, high), wide), strict=True
        ):
            plane[top : top + ROWS] = part
    return Marks(*found)


def _covered(
    knots: _Knots, top: int, bottom: int, wide: int
) -> tuple[Plane, Plane, Plane, Plane, Plane]:
    """What `Marks` says of the pixels of some rows."""
    y, x = np.mgrid[top:bottom, 0:wide].astype(np.float32)
    # A pixel's knot lies in a row that its own row decides, and in a column likewise: so what is
    # known of the few rows of knots is laid out over columns first, and then copied row by row.
    rows, columns = (
        (np.arange(*side, dtype=np.float32) / knots.pitch).astype(np.int32) + REACH
        for side in ((top, bottom), (wide,))
    )
    first, last = int(rows[0]), int(rows[-1])
    best = np.full(y.shape, -9.0, np.float32)
    runner = np.full(y.shape, -9.0, np.float32)
    luck = np.zeros(y.shape, np.float32)
    kept = [np.zeros(y.shape, np.float32) for _ in range(4)]
    half = knots.pitch * 0.5
    for j in range(-REACH, REACH + 1):
        for i in range(-REACH, REACH + 1):
            down, right, cosine, sine, size, chance = (
                plane[first + j : last + j + 1, columns + i][rows - first] for plane in knots.planes
            )
            dy, dx = down - y, right - x
            along = (dx * cosine + dy * sine) / (half * knots.aspect * size)
            across = (dy * cosine - dx * sine) / (half * size)
            if knots.layered:
                far = np.sqrt(np.sqrt(np.square(along * along) + np.square(across * across))) / 1.25
                score = np.where(far < 1.0, chance, -far)
            else:
                far = np.sqrt(along**2 + across**2)
                score = -far
            better = score > best
            runner = np.where(better, best, np.maximum(runner, score))
            best = np.where(better, score, best)
            rim = 1.0 - far
            for plane, value in zip((*kept, luck), (dx, dy, rim, across, chance), strict=True):
                np.copyto(plane, value, where=better)
    rim = kept[2] if knots.layered else (best - runner)
    return kept[0], kept[1], np.clip(rim, 0, 1), np.clip(kept[3], -1, 1), luck
