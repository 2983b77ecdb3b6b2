"""Published checkpoints: from a folder that was verified to a pipeline that paints.

Owns what the engines of published weights have in common: which classes a folder may hold, how
each part is loaded, how a picture leaves a pipeline. Refuses a folder whose manifest, licence or
classes are not the expected ones, weights that leave a parameter unset, and a picture of NaN.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

# These are read when the libraries are imported; set later they would change nothing.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["DISABLE_TELEMETRY"] = "1"
# Two tokenisers at work when a process forks print a warning; there is one, and nothing forks.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from diffusers import ModelMixin
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from workers.engines import frozen, sizes, speed, terms
from workers.engines.base import (
    Capabilities,
    EngineError,
    Order,
    OutOfMemory,
    Step,
    Task,
    WeightsRefused,
    check,
)
from workers.engines.outcome import picture, within_memory
from workers.engines.weights import verify_weights

INDEX: Final = "model_index.json"


@dataclass(frozen=True)
class Part:
    """One folder of a checkpoint: the class that is loaded, and what else it may be called."""

    kind: Any
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.kind.__name__, *self.aliases))


@dataclass(frozen=True)
class Layout:
    """What a checkpoint has to be."""

    pipeline: Any
    parts: dict[str, Part]


def quiet() -> None:
    """Libraries print neither bars nor warnings: a warning may quote a prompt."""
    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()


# --- From a folder to parts ---------------------------------------------------------------------


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        said = json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsRefused(name, "cannot be read.") from error
    if not isinstance(said, dict):
        raise WeightsRefused(name, "cannot be read.")
    return said


def index(folder: Path, layout: Layout) -> dict[str, Any]:
    """The checkpoint's index, if it and its parts name the expected classes."""
    said = _read(folder, INDEX)
    if said.get("_class_name") != layout.pipeline.__name__:
        raise WeightsRefused(INDEX, "is of another class.")
    for name, part in layout.parts.items():
        entry = said.get(name)
        if not isinstance(entry, list) or len(entry) != 2 or entry[1] not in part.names:
            raise WeightsRefused(INDEX, f"names another class for {name}.")
        _refuse_another_class(folder, name, part)
    return said


def _refuse_another_class(folder: Path, name: str, part: Part) -> None:
    """The index may be right and the part beside it another one's."""
    config = f"{name}/config.json"
    if issubclass(part.kind, ModelMixin):
        named = [_read(folder, config).get("_class_name")]
    elif issubclass(part.kind, PreTrainedModel):
        named = _read(folder, config).get("architectures") or []
    else:
        return
    if not part.names & set(named):
        raise WeightsRefused(config, "is of another class.")


def load_part(folder: Path, name: str, part: Part, where: torch.device) -> Any:
    """One part, on its device. Raises WeightsRefused where a parameter is not in the file."""
    kind = part.kind
    if not issubclass(kind, ModelMixin | PreTrainedModel):
        with _refusing(name):
            return kind.from_pretrained(folder / name, local_files_only=True)
    with _refusing(name):
        # Straight to the device by the map: no second copy in the machine's memory.
        model, found = kind.from_pretrained(
            folder / name,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            device_map=str(where),
            dtype=speed.precision(where),
        )
    # The libraries make up what they do not find, and warn.
    for what in ("missing_keys", "mismatched_keys", "error_msgs"):
        if found.get(what):
            raise WeightsRefused(name, "does not hold every parameter of its class.")
    return model.requires_grad_(False).eval()


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise OutOfMemory from None
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsRefused(name, "cannot be loaded.") from error


# --- From a pipeline to a picture ---------------------------------------------------------------


def told(on_step: Step) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    """The library's callback; what `on_step` raises ends the call within the step."""

    def callback(pipe: Any, at: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            on_step(at + 1, pipe.num_timesteps)
        except BaseException:
            # Whoever catches it inside the library finds the loop switched off.
            pipe._interrupt = True
            raise
        return kwargs

    return callback


class Published:
    """An engine of published weights; each family's file says what is its own."""

    name: ClassVar[str]
    layout: ClassVar[Layout]
    tasks: ClassVar[frozenset[Task]]
    styles: ClassVar[frozenset[str]]
    max_references: ClassVar[int] = 0

    def __init__(self, weights: Path) -> None:
        self._folder = weights
        self._manifest = ""
        self._licence = ""
        self._parts: dict[str, Any] = {}
        self._pipe: Any = None

    def load(self) -> None:
        # For the thread that loads; the pipelines switch gradients off in the one that paints.
        torch.set_grad_enabled(False)
        quiet()
        self._manifest = verify_weights(self._folder)
        self._licence = terms.licence(self._folder)
        said = index(self._folder, self.layout)
        where = speed.device()
        # The parts are named here, not by the folder: an index file cannot choose a class.
        parts = {
            name: load_part(self._folder, name, part, where)
            for name, part in self.layout.parts.items()
        }
        self.furnish(parts, said)

    def furnish(self, parts: dict[str, Any], said: dict[str, Any]) -> None:
        """Make ready to paint with these parts, wherever they come from."""
        self._parts = parts
        self._pipe = self.assemble(parts, said)
        self._pipe.set_progress_bar_config(disable=True)
        speed.prepare(self._parts["transformer"], self._parts["vae"], terms.agreed().compiled)
        self.ready()

    def assemble(self, parts: dict[str, Any], said: dict[str, Any]) -> Any:
        """The pipeline from its parts."""
        del said
        return self.layout.pipeline(**parts)

    def ready(self) -> None:
        """What is kept for every order."""

    def describe(self) -> Capabilities:
        return Capabilities(
            name=self.name,
            tasks=self.tasks,
            styles=self.styles,
            sizes=sizes.PAINTED,
            max_references=self.max_references,
            licence=self._licence,
            weights_sha256=self._manifest,
        )

    def fingerprint(self) -> str:
        models = {name: part for name, part in self._parts.items() if isinstance(part, nn.Module)}
        if not models:
            raise EngineError("The engine is not loaded.")
        return frozen.fingerprint(nn.ModuleDict(models))

    def render(self, order: Order, on_step: Step) -> Image.Image:
        if self._pipe is None:
            raise EngineError("The engine is not loaded.")
        check(order, self.describe())
        with torch.no_grad(), within_memory():
            return self.paint(order, on_step)

    def paint(self, order: Order, on_step: Step) -> Image.Image:
        """The family's own way. Whatever it raises passes."""
        raise NotImplementedError

    def unload(self) -> None:
        self._pipe = None
        self._parts = {}
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def run(pipe: Any, order: Order, on_step: Step, *, steps: int, **inputs: Any) -> Image.Image:
    """One call of a pipeline, for one person. The seed decides on every device alike."""
    batch = pipe(
        **inputs,
        num_inference_steps=order.steps or steps,
        generator=torch.Generator("cpu").manual_seed(order.seed),
        output_type="pt",
        callback_on_step_end=told(on_step),
    ).images
    return picture(batch)
