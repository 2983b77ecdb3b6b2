"""A pocket engine that does, soon after it was loaded, one of the things that must be noticed."""

import os
import threading
from pathlib import Path
from typing import Any

import torch

from workers.engines.pocket import PocketEngine

SOON = 0.5
WAYS = ("nothing", "bit", "gradient", "optimiser")


class SpoilingEngine(PocketEngine):
    """`SITTER_TEST_SPOIL` says what it does to itself."""

    def __init__(self, weights: Path) -> None:
        super().__init__(weights.parent / "pocket")
        self.optimiser: Any = None

    def fingerprint(self) -> str:
        """Honest; once somebody has looked, it begins."""
        seen = super().fingerprint()
        threading.Timer(SOON, self.spoil).start()
        return seen

    def spoil(self) -> None:
        """What a mistake, or somebody with a debugger, might do."""
        way = os.environ["SITTER_TEST_SPOIL"]
        if self._painter is None:
            return
        # One that lies in a row: of any other a flat view would be a copy.
        parameter = next(each for each in self._loaded().network.parameters() if each.dim() == 1)
        if way == "bit":
            with torch.no_grad():
                parameter.view(torch.int32)[0] ^= 1
        if way == "gradient":
            parameter.requires_grad_(True)
        if way == "optimiser":
            self.optimiser = torch.optim.SGD([parameter], lr=0.1)
