"""What a portrait costs: TFLOP by engine, size, references and steps. Pure: a table and a rule.

`python -m deploy.models.costs` counts the table on meta tensors and writes costs.json. Costs decide
turns and estimates only; nobody is charged by them.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from portraits.recipes import Recipe

FILE: Final = Path(__file__).with_name("costs.json")
# For an engine that nobody has counted: about what a denoiser of four billion parameters takes for
# a step on a million pixels, and as much again for each reference, which it reads as more pixels.
TFLOP_A_MEGAPIXEL: Final = 33.0
STEPS: Final = 4


@dataclass(frozen=True)
class Counted:
    """One engine at one size: each step's and the rest's TFLOP, by number of references."""

    step: tuple[float, ...]
    rest: tuple[float, ...]


def cost(engine: str, recipe: Recipe, photos: int) -> float:
    """TFLOP of one portrait; always more than nothing."""
    references = min(recipe.references, photos)
    entry = _table().get(engine)
    counted = entry and entry["sizes"].get(f"{recipe.width}x{recipe.height}")
    if not entry or not counted:
        megapixels = recipe.width * recipe.height / 1e6
        return megapixels * (recipe.steps or STEPS) * (1 + references) * TFLOP_A_MEGAPIXEL
    found = Counted(tuple(counted["step"]), tuple(counted["rest"]))
    steps = recipe.steps or int(entry["steps"])
    # An engine leaves out what it cannot take.
    column = min(references, len(found.step) - 1)
    return found.step[column] * steps + found.rest[column]


@lru_cache(1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(FILE.read_text())["engines"]
    return table
