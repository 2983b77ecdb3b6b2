"""The way out: what is painted is looked at before a byte of it is stored.

It owns the two questions (is it decent, is the person still there) and in which order they are
asked. It refuses by a code and keeps nothing. A style in which a face is not found even by a
lenient eye says so in its recipe (`face_gate`); whether a picture is decent is always asked.
"""

from pathlib import Path
from typing import Final

from PIL import Image

from workers.engines import base
from workers.faces import Faces
from workers.safety import Judge, OpenNsfw, Verdict

UNSAFE: Final = "blocked_unsafe"
NO_FACE: Final = "blocked_no_face"
INPUT: Final = "blocked_input"

# How sure the detector must be. A drawing that any eye takes for a face is to it a poor photo.
CERTAIN: Final = {"strict": 0.9, "lenient": 0.8}
# The longer side at which a face is looked for: a portrait's face is large, and time is short.
LOOK_SIDE: Final = 512
# The smallest face, as a part of that side, that counts as the person of a portrait.
SMALLEST_PART: Final = 0.08


class Blocked(Exception):
    """It must not be stored; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Outlet:
    """Both questions. `load` once; everything else may be called by any thread."""

    def __init__(self, judge: Judge, faces: Faces) -> None:
        self.judge = judge
        self.faces = faces
        self._loaded = False

    def load(self) -> None:
        """Raises WeightsRefused."""
        self.judge.load()
        self.faces.load()
        self._loaded = True

    def admit(self, order: base.Order) -> None:
        """Before painting: the picture that an edit starts from. Raises Blocked."""
        if order.source is not None and self.judge.judge(order.source) is not Verdict.SAFE:
            raise Blocked(INPUT)

    def release(self, painted: Image.Image, order: base.Order, face_gate: str) -> None:
        """After painting. Raises Blocked."""
        if self.judge.judge(painted) is not Verdict.SAFE:
            raise Blocked(UNSAFE)
        if self._shows_somebody(order, face_gate) and not self.sees_face(painted, face_gate):
            raise Blocked(NO_FACE)

    def _shows_somebody(self, order: base.Order, face_gate: str) -> bool:
        """Whether there was a face to begin with, so that there must be one in the end."""
        if face_gate == "off":
            return False
        if order.task is base.Task.IDENTITY:
            return True
        if order.task is base.Task.EDIT and order.source is not None:
            return self.sees_face(order.source, face_gate)
        return False

    def sees_face(self, picture: Image.Image, face_gate: str) -> bool:
        """Whether a face that could be a portrait's is in it."""
        if not self._loaded:
            self.load()
        small = _small(picture)
        smallest = SMALLEST_PART * max(small.size)
        return bool(len(self.faces.find(small, smallest, CERTAIN[face_gate])))


def _small(picture: Image.Image) -> Image.Image:
    """At the size at which a face is looked for; most portraits are a whole number of times that.

    Both ways take the mean of what lies in a pixel's place; the first takes a quarter of the time.
    """
    times, rest = divmod(max(picture.size), LOOK_SIDE)
    if times > 1 and not rest and not any(side % times for side in picture.size):
        return picture.convert("RGB").reduce(times)
    small = picture.convert("RGB")
    small.thumbnail((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX)
    return small


def standard(weights: Path) -> Outlet:
    """The one that workers use."""
    return Outlet(OpenNsfw(), Faces(weights / "mtcnn"))
