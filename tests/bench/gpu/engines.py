"""Engines of published architectures with random weights: the same arithmetic, nothing fetched.

They go through the engines' own code from the parts on. Random weights paint nothing, and say
nothing of likeness or quality.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from deploy.models import costs, memory
from tests.bench.gpu.place import Place, here
from tests.engines import tiny
from workers.engines import prompts, speed, terms
from workers.engines.base import Capabilities, Order, Step, create
from workers.engines.checkpoint import Published, quiet
from workers.engines.flux2_klein import Flux2KleinEngine

TOY = {"flux2-klein": tiny.flux2_klein_parts, "z-image": tiny.z_image_parts}
# How Z-Image's decoder is told to scale; without it the pipeline has nothing to add.
SCALES = {"z-image": {"scaling_factor": 0.3611, "shift_factor": 0.1159}}
STYLE = "oil"


@contextmanager
def building(place: Place) -> Iterator[None]:
    """Networks come into being on the card, in its digits."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(place.kind)
    try:
        with torch.device(place.device):
            yield
    finally:
        torch.set_default_dtype(before)


def parts(name: str, place: Place) -> dict[str, Any]:
    """As a checkpoint would have given them."""
    if place.toy:
        return {part: made for part, (made, _) in TOY[name]().items()}
    with building(place):
        transformer, coder = costs.ENGINES[name]().networks
        reader = memory.READERS[name]()
    # Z-Image reads without the head of a language model.
    words: Any = reader.model if name == "z-image" else reader
    with_scales: Any = coder
    with_scales.register_to_config(**SCALES.get(name, {}))
    scheduler = tiny.scheduler(shift=3.0) if name == "z-image" else tiny.scheduler()
    return {
        "scheduler": scheduler,
        "tokenizer": tiny.tokenizer(),
        "text_encoder": words,
        "transformer": transformer,
        "vae": coder,
    }


def furnish(engine: Published, place: Place) -> None:
    """What `load` does behind the reading of files."""
    if place.toy:
        few_prompts()
    torch.set_grad_enabled(False)
    quiet()
    made = parts(engine.name, place)
    for part in made.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False).eval()
    engine.furnish(made, {"is_distilled": True})


def furnished(name: str, place: Place) -> Any:
    """An engine that paints."""
    engine: Any = create(name, Path())
    furnish(engine, place)
    return engine


class BenchKlein(Flux2KleinEngine):
    """Klein for the real worker; it writes down when it painted, as tests/bench/stub.py does."""

    def load(self) -> None:
        place = here()
        if place is None:
            raise RuntimeError("There is no card, and SITTER_BENCH_TOY is not set.")
        self.steps = place.pick(None, 1)
        self.log = Path(os.environ["SITTER_TEST_RENDER_LOG"])
        self._licence = "Apache-2.0"
        furnish(self, place)

    def describe(self) -> Capabilities:
        # The style that the bench orders is no style of this engine's.
        return replace(super().describe(), styles=frozenset())

    def render(self, order: Order, on_step: Step) -> Image.Image:
        began = time.monotonic()
        steps = order.steps or self.steps
        picture = super().render(replace(order, style=STYLE, steps=steps), on_step)
        if order.steps is None:
            with self.log.open("a") as file:
                file.write(f"{began} {time.monotonic()}\n")
        return picture


def few_prompts() -> None:
    """One style's words instead of all: on a processor each takes its time."""
    prompts.fixed = lambda: (prompts.identity(STYLE),)


def compiled_into(folder: Path) -> None:
    """Where compiled kernels go, as the setting says it."""
    terms.agree(terms.Terms(compiled=folder))
    speed.keep_compiled(folder)
