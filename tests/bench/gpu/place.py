"""Where the suite runs, how large, and how it tells the time there.

`SITTER_BENCH_TOY=1` runs every part at toy sizes on a processor, so that the code can be tried
without a card. Toy numbers say nothing about speed: they are marked, and no figure is stored.
"""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch

from workers.engines import speed

TOYS = "SITTER_BENCH_TOY"
# Dense bf16 of an H100, as its maker states it.
PEAK_TFLOPS = 989.0


@dataclass(frozen=True)
class Place:
    """A card, or a processor that plays one."""

    toy: bool

    @property
    def device(self) -> torch.device:
        return torch.device("cpu") if self.toy else speed.device()

    @property
    def kind(self) -> torch.dtype:
        return torch.float32 if self.toy else torch.bfloat16

    @property
    def name(self) -> str:
        return "toy sizes on a processor" if self.toy else torch.cuda.get_device_name()

    @property
    def rounds(self) -> int:
        return 1 if self.toy else 7

    def pick(self, real: Any, toy: Any) -> Any:
        """A size."""
        return toy if self.toy else real

    def sync(self) -> None:
        """What was asked of the card is done behind this."""
        if not self.toy:
            torch.cuda.synchronize()

    def seconds(self, call: Callable[[], Any], rounds: int | None = None) -> float:
        """The median of some calls, behind two that do not count (one, of toys)."""
        for _ in range(self.pick(2, 1)):
            call()
        taken = []
        for _ in range(rounds or self.rounds):
            self.sync()
            began = perf_counter()
            call()
            self.sync()
            taken.append(perf_counter() - began)
        return statistics.median(taken)

    def forget_peak(self) -> None:
        if not self.toy:
            torch.cuda.reset_peak_memory_stats()

    def peak(self) -> int | None:
        """The most bytes since `forget_peak`; a processor's allocator does not say."""
        return None if self.toy else torch.cuda.max_memory_allocated()


def here() -> Place | None:
    """None: there is no card, and nobody asked for toys."""
    if os.environ.get(TOYS):
        # Threads that share so little only wait for each other.
        torch.set_num_threads(1)
        return Place(toy=True)
    return Place(toy=False) if torch.cuda.is_available() else None
