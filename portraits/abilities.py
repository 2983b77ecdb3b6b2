"""What each engine can do, for a web that loads none of them. Pure: a table.

A test compares abilities.json with what the engines themselves say. An engine that is not in it is
an operator's own: it is taken to do what a style can ask for, and refuses the rest when it paints.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("abilities.json")


@dataclass(frozen=True)
class Ability:
    """`words`: whether it reads free text; without, choices alone describe a picture."""

    tasks: tuple[str, ...]
    words: bool


UNKNOWN: Final = Ability(("identity", "text"), words=True)


def of(engine: str) -> Ability:
    """What it can do."""
    found = _table().get(engine)
    return Ability(tuple(found["tasks"]), found["words"]) if found else UNKNOWN


@lru_cache(1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(FILE.read_text())
    return table
