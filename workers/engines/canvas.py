"""The canvas under a pocket portrait: grain, hatching lines, tiles and brush strokes.

Owns the four guide channels that the network paints on. They depend on the seed and on the
directions in the photo, so that strokes follow the form and another seed is another sheet.
Refuses to paint: it never holds a colour of the picture, only where the tools would touch it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
CHANNELS = 4
# Offsets to a tile's centre are stored in this unit, so that every channel stays near -1..1.
REACH = 8.0


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur through the frequency domain, mirrored at the border."""
    margin = min(int(3 * sigma) + 1, min(plane.shape) - 1)
    # Mirrored a little further at two sides, to a length whose transform is quick.
    more = [min(_quick(side + 2 * margin) - side - margin, side - 1) for side in plane.shape]
    padded = np.pad(plane, [(margin, reach) for reach in more], mode="reflect")
    rows = np.fft.fftfreq(padded.shape[0])[:, None]
    columns = np.fft.rfftfreq(padded.shape[1])[None, :]
    window = np.exp(-2.0 * (np.pi * sigma) ** 2 * (rows**2 + columns**2)).astype(np.float32)
    soft = np.fft.irfft2(np.fft.rfft2(padded) * window, s=padded.shape)
    inner = soft[margin : margin + plane.shape[0], margin : margin + plane.shape[1]]
    return np.asarray(inner, dtype=np.float32)


@lru_cache(256)
def _quick(length: int) -> int:
    """The next length that has no factors but 2, 3 and 5."""
    return next(each for each in count(length) if _rest(each) == 1)


def _rest(length: int) -> int:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length


def grain(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Plane:
    """Smooth noise of unit spread; sigma is the size of its grain in pixels."""
    rough = rng.standard_normal(shape).astype(np.float32)
    soft = blur(rough, sigma) if sigma > 0 else rough
    return np.asarray(soft / (float(soft.std()) + 1e-6), dtype=np.float32)


def streaks(
    rng: np.random.Generator, shape: tuple[int, int], degrees: float, length: float
) -> Plane:
    """Noise drawn out along one direction, as by the side of a pencil."""
    rough = rng.standard_normal(shape)
    angle = np.deg2rad(degrees)
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None, :]
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    window = np.exp(-2.0 * np.pi**2 * ((along * length) ** 2 + (across * 0.75) ** 2))
    soft = np.fft.irfft2(np.fft.rfft2(rough) * window, s=shape)
    return np.asarray(soft / (soft.std() + 1e-6), dtype=np.float32)


def luminance(photo: NDArray[np.float32]) -> Plane:
    return np.asarray(photo @ np.array([0.299, 0.587, 0.114], dtype=np.float32), dtype=np.float32)


def directions(light: Plane, sigma: float, rest: float) -> Plane:
    """The angle along edges, from the smoothed structure tensor; `rest` where nothing points."""
    soft = blur(light, 1.0)
    down, across = np.gradient(soft)
    squares: list[Plane] = [
        np.asarray(plane, dtype=np.float32)
        for plane in (across * across, down * down, across * down)
    ]
    xx, yy, xy = (blur(plane, sigma) for plane in squares)
    # A weak constant tensor decides in flat places, so that a brush does not flicker there.
    weak = 2e-5
    xx = xx + weak * np.sin(rest) ** 2
    yy = yy + weak * np.cos(rest) ** 2
    xy = xy - weak * np.sin(rest) * np.cos(rest)
    return np.asarray(0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2, dtype=np.float32)


def waves(
    rng: np.random.Generator, light: Plane, degrees: float, period: float, bend: float
) -> tuple[Plane, Plane]:
    """Ruled lines that bend over the form, as an engraver's do: cosine and sine of their phase."""
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    angle = np.deg2rad(degrees)
    place = rows * np.cos(angle) + columns * np.sin(angle) + bend * blur(light, 5.0)
    place = place + 0.8 * grain(rng, light.shape, 14.0)
    phase = 2 * np.pi * (place / period + rng.random())
    return np.cos(phase).astype(np.float32), np.sin(phase).astype(np.float32)


def dots(rng: np.random.Generator, shape: tuple[int, int], degrees: float, period: float) -> Plane:
    """A printer's screen: a smooth hill for each dot."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    angle = np.deg2rad(degrees)
    first = rows * np.cos(angle) + columns * np.sin(angle) + period * rng.random()
    second = columns * np.cos(angle) - rows * np.sin(angle) + period * rng.random()
    hills = np.cos(2 * np.pi * first / period) + np.cos(2 * np.pi * second / period)
    return np.asarray(hills / 2, dtype=np.float32)


@dataclass(frozen=True)
class Marks:
    """What each pixel knows of the mark that covers it."""

    right: Plane  # pixels to the mark's centre
    down: Plane
    rim: Plane  # 0 at the border of the mark, 1 well inside
    across: Plane  # -1..1 over the mark's width
    chance: Plane  # one random number a mark


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
    reach = 2
    knots_down, knots_across = int(high / pitch) + 2 * reach + 2, int(wide / pitch) + 2 * reach + 2
    jitter = rng.uniform(-0.38, 0.38, (2, knots_down, knots_across)).astype(np.float32)
    order = rng.random((knots_down, knots_across), dtype=np.float32)
    rows, columns = np.mgrid[0:knots_down, 0:knots_across].astype(np.float32)
    centre_y = (rows - reach + 0.5 + jitter[0]) * pitch
    centre_x = (columns - reach + 0.5 + jitter[1]) * pitch
    at_y = np.clip(centre_y, 0, high - 1).astype(np.int32)
    at_x = np.clip(centre_x, 0, wide - 1).astype(np.int32)
    turn = angle[at_y, at_x] + (order - 0.5) * (0.35 if layered else 0.0)
    size = np.ones_like(order) if sizes is None else sizes[at_y, at_x]
    shape = (np.cos(turn), np.sin(turn), size)
    return _assign(centre_y, centre_x, order, shape, (high, wide), reach, pitch, aspect, layered)


def _assign(
    centre_y: Plane,
    centre_x: Plane,
    order: Plane,
    shape: tuple[Plane, Plane, Plane],
    extent: tuple[int, int],
    reach: int,
    pitch: float,
    aspect: float,
    layered: bool,
) -> Marks:
    y, x = np.mgrid[0 : extent[0], 0 : extent[1]].astype(np.float32)
    # A pixel's knot lies in a row that its own row decides, and in a column likewise: so what is
    # known of knots is laid out over columns first, while it is small, and then whole rows of it.
    rows, columns = (
        (np.arange(side, dtype=np.float32) / pitch).astype(np.int32) + reach for side in extent
    )
    best = np.full(extent, -9.0, np.float32)
    runner = np.full(extent, -9.0, np.float32)
    kept = [np.zeros(extent, np.float32) for _ in range(4)]
    half = pitch * 0.5
    for j in range(-reach, reach + 1):
        for i in range(-reach, reach + 1):
            down, right, cosine, sine, scale, chance = (
                part[:, columns + i][rows + j] for part in (centre_y, centre_x, *shape, order)
            )
            dy, dx = down - y, right - x
            along = (dx * cosine + dy * sine) / (half * aspect * scale)
            across = (dy * cosine - dx * sine) / (half * scale)
            if layered:
                far = np.sqrt(np.sqrt(np.square(along * along) + np.square(across * across))) / 1.25
                score = np.where(far < 1.0, chance, -far)
            else:
                far = np.sqrt(along**2 + across**2)
                score = -far
            better = score > best
            runner = np.where(better, best, np.maximum(runner, score))
            best = np.where(better, score, best)
            rim = 1.0 - far
            for plane, value in zip(kept, (dx, dy, rim, across), strict=True):
                np.copyto(plane, value, where=better)
            if i == -reach and j == -reach:
                luck = chance.copy()
            else:
                np.copyto(luck, chance, where=better)
    rim = kept[2] if layered else (best - runner)
    return Marks(kept[0], kept[1], np.clip(rim, 0, 1), np.clip(kept[3], -1, 1), luck)


def _stack(*planes: Plane) -> NDArray[np.float32]:
    missing = CHANNELS - len(planes)
    blank = np.zeros_like(planes[0])
    return np.stack([*planes, *[blank] * missing]).astype(np.float32)


def _pencil(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    first = streaks(rng, light.shape, -52.0, 7.0)
    second = streaks(rng, light.shape, 28.0, 6.0)
    return _stack(first * 0.5, second * 0.5, grain(rng, light.shape, 0.7) * 0.5)


def _engraving(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    first, turned = waves(rng, light, 24.0, 5.6, 26.0)
    second, _ = waves(rng, light, -42.0, 5.6, -18.0)
    return _stack(first, second, grain(rng, light.shape, 0.8) * 0.4, turned)


def _paper(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    planes = [grain(rng, light.shape, sigma) * 0.45 for sigma in (0.9, 3.0, 12.0)]
    return _stack(*planes)


def _brush(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    """Broad strokes everywhere; over them fine ones wherever the photo is busy, as at an eye."""
    angle = directions(light, 4.0, 0.9)
    down, across = np.gradient(blur(light, 1.0))
    detail = blur(np.hypot(down, across).astype(np.float32), 3.0)
    broad = marks(rng, angle, pitch=8.5, aspect=2.4, layered=True)
    # A stroke of no size covers nothing, so the broad ones stay visible where it is calm.
    sizes = np.where(detail > 0.018, 1.0, 0.01).astype(np.float32)
    fine = marks(rng, angle, pitch=4.0, aspect=2.4, layered=True, sizes=sizes)
    over = fine.rim > 0
    right, low, rim, across, chance = (
        np.where(over, getattr(fine, name), getattr(broad, name))
        for name in ("right", "down", "rim", "across", "chance")
    )
    hairs = np.sin(across * np.where(over, 5.0, 9.0) + chance * 40.0)
    return _stack(right / REACH, low / REACH, rim, (hairs * 0.5).astype(np.float32))


def _chalk(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    angle = directions(light, 6.0, -0.9)
    found = marks(rng, angle, pitch=4.2, aspect=2.4, layered=True)
    tooth = grain(rng, light.shape, 0.9) * 0.45
    return _stack(found.right / REACH, found.down / REACH, found.chance, tooth)


def _tiles(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    angle = directions(light, 6.0, 0.0)
    found = marks(rng, angle, pitch=6.6, aspect=1.25, layered=False)
    return _stack(found.right / REACH, found.down / REACH, found.rim, found.chance)


def _screen(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    first = dots(rng, light.shape, 45.0, 5.0)
    second = dots(rng, light.shape, 15.0, 5.0)
    return _stack(first, second, grain(rng, light.shape, 0.6) * 0.45)


def _gouge(rng: np.random.Generator, light: Plane) -> NDArray[np.float32]:
    first, turned = waves(rng, light, 70.0, 7.5, 34.0)
    return _stack(first, turned, grain(rng, light.shape, 1.4) * 0.45)


SHEETS: dict[str, Callable[[np.random.Generator, Plane], NDArray[np.float32]]] = {
    "pencil": _pencil,
    "engraving": _engraving,
    "watercolour": _paper,
    "oil": _brush,
    "comic": _screen,
    "pastel": _chalk,
    "mosaic": _tiles,
    "riso": _screen,
    "linocut": _gouge,
}


def prepare(photo: NDArray[np.float32], style: str, seed: int) -> NDArray[np.float32]:
    """The guide channels (4, height, width) for an RGB photo in 0..1."""
    return SHEETS[style](np.random.default_rng(seed), luminance(photo))


def stairs(grey: Plane, levels: float, low: float, high: float) -> tuple[Plane, Plane]:
    """Tone in flat steps, and where in its step each pixel lies."""
    place = np.asarray(grey * levels, dtype=np.float32)
    base = np.floor(place)
    rest = np.asarray(place - base, dtype=np.float32)
    rise = np.clip((rest - low) / (high - low), 0, 1)
    step = (base + rise * rise * (3 - 2 * rise)) / levels
    return np.asarray(step, dtype=np.float32), rest


def softened(photo: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.stack([blur(photo[..., k], sigma) for k in range(3)], axis=-1)


def washes(
    photo: NDArray[np.float32], sheet: NDArray[np.float32]
) -> tuple[NDArray[np.float32], Plane, Plane]:
    """The photo as a few wet washes; with its tone, and where in its wash each pixel lies."""
    wet = softened(photo, 1.6)
    uneven = luminance(wet) + 0.012 * sheet[1] + 0.02 * sheet[2]
    grey = np.asarray(uneven, dtype=np.float32)
    step, rest = stairs(grey, 5.0, 0.34, 0.66)
    wash = wet * ((0.45 * grey + 0.55 * step + 0.04) / (grey + 0.04))[..., None]
    return np.asarray(wash, dtype=np.float32), grey, rest


def flats(photo: NDArray[np.float32]) -> tuple[NDArray[np.float32], Plane]:
    """The photo in a few flat tones, and the tone that it had before."""
    flat = softened(photo, 1.3)
    grey = luminance(flat)
    step, _ = stairs(grey, 4.0, 0.42, 0.58)
    gain = np.clip((0.12 + step * 0.96) / (grey + 0.06), 0.55, 1.8)
    return np.asarray(flat * gain[..., None], dtype=np.float32), grey


def underpaint(
    photo: NDArray[np.float32], sheet: NDArray[np.float32], style: str
) -> NDArray[np.float32]:
    """Where painting starts: the photo, blocked in as a painter of that style would begin.

    A stroke or tile takes the colour under its centre, so that its border is sharp from the
    beginning; washes and flat colours take a few tones. A drawing or print starts at the photo.
    """
    if style == "watercolour":
        return np.clip(washes(photo, sheet)[0], 0, 1)
    if style == "comic":
        return np.clip(flats(photo)[0], 0, 1)
    if style not in ("oil", "pastel", "mosaic"):
        return photo
    high, wide = photo.shape[:2]
    rows, columns = np.mgrid[0:high, 0:wide].astype(np.float32)
    at_y = np.clip(np.rint(rows + sheet[1] * REACH), 0, high - 1).astype(np.int32)
    at_x = np.clip(np.rint(columns + sheet[0] * REACH), 0, wide - 1).astype(np.int32)
    return np.asarray(softened(photo, 0.8)[at_y, at_x], dtype=np.float32)
