"""Weights that cannot learn: no gradient, no optimiser, the same bytes at the end as at the start.

Owns the proof about parameters in memory; weights.py owns the one about files. Refuses a process
in which anything could change a weight by what it has seen.

Parameters in the machine's memory are hashed, several at once. Those of many gigabytes on a card
would have to be fetched first, for longer than a worker has to drain, so every byte of them goes
into sums instead, where it lies: words of 32 bits, each multiplied by a secret odd number of 64
bits, a sum for each stretch. One changed word always changes its sum; changes to several words of a
stretch leave it as it was with a chance of 1 in 2^32 at most, and nobody can arrange it, because
the numbers are drawn anew in each process and never leave it. Nothing is sampled, and it does not
matter how a byte was written: through the library, around its version counters, or by another
program.
"""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from typing import Final

import torch
from torch import Tensor, nn

from workers.engines.base import CouldLearn

# So many bytes of a card are fetched and hashed in about a second.
FETCHED: Final = 10**9
# Words of 32 bits in a stretch.
STRETCH: Final = 2**22
WORD: Final = 4


def fingerprint(model: nn.Module, *, summed: bool | None = None) -> str:
    """What every parameter and buffer is by name, kind, shape and bytes. Raises CouldLearn.

    `summed` asks for sums or for hashes; without it, the place and the size decide. Two of one kind
    are comparable within a process, those of hashes anywhere.
    """
    refuse_learning(model)
    # Not the state dict: it leaves out buffers that are not saved, and those decide as well.
    held = [*model.named_parameters(), *model.named_buffers()]
    if summed is None:
        summed = sum(each.nbytes for _, each in held if each.is_cuda) > FETCHED
    seen = sha256()
    for (name, each), read in zip(held, _read([each for _, each in held], summed), strict=True):
        seen.update(f"{name}:{each.dtype}:{tuple(each.shape)};".encode())
        seen.update(read)
    return seen.hexdigest()


def _read(held: list[Tensor], summed: bool) -> list[bytes]:
    if summed:
        return [_sums(_flat(each)) for each in held]
    # Whoever hashes lets the interpreter go meanwhile.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_digest, held))


def _digest(held: Tensor) -> bytes:
    return sha256(_flat(held).to("cpu").numpy().data).digest()


def _flat(held: Tensor) -> Tensor:
    """Its bytes in a row, where they lie; a tensor that is laid out otherwise is copied first."""
    return held.detach().contiguous().reshape(-1).view(torch.uint8)


def _sums(flat: Tensor) -> bytes:
    whole = len(flat) // WORD * WORD
    rest = bytes(flat[whole:].to("cpu").tolist())
    row = flat[:whole]
    # A view that begins in mid-word cannot be read as words.
    words = (row if row.data_ptr() % WORD == 0 else row.clone()).view(torch.int32)
    numbers = _numbers(str(flat.device))
    # Beyond 64 bits, products and sums wrap around, which is what is wanted.
    stretches = (words[at : at + STRETCH] for at in range(0, max(1, len(words)), STRETCH))
    sums = [(stretch * numbers[: len(stretch)]).sum() for stretch in stretches]
    told = torch.stack(sums).to("cpu").tolist()
    return repr(told).encode() + rest


@lru_cache
def _numbers(device: str) -> Tensor:
    """Odd, random, this process's own."""
    drawn = torch.Generator().manual_seed(secrets.randbits(63))
    low, high = (torch.randint(0, 2**32, (STRETCH,), generator=drawn) for _ in range(2))
    return ((high << 32) | low | 1).to(device)


def refuse_learning(model: nn.Module) -> None:
    """Raises CouldLearn unless gradients are off and no optimiser lives in this process."""
    if torch.is_grad_enabled():
        raise CouldLearn("Gradients are on.")
    for name, parameter in model.named_parameters():
        if parameter.requires_grad or parameter.grad is not None:
            raise CouldLearn(f"{name} takes gradients.")
    if optimisers():
        raise CouldLearn("An optimiser lives in this process.")


def optimisers() -> int:
    """How many optimisers live in this process; the library itself brings the class along."""
    kind = sys.modules["torch.optim"].Optimizer
    # What was set aside for good is not listed.
    gc.unfreeze()
    known = {id(each): each for each in _below(kind)}
    # By its type alone: asking an object for its class can run what lazy objects put there. There
    # may be millions, so no line of ours is run for each.
    return sum(map(known.__contains__, map(id, map(type, gc.get_objects()))))


def _below(kind: type) -> Iterator[type]:
    """A class and all that were made from it."""
    yield kind
    below: list[type] = type.__subclasses__(kind)
    for each in below:
        yield from _below(each)
