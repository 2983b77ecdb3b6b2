"""The face gate: is this one clear photo of one person, for this slot, and a new one?

It owns what a photo must be and the order of the questions. It refuses with a code and a sentence
that tells what to do. It computes no embedding and compares no faces: duplicates are told by whole
pictures. The five points that the detector gives are used for a hint about the pose and dropped
with the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from portraits.refusals import FACE, HINTS
from workers.faces import WEIGHTS as WEIGHTS
from workers.faces import Faces
from workers.networks import Floats
from workers.networks import WeightsRefused as WeightsRefused

# A face lower than this part of the main one's height is a passer-by, a poster or a picture frame.
BYSTANDER = 0.35
DUPLICATE = 0.985
DARK_HIGHLIGHTS, DARK_PICTURE = 64.0, 28.0
BRIGHT_SHADOWS, BRIGHT_PICTURE = 215.0, 222.0
# In a face of 128 pixels: neighbours that are equal, and neighbours that are black and white. The
# photos of the tests have up to 0.03 of the first and 0.16 of the second; cartoons have 0.8, prints
# 0.3 to 0.9.
DRAWN_SIDE, DRAWN_LEAST = 128, 80
FLAT_STEP, FLAT_PART = 2.0, 0.45
STROKE_STEP, STROKES_PART = 80.0, 0.28


@dataclass(frozen=True)
class Slot:
    """What one of the five photos must show: a face so high, so large a part, so sharp."""

    pixels: int
    part: float
    sharp_side: int
    sharpness: float
    largest_part: float = 1.0


SLOTS = {
    "front": Slot(96, 0.12, 96, 0.02),
    "three_quarter_left": Slot(96, 0.12, 96, 0.02),
    "three_quarter_right": Slot(96, 0.12, 96, 0.02),
    "half_body": Slot(64, 0.0625, 64, 0.06, 0.5),
    "full_body": Slot(32, 0.03125, 32, 0.2, 0.3),
}


@dataclass(frozen=True)
class Verdict:
    """The gate's answer. `face` is x, y, width, height as parts of the picture's sides."""

    accepted: bool
    code: str | None = None
    sentence: str | None = None
    hint: str | None = None
    quality: float = 0.0
    face: tuple[float, float, float, float] | None = None


class Gate:
    """The rules for one photo. `load` once; `check` may be called by any thread."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self.faces = Faces(weights)

    def load(self) -> None:
        """Raises WeightsRefused."""
        self.faces.load()

    def check(self, image: Image.Image, slot: str, others: Sequence[Image.Image] = ()) -> Verdict:
        """One photo against its slot and against the photos in the other slots."""
        needs = SLOTS[slot]
        picture = image.convert("RGB")
        grey = np.asarray(picture.convert("L"), dtype=np.float64)
        faces = self.faces.find(picture, max(24.0, needs.pixels * 0.4))
        if not len(faces):
            return _refused(_exposure(grey, DARK_PICTURE, BRIGHT_PICTURE) or "no_face")
        heights = faces[:, 3] - faces[:, 1]
        if (heights >= BYSTANDER * heights[0]).sum() > 1:
            return _refused("several_faces")
        face = _inside(faces[0, :4], picture.size)
        sharp = _sharpness(grey, face, needs.sharp_side)
        code = _first_fault(grey, face, needs, sharp)
        if code is None and any(_same_picture(picture, other) for other in others):
            code = "duplicate_photo"
        quality = _quality(faces[0], needs, sharp, max(picture.size))
        if code:
            return _refused(code, quality, _relative(face, picture.size))
        hint = _hint(faces[0], slot, max(picture.size))
        return Verdict(True, None, None, hint, quality, _relative(face, picture.size))


Box = tuple[int, int, int, int]


def _inside(box: Floats, size: tuple[int, int]) -> Box:
    left, top = (max(0, round(float(v))) for v in box[:2])
    right, bottom = (min(limit, round(float(v))) for v, limit in zip(box[2:4], size, strict=True))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _relative(face: Box, size: tuple[int, int]) -> tuple[float, float, float, float]:
    (left, top, right, bottom), (width, height) = face, size
    return left / width, top / height, (right - left) / width, (bottom - top) / height


def _first_fault(grey: Floats, face: Box, needs: Slot, sharp: float) -> str | None:
    left, top, right, bottom = face
    height = bottom - top
    if height < needs.pixels or height < needs.part * max(grey.shape):
        return "face_too_small"
    if _drawn(grey[top:bottom, left:right]):
        return "not_a_photo"
    fault = _exposure(grey[top:bottom, left:right], DARK_HIGHLIGHTS, BRIGHT_SHADOWS)
    if fault is None and sharp < needs.sharpness:
        return "too_blurred"
    return fault


def _exposure(grey: Floats, dark: float, bright: float) -> str | None:
    """Judges darkness by the highlights and brightness by the shadows.

    The mean would be a measure of the skin: a dark face in good light has bright highlights, and a
    pale one has shadows.
    """
    shadows, highlights = np.percentile(grey, (20, 95))
    if highlights < dark:
        return "too_dark"
    return "too_bright" if shadows > bright else None


def _drawn(face: Floats) -> bool:
    """Flat fills as in a cartoon, or strokes all over as in a print; skin has neither.

    A painting that keeps the tones of a photo passes: it differs from one by taste alone. So does a
    face so small that all of it is edges.
    """
    if len(face) < DRAWN_LEAST:
        return False
    whole = Image.fromarray(face.astype(np.uint8))
    whole.thumbnail((DRAWN_SIDE, DRAWN_SIDE), Image.Resampling.BOX)
    highest, lowest = (
        np.asarray(whole.filter(kind(3)), dtype=np.float64)
        for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter)
    )
    steps = highest - lowest
    flat, strokes = (steps <= FLAT_STEP).mean(), (steps > STROKE_STEP).mean()
    return bool(flat > FLAT_PART or strokes > STROKES_PART)


def _sharpness(grey: Floats, face: Box, side: int) -> float:
    """The variance of the Laplacian of the face at one size, relative to its own contrast."""
    left, top, right, bottom = face
    crop = Image.fromarray(grey[top:bottom, left:right].astype(np.uint8))
    small = np.asarray(crop.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
    core = small[1:-1, 1:-1]
    edges = small[:-2, 1:-1] + small[2:, 1:-1] + small[1:-1, :-2] + small[1:-1, 2:] - 4 * core
    return float(edges.var() / max(core.var(), 1.0))


def _same_picture(one: Image.Image, other: Image.Image) -> bool:
    """Correlates whole pictures at 48 by 48; another crop or another moment is not the same."""
    if abs(np.log(one.width / one.height * other.height / other.width)) > 0.05:
        return False
    a, b = (
        np.asarray(p.convert("L").resize((48, 48), Image.Resampling.BOX), dtype=np.float64)
        for p in (one, other)
    )
    a, b = a - a.mean(), b - b.mean()
    return bool((a * b).sum() >= DUPLICATE * np.sqrt((a * a).sum() * (b * b).sum()))


def _quality(face: Floats, needs: Slot, sharp: float, longer: int) -> float:
    """From 0 to 1, to choose the best of several: certain, large, sharp."""
    large = min(1.0, (face[3] - face[1]) / max(3 * needs.pixels, 3 * needs.part * longer))
    crisp = min(1.0, sharp / (4 * needs.sharpness))
    return round(float(face[4] * (0.5 + 0.2 * large + 0.3 * crisp)), 3)


def _hint(face: Floats, slot: str, longer: int) -> str | None:
    """A word on the pose, by where the nose lies between the eyes; never a refusal."""
    if (face[3] - face[1]) > SLOTS[slot].largest_part * longer:
        return HINTS["step_back"]
    across = face[5:10]
    turn = (across[2] - (across[0] + across[1]) / 2) / max(abs(across[1] - across[0]), 1.0)
    if slot == "front" and abs(turn) > 0.25:
        return HINTS["look_straight"]
    if slot.startswith("three_quarter"):
        wanted = -turn if slot.endswith("left") else turn
        if wanted < -0.15:
            return HINTS["turn_around"]
        if wanted < 0.1:
            return HINTS["turn_further"]
    return None


def _refused(
    code: str, quality: float = 0.0, face: tuple[float, float, float, float] | None = None
) -> Verdict:
    return Verdict(False, code, FACE[code], None, quality, face)
