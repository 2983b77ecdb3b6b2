"""How long the fuzzing goes on: short in `make test`, whole in `make fuzz`."""

import os
from typing import Final, TypeVar

T = TypeVar("T")
# tests/fuzz/__main__.py sets it.
LONG: Final = bool(os.environ.get("SITTER_FUZZ"))
TARGET: Final = "fuzz" if LONG else "test"


def pick(short: T, long: T) -> T:
    """The one for this run."""
    return long if LONG else short
