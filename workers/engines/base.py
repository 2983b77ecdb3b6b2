"""What an engine is: the order it takes, the capabilities it states, the ways it refuses.

Owns the protocol between the worker and whatever paints. Knows no framework: neither torch nor
the database is imported here, so that every process can speak of engines without loading one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from PIL import Image

# A face box as fractions of the reference: left, top, right, bottom.
Focus = tuple[float, float, float, float]
# Called with (done, total) after each step; it stops the engine by raising Stopped.
Step = Callable[[int, int], None]


class EngineError(Exception):
    """The engine failed in a way that says nothing about the order."""


class WeightsRefused(EngineError):
    """A weights folder is not, byte for byte, what its manifest promises."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class WeightsChanged(EngineError):
    """Parameters in memory are not those that were loaded: something has written to them."""


class CouldLearn(EngineError):
    """A gradient or an optimiser is there, so that a picture could change the weights."""


class Unfit(EngineError):
    """The engine was loaded and does not paint: its picture of nobody is no picture, or late."""


class DoesNotFit(EngineError):
    """By the estimate the device has no room for the engine; it was not loaded."""


class OutOfMemory(EngineError):
    """The order did not fit into memory; a smaller one may."""


class CannotPaint(EngineError):
    """The order lies outside the engine's capabilities; trying again will not help."""


class Stopped(Exception):
    """Raised by the progress callback: the order is no longer wanted.

    It is no EngineError, so that nothing which handles failures can mistake it for one.
    """


class TookTooLong(Stopped):
    """It is wanted, but it has painted for as long as one portrait may take."""


class Task(StrEnum):
    IDENTITY = "identity"  # a portrait of the person in the references
    TEXT = "text"  # a picture from a prompt alone
    EDIT = "edit"  # a change to the source, inside the mask where there is one
    UPSCALE = "upscale"  # the source, larger


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do. No styles means that a prompt decides the style."""

    name: str
    tasks: frozenset[Task]
    styles: frozenset[str]
    sizes: tuple[tuple[int, int], ...]  # width, height
    max_references: int
    licence: str
    weights_sha256: str
    words: bool = True  # whether it reads free text; without, choices alone describe a picture
    # What an upscale may ask for, where these are other sizes than those that are painted.
    enlarged: tuple[tuple[int, int], ...] = ()

    def of(self, task: Task) -> tuple[tuple[int, int], ...]:
        """The sizes of a task."""
        return self.enlarged or self.sizes if task is Task.UPSCALE else self.sizes


@dataclass(frozen=True, repr=False)
class Order:
    """One picture to paint. It holds somebody's face and words, so it never prints them."""

    task: Task
    style: str
    width: int
    height: int
    seed: int
    steps: int | None = None
    prompt: str | None = field(default=None, repr=False)
    # What was chosen from portraits/prompts.py: the name of a choice and its value.
    choices: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    # An upscale invents detail where this is set, and keeps to what is there otherwise.
    rich: bool = False
    references: tuple[Image.Image, ...] = field(default=(), repr=False)
    source: Image.Image | None = field(default=None, repr=False)
    mask: Image.Image | None = field(default=None, repr=False)
    # Aligned with the references; empty when nobody has looked where the faces are.
    focus: tuple[Focus | None, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return (
            f"Order({self.task.value}, {self.style!r}, {self.width}x{self.height},"
            f" references={len(self.references)}, redacted)"
        )


@runtime_checkable
class Engine(Protocol):
    """A painter. It is loaded once, paints one order at a time and can be unloaded."""

    def load(self) -> None:
        """Verify the weights and make ready to paint. Raises WeightsRefused."""

    def describe(self) -> Capabilities:
        """What this engine can paint, and with which weights; answers once it is loaded."""
        ...

    def fingerprint(self) -> str:
        """A hash of all parameters as they lie in memory now. Raises CouldLearn."""
        ...

    def render(self, order: Order, on_step: Step) -> Image.Image:
        """Paint. Raises CannotPaint, OutOfMemory; lets what `on_step` raises pass in one step."""
        ...

    def unload(self) -> None:
        """Give back all memory; the engine can be loaded again."""


def check(order: Order, can: Capabilities) -> None:
    """Refuse what lies outside the capabilities, by a sentence that tells no personal detail."""
    if order.task not in can.tasks:
        raise CannotPaint(f"{can.name} does not do {order.task.value}.")
    # A picture of any style can be enlarged: it keeps its own.
    styled = order.task is not Task.UPSCALE and can.styles
    if styled and order.style not in can.styles:
        raise CannotPaint(f"{can.name} does not know this style.")
    if (order.width, order.height) not in can.of(order.task):
        raise CannotPaint(f"{can.name} does not paint {order.width} by {order.height} pixels.")
    if len(order.references) > can.max_references:
        raise CannotPaint(f"{can.name} takes at most {can.max_references} references.")
    if order.task is Task.IDENTITY and not order.references:
        raise CannotPaint("A portrait of a person needs a reference.")
    if order.task in (Task.EDIT, Task.UPSCALE) and order.source is None:
        raise CannotPaint("There is no picture to work on.")
    if order.focus and len(order.focus) != len(order.references):
        raise CannotPaint("Each reference needs its own focus, or none of them has one.")
    if order.steps is not None and not 1 <= order.steps <= 100:
        raise CannotPaint("The number of steps is out of range.")


REGISTRY = {
    "pocket": "workers.engines.pocket:PocketEngine",
    "flux2-klein": "workers.engines.flux2_klein:Flux2KleinEngine",
    "z-image": "workers.engines.z_image:ZImageEngine",
    "qwen-edit": "workers.engines.qwen_edit:QwenEditEngine",
    "real-esrgan": "workers.engines.real_esrgan:RealEsrganEngine",
}


def create(name: str, weights: Path) -> Engine:
    """The engine of that name, not yet loaded; its module is imported here and no earlier.

    A name of the form `package.module:Class` is an engine that is not in the registry.
    """
    place, _, kind = REGISTRY.get(name, name).partition(":")
    if not kind:
        raise EngineError(f"There is no engine called {name!r}.")
    try:
        maker = getattr(import_module(place), kind)
    except (ImportError, AttributeError) as error:
        raise EngineError(f"The engine {name!r} cannot be imported.") from error
    return cast(Engine, maker(weights))
