"""What each engine can do, for a web that loads none of them. Pure: a table.

A test compares abilities.json with what the engines themselves say. An engine that is not in it is
an operator's own: it is taken to do what can be asked for, and refuses the rest when it paints.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("abilities.json")
Size = tuple[int, int]


@dataclass(frozen=True)
class Ability:
    """`words`: whether it reads free text; without, choices alone describe a picture.

    `sizes` are (width, height) in pixels of what it paints, `enlarged` of its upscales.
    """

    tasks: tuple[str, ...]
    words: bool
    sizes: tuple[Size, ...]
    enlarged: tuple[Size, ...]


def of(engine: str) -> Ability:
    """What it can do."""
    table = _table()
    found = table.get(engine, table["unknown"])
    sizes, enlarged = (tuple(map(_size, found[name])) for name in ("sizes", "enlarged"))
    return Ability(tuple(found["tasks"]), found["words"], sizes, enlarged)


def known(engine: str) -> bool:
    """Whether it is one of ours, which the table describes."""
    return engine in _table() and engine != "unknown"


def _size(said: str) -> Size:
    width, _, height = said.partition("x")
    return int(width), int(height)


@lru_cache(1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(FILE.read_text())
    return table
