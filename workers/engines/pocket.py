"""The pocket engine: a portrait without a GPU, from a selfie, from choices, from another portrait.

Owns loading, what is painted from, the last touches, and enlarging. Refuses weights that are not
those of the manifest, orders beyond its capabilities, free text, which it cannot read, and any way
to the network: it paints from its folder alone.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor, nn

from workers.engines import (
    bridge,
    canvas,
    figure,
    finishing,
    framing,
    frozen,
    pocket_enlarger,
    pocket_network,
    sitting,
    strips,
    tiles,
)
from workers.engines.base import (
    CannotPaint,
    Capabilities,
    EngineError,
    Order,
    Step,
    Task,
    WeightsRefused,
    check,
)
from workers.engines.outcome import within_memory
from workers.engines.pages import give_back
from workers.engines.weights import verify_weights

BRIDGE = "scheduler/scheduler_config.json"

SIZES = (
    (512, 512),
    (512, 640),
    (576, 768),
    (768, 768),
    (576, 1024),
    (1024, 576),
    (1024, 1024),
)
TASKS = frozenset({Task.IDENTITY, Task.TEXT, Task.EDIT, Task.UPSCALE})
# How far a change fades at the border of its mask, as a part of the shorter side.
FEATHER = 0.012
STEPS = 1
MAX_REFERENCES = 5


class PocketEngine:
    """Paints one reference in one style in a few seconds on two processor cores."""

    def __init__(self, weights: Path) -> None:
        self._folder = weights
        self._painter: bridge.Painter | None = None
        self._enlarger: pocket_enlarger.Enlarger | None = None
        self._manifest = ""

    def load(self) -> None:
        # For the thread that loads; painting has its own switch, because the library's is a
        # thread's own.
        torch.set_grad_enabled(False)
        self._manifest = verify_weights(self._folder)
        # The parts are named here, not by the folder: an index file cannot choose a class.
        network = pocket_network.read(self._folder / pocket_network.FOLDER)
        self._enlarger = pocket_enlarger.read(self._folder / pocket_enlarger.FOLDER)
        self._painter = bridge.Painter(network, _bridge(self._folder), strips.hands())

    def describe(self) -> Capabilities:
        return Capabilities(
            name="pocket",
            tasks=TASKS,
            styles=frozenset(bridge.STYLES),
            sizes=SIZES,
            max_references=MAX_REFERENCES,
            licence="Apache-2.0",
            weights_sha256=self._manifest,
            words=False,
            enlarged=pocket_enlarger.SIZES,
        )

    def fingerprint(self) -> str:
        both = nn.ModuleDict({"painter": self._loaded().network, "enlarger": self._larger()})
        return frozen.fingerprint(both)

    def render(self, order: Order, on_step: Step) -> Image.Image:
        check(order, self.describe())
        if order.task is Task.IDENTITY:
            return self._paint(_framed(order), order, on_step)
        if order.prompt:
            raise CannotPaint("This engine reads no words.")
        if order.task is Task.UPSCALE:
            return self._enlarge(order, on_step)
        if order.task is Task.TEXT:
            look = figure.chosen(dict(order.choices), order.seed)
            return self._paint(figure.draw(look, (order.width, order.height)), order, on_step)
        with sitting.source(order) as (ready, mask):
            painted = self._paint(ready.copy(), order, on_step)
            if mask is None:
                return painted
            soft = FEATHER * min(painted.size)
            return Image.composite(painted, ready, mask.filter(ImageFilter.GaussianBlur(soft)))

    def _enlarge(self, order: Order, on_step: Step) -> Image.Image:
        """The picture stays what it is; a rich one's fine structure is of its seed."""
        network = self._larger()
        chance = torch.Generator().manual_seed(order.seed) if order.rich else None
        with torch.no_grad(), within_memory():
            return tiles.enlarge(
                lambda piece: network(piece, chance),
                tiles.source(order),
                on_step,
                like=network.first.weight,
                tile=pocket_enlarger.TILE,
                halo=pocket_enlarger.HALO,
            )

    def _paint(self, photo: Image.Image, order: Order, on_step: Step) -> Image.Image:
        """A picture of the order's size in its style; the picture is blackened."""
        painter = self._loaded()
        steps = order.steps or STEPS
        shown: list[Tensor] = []
        try:
            with within_memory():
                shown = _shown(photo, order)
                painted = painter.paint(
                    shown,
                    order.style,
                    steps=steps,
                    chance=torch.Generator().manual_seed(order.seed),
                    on_step=lambda index: on_step(index + 1, steps),
                )
            painted = finishing.keep_tone(painted, photo, order.style)
            painted = finishing.keep_hue(painted, photo, order.style)
        finally:
            # A canvas follows the face as the photo does; neither outlives the call.
            bridge.forget(shown)
            sitting.blacken([photo])
        give_back()
        return finishing.finish(painted, order.style, order.seed)

    def unload(self) -> None:
        if self._painter is not None and self._painter.hands is not None:
            self._painter.hands.shutdown()
        self._painter = self._enlarger = None
        gc.collect()

    def _loaded(self) -> bridge.Painter:
        if self._painter is None:
            raise EngineError("The engine is not loaded.")
        return self._painter

    def _larger(self) -> pocket_enlarger.Enlarger:
        if self._enlarger is None:
            raise EngineError("The engine is not loaded.")
        return self._enlarger


def _bridge(folder: Path) -> bridge.Bridge:
    """Raises WeightsRefused."""
    try:
        return bridge.Bridge(float(json.loads((folder / BRIDGE).read_bytes())["spread"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsRefused(BRIDGE, "cannot be read.") from error


def _shown(photo: Image.Image, order: Order) -> list[Tensor]:
    """What is painted from, blackened by whoever asks."""
    pixels: NDArray[np.float32] = np.asarray(photo, dtype=np.float32) / np.float32(255)
    shown = bridge.begin(pixels, canvas.prepare(pixels, order.style, order.seed), order.style)
    pixels.fill(0)
    return shown


def _framed(order: Order) -> Image.Image:
    """The best reference, cut to the portrait's shape. Raises CannotPaint."""
    best = framing.choose(order.references, order.focus)
    spot = order.focus[best] if order.focus else None
    chosen = order.references[best]
    if chosen.mode != "RGB":
        raise CannotPaint("A reference must be a clean RGB picture.")
    return framing.frame(chosen, spot, (order.width, order.height), order.seed)
