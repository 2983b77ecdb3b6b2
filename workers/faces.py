"""Where faces are in a picture: three small networks (MTCNN), and no word on whose they are.

It owns the detector, its weights and its thresholds. It computes no embedding and compares no
faces; the five points of a face go no further than the caller's memory.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.networks import Floats, Network, WeightsRefused

WEIGHTS = Path(__file__).resolve().parent / "weights" / "mtcnn"

# The detector's own thresholds are its authors'; CERTAIN is ours and decides what is a face.
PROPOSED, REFINED, FINAL, CERTAIN = 0.6, 0.7, 0.8, 0.9
PYRAMID_STEP = 0.709
MAX_PROPOSALS = 300


class Faces:
    """Three small networks on one core. `load` once; `find` may be called by any thread."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self._nets: dict[str, Network] = {}

    def load(self) -> None:
        """Read each file once and check its hash. Raises WeightsRefused."""
        listed = self._weights / "manifest.json"
        if not listed.exists():
            raise WeightsRefused(f"{self._weights.name}/{listed.name} is missing")
        manifest = json.loads(listed.read_text())
        for name in ("pnet", "rnet", "onet"):
            file = self._weights / f"{name}.onnx"
            if not file.exists():
                raise WeightsRefused(f"{file.name} is missing")
            known = manifest.get(file.name, {})
            self._nets[name] = Network(file.name, file.read_bytes(), known.get("sha256", ""))

    def find(self, picture: Image.Image, smallest: float, certain: float = CERTAIN) -> Floats:
        """Rows of left, top, right, bottom, certainty and five points; the largest face first."""
        boxes = self._propose(picture, smallest)
        if len(boxes):
            found = self._nets["rnet"].run({"image": _crops(picture, _square(boxes), 24)})
            boxes = _refine(_square(boxes), found, REFINED)
            boxes = boxes[_suppress(boxes, 0.7)]
        if not len(boxes):
            return np.empty((0, 15))
        squares = _square(boxes)
        found = self._nets["onet"].run({"image": _crops(picture, squares, 48)})
        corner, side = squares[:, :2], squares[:, 2:4] - squares[:, :2]
        points = found["points"].reshape(-1, 2, 5) * side[:, :, None] + corner[:, :, None]
        keep = found["score"] > FINAL
        boxes = np.hstack([_refine(squares, found, FINAL), points[keep].reshape(-1, 10)])
        boxes = boxes[_suppress(boxes, 0.7, of_smaller=True)]
        boxes = boxes[boxes[:, 4] >= certain]
        return boxes[np.argsort(boxes[:, 1] - boxes[:, 3])]

    def _propose(self, picture: Image.Image, smallest: float) -> Floats:
        """The first network slides a window of 12 pixels over ever smaller copies."""
        found: list[Floats] = []
        scale = 12 / smallest
        while min(picture.size) * scale >= 12:
            size = round(picture.width * scale), round(picture.height * scale)
            level = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            out = self._nets["pnet"].run({"image": np.asarray(level)[None]})
            rows, columns = np.nonzero(out["score"][0] > PROPOSED)
            left, top = 2 * columns + 1, 2 * rows + 1
            window = np.stack([left, top, left + 11, top + 11], axis=1)
            boxes = window + 11 * out["shift"][0, rows, columns]
            zoom = np.tile(np.array(picture.size) / np.array(size), 2)
            scores = out["score"][0, rows, columns][:, None]
            boxes = np.hstack([boxes * zoom, scores])
            found.append(boxes[_suppress(boxes, 0.5)])
            scale *= PYRAMID_STEP
        boxes = np.concatenate(found) if found else np.empty((0, 5))
        return boxes[_suppress(boxes, 0.7)[:MAX_PROPOSALS]]


def _suppress(boxes: Floats, overlap: float, *, of_smaller: bool = False) -> list[int]:
    """The indexes to keep, the best first: of boxes that overlap too much, only the best."""
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    order = np.argsort(-boxes[:, 4])
    keep: list[int] = []
    while len(order):
        best, rest = int(order[0]), order[1:]
        keep.append(best)
        corner = np.minimum(boxes[best, 2:4], boxes[rest, 2:4])
        shared = np.prod(
            np.clip(corner - np.maximum(boxes[best, :2], boxes[rest, :2]), 0, None), axis=1
        )
        total = (
            np.minimum(areas[best], areas[rest])
            if of_smaller
            else areas[best] + areas[rest] - shared
        )
        order = rest[shared <= overlap * np.maximum(total, 1e-9)]
    return keep


def _square(boxes: Floats) -> Floats:
    """The smallest square around the middle of each box; the networks were trained on squares."""
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([middle - half, middle + half, boxes[:, 4:5]])


def _refine(boxes: Floats, found: dict[str, Floats], threshold: float) -> Floats:
    keep = found["score"] > threshold
    side = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    moved = boxes[:, :4] + found["shift"] * side
    return np.hstack([moved, found["score"][:, None]])[keep]


def _crops(picture: Image.Image, boxes: Floats, side: int) -> NDArray[np.uint8]:
    """Each box at the network's size; what lies outside of the picture is black."""
    batch = np.empty((len(boxes), side, side, 3), dtype=np.uint8)
    for row, box in enumerate(np.round(boxes[:, :4]).astype(int)):
        left, top = int(box[0]), int(box[1])
        crop = picture.crop((left, top, max(left + 1, int(box[2])), max(top + 1, int(box[3]))))
        size = (side, side)
        batch[row] = np.asarray(crop.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    return batch
