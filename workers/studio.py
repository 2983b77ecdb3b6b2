"""The engines of one process: loaded, tried out, swapped when they do not all fit, never changed.

It owns which engine is in memory and how fast each has been. Rendering is not locked here: the
caller holds the easel. Parameters are compared with those that were loaded whenever one leaves.
"""

import gc
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from PIL import Image

from workers import admission, fitness
from workers.engines import base

log = structlog.get_logger(__name__)

# How much the latest render counts in the mean speed.
LATEST: Final = 0.2


class Studio:
    """What this worker can paint with."""

    def __init__(self) -> None:
        self.engines: dict[str, base.Engine] = {}  # in memory
        self.rates: dict[str, float] = {}
        self._fastest: dict[str, float] = {}
        self._served: list[str] = []
        self._prints: dict[str, str] = {}
        self._used_at: dict[str, float] = {}
        self._tried: set[str] = set()
        self._weights = Path()
        self._most = 0
        self._admission = admission.Admission((), None, most=0)

    @property
    def served(self) -> tuple[str, ...]:
        """Every engine that it takes work for."""
        return tuple(dict.fromkeys((*self._served, *self.engines)))

    @property
    def loaded(self) -> tuple[str, ...] | None:
        """Those in memory; None where all are."""
        here = tuple(self.engines)
        return None if set(self.served) <= set(here) else here

    def open(self, names: Sequence[str], weights: Path, *, most: int, memory: float = 0.0) -> None:
        """Load as many as may be in memory at once (0: all), and try each. Raises EngineError.

        `memory` is how many bytes they may take, if less than what is free (0: what is free).
        """
        self._served, self._weights, self._most = list(names), weights, most
        room = admission.measure(names, memory)
        self._admission = admission.Admission(names, room, most=most, weights=weights)
        for name in names:
            for size in self._admission.tight(name):
                log.warning("size_does_not_fit", engine=name, kind=f"{size[0]}x{size[1]}")
        for name in names[: most or None]:
            self._load(name)

    def bring(self, name: str) -> float | None:
        """Have it in memory; how many seconds that took, None where it was there already.

        Raises EngineError; an engine that cannot be loaded is served no more.
        """
        began = self._used_at[name] = time.monotonic()
        if name in self.engines:
            return None
        try:
            while self._most and len(self.engines) >= self._most:
                # The one that was used longest ago.
                self._unload(min(self.engines, key=lambda other: self._used_at.get(other, 0.0)))
            self._load(name)
        except base.WeightsChanged:
            raise
        except Exception:
            self._served.remove(name)
            raise
        return time.monotonic() - began

    def render(self, name: str, order: base.Order, on_step: base.Step) -> Image.Image:
        """Paint with an engine that is in memory. Raises OutOfMemory, whatever says so."""
        try:
            return self.engines[name].render(order, on_step)
        except MemoryError:
            raise base.OutOfMemory from None
        except RuntimeError as error:
            # torch's own class, by its name: this module does not load torch.
            if type(error).__name__ == "OutOfMemoryError":
                raise base.OutOfMemory from None
            raise

    def fits(self, name: str, order: base.Order) -> bool:
        """Whether the device has room for it, as far as anybody has counted."""
        # A picture to work on is read as a photo is.
        photos = len(order.references) + (order.source is not None)
        return self._admission.fits(name, (order.width, order.height), photos)

    def note(self, name: str, cost: float, seconds: float) -> None:
        """It has painted something of this cost in so long."""
        if cost <= 0 or seconds <= 0:
            return
        speed = cost / seconds
        known = self.rates.get(name, speed)
        self.rates[name] = known + (speed - known) * LATEST
        self._fastest[name] = max(speed, self._fastest.get(name, 0.0))

    def at_least(self, name: str, cost: float) -> float:
        """How many seconds that takes if it goes as fast as it ever went here; 0 before the first.

        Not at the mean speed: one slow hour would refuse what can be painted, and nothing would
        be painted that could show it.
        """
        fastest = self._fastest.get(name)
        return cost / fastest if fastest else 0.0

    def changed(self) -> list[str]:
        """Engines whose parameters are not those that were loaded."""
        return [name for name in self._prints if not self._unchanged(name)]

    def close(self) -> None:
        """Give all memory back."""
        for name in list(self.engines):
            self.engines.pop(name).unload()
        self._prints.clear()
        self._served.clear()

    def _load(self, name: str) -> None:
        engine = base.create(name, self._weights / name)
        engine.load()
        self._prints[name] = engine.fingerprint()
        if name not in self._tried:
            fitness.try_out(engine)
            self._tried.add(name)
        self.engines[name] = engine
        log.info("engine_loaded", engine=name)

    def _unload(self, name: str) -> None:
        if not self._unchanged(name):
            raise base.WeightsChanged(f"The weights of {name} have changed in memory.")
        del self._prints[name]
        self.engines.pop(name).unload()
        gc.collect()
        log.info("engine_unloaded", engine=name)

    def _unchanged(self, name: str) -> bool:
        """Whether an engine's parameters are those that were loaded, and could not have learnt."""
        try:
            same = self.engines[name].fingerprint() == self._prints[name]
        except base.CouldLearn:
            same = False
        if same:
            log.info("weights_unchanged", engine=name)
        else:
            log.critical("weights_changed", engine=name)
        return same
