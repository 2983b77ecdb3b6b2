"""Whether there is room for an engine and for a picture: estimated before anything is tried.

It owns the comparison of what engines need (memory.json, counted on meta tensors by
`python -m deploy.models.memory`) with what the device has. It refuses to start an engine that could
not paint its smallest picture, with the figures; a larger picture that will not fit is painted
smaller from the start, as one that has run out of memory is. Engines that nobody has counted are
let through: for them, running out is still handled where it happens.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from workers.engines import base

FILE: Final = Path(__file__).with_name("memory.json")
Size = tuple[int, int]
# What meta tensors do not show: a driver's context, kernels and their workspaces; without a card,
# the libraries themselves.
BESIDE: Final = {"cuda": 1.0e9, "cpu": 0.5e9}
# An allocator keeps pieces that fit nothing.
WASTE: Final = 1.1
# Published weights are counted in half as many digits; a processor takes them all.
PROCESSOR_DIGITS: Final = 4
GB: Final = 1e9


@dataclass(frozen=True)
class Room:
    """Where engines paint, and how many bytes they may take there."""

    kind: str  # "cuda" or "cpu"
    size: float


@dataclass(frozen=True)
class Needs:
    """One engine: bytes of its weights, and of the rest by size and number of photos."""

    weights: float
    rest: dict[Size, tuple[float, ...]]

    def painting(self, size: Size, photos: int) -> float:
        """Bytes beside the weights. A size that nobody has counted is left to chance."""
        counted = self.rest.get(size)
        # An engine leaves out what it cannot take.
        return WASTE * counted[min(photos, len(counted) - 1)] if counted else 0.0


def counted(name: str, kind: str, on_disk: float = 0.0) -> Needs | None:
    """What an engine needs on that kind of device; None where nobody has counted.

    Its weights are what their files have, `on_disk` bytes, else those of the published ones.
    """
    entry = _table().get(name)
    if entry is None:
        return None
    factor = max(1.0, PROCESSOR_DIGITS / entry["digits"]) if kind == "cpu" else 1.0
    rest = {
        (int(width), int(height)): tuple(factor * value for value in values)
        for size, values in entry["sizes"].items()
        for width, height in [size.split("x")]
    }
    return Needs(factor * (on_disk or entry["weights"]), rest)


@lru_cache(1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(FILE.read_text())["engines"]
    return table


def measure(names: Iterable[str], limit: float = 0.0) -> Room | None:
    """What the device has free now, or `limit` where that is less; None without counted engines.

    It is asked before anything is loaded: what this process takes afterwards is not free any more.
    """
    if not any(name in _table() for name in names):
        return None
    # By its name, as engines are: only a process that paints with torch loads it.
    device: Any = import_module("workers.engines.room")
    kind, free = device.free()
    return Room(kind, min(free, limit or free))


class Admission:
    """Who may be in memory together, and what each may paint then."""

    def __init__(
        self, names: Sequence[str], room: Room | None, *, most: int, weights: Path | None = None
    ) -> None:
        """Raises DoesNotFit for an engine that could not paint its smallest picture.

        `weights`: where each engine has its folder.
        """
        self._left: dict[str, float] = {}
        self._needs: dict[str, Needs] = {}
        if room is None:
            return
        self._needs = {
            name: need
            for name in names
            if (need := counted(name, room.kind, _on_disk(weights and weights / name)))
        }
        beside = (most or len(names)) - 1
        for name, need in self._needs.items():
            others = sorted(other.weights for key, other in self._needs.items() if key != name)
            taken = need.weights + sum(others[::-1][:beside]) + BESIDE[room.kind]
            self._left[name] = room.size - taken
            least = min(need.rest, key=lambda size: size[0] * size[1])
            if not self.fits(name, least, 0):
                raise base.DoesNotFit(_sentence(name, need, least, taken, room))

    def fits(self, name: str, size: Size, photos: int) -> bool:
        """Whether a picture will fit beside what else may be in memory, as far as is known."""
        need = self._needs.get(name)
        return need is None or need.painting(size, photos) <= self._left[name]

    def tight(self, name: str) -> list[Size]:
        """Sizes that the engine knows and that will not fit, from as many photos as it is shown."""
        need = self._needs.get(name)
        if need is None:
            return []
        return [size for size, by in need.rest.items() if not self.fits(name, size, len(by))]


def _on_disk(folder: Path | None) -> float:
    files = folder.rglob("*.safetensors") if folder else ()
    return float(sum(file.stat().st_size for file in files))


def _sentence(name: str, need: Needs, size: Size, taken: float, room: Room) -> str:
    return (
        f"{name} does not fit: its smallest picture, {size[0]} by {size[1]}, needs about"
        f" {(taken + need.painting(size, 0)) / GB:.1f} GB ({need.weights / GB:.1f} GB of weights,"
        f" {(taken - need.weights) / GB:.1f} GB of what must be there beside them), and there are"
        f" {room.size / GB:.1f} GB. SITTER_ENGINES, SITTER_ENGINES_LOADED and"
        " SITTER_ENGINE_MEMORY_GB decide."
    )
