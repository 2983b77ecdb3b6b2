"""How large the storms are: short in `make test`, larger in `make chaos`, whole with FULL=1."""

import os
from typing import Final, TypeVar

T = TypeVar("T")
# "" in `make test`; tests/chaos/__main__.py sets one of the others.
SIZE: Final = os.environ.get("SITTER_CHAOS", "")
FULL: Final = SIZE == "full"


def pick(short: T, usual: T, full: T) -> T:
    """The one for this run."""
    return {"usual": usual, "full": full}.get(SIZE, short)
