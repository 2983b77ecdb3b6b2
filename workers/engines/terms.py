"""What the operator allows an engine: weights that may not earn money, a place for compiled code.

Owns the licence check of weights that others published. Refuses a licence that it does not know
to allow commercial use, one that nobody states, and to be changed by anything but the settings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workers.engines.base import WeightsRefused
from workers.engines.weights import MANIFEST

# SPDX names of licences that let a business paint with the weights. What is not on this list is
# taken to forbid it: "non-commercial", "research-only", "other" and whatever comes next.
COMMERCIAL: Final = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-4.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "Unlicense",
    }
)


@dataclass(frozen=True)
class Terms:
    """As the settings say."""

    noncommercial: bool = False
    # Where compiled kernels are kept; without one they live as long as the process.
    compiled: Path | None = None


_agreed = Terms()


def agree(terms: Terms) -> None:
    """Said once, when the gpu worker starts; SITTER_ALLOW_NONCOMMERCIAL, SITTER_COMPILED."""
    global _agreed
    _agreed = terms


def agreed() -> Terms:
    """What holds in this process."""
    return _agreed


def licence(folder: Path) -> str:
    """The licence in a weights folder's manifest, if it may be used. Raises WeightsRefused.

    Verify the folder first: this reads the manifest and believes it.
    """
    try:
        said: Any = json.loads((folder / MANIFEST).read_bytes()).get("licence")
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsRefused(MANIFEST, "cannot be read.") from error
    if not isinstance(said, str) or not said:
        raise WeightsRefused(MANIFEST, "states no licence.")
    if said not in COMMERCIAL and not _agreed.noncommercial:
        raise WeightsRefused(
            MANIFEST,
            f"states the licence {said[:60]!r}, which is not known to allow commercial use;"
            " SITTER_ALLOW_NONCOMMERCIAL=true takes that on.",
        )
    return said
