"""Weights that cannot learn: no gradient, no optimiser, the same bytes at the end as at the start.

Owns the proof about parameters in memory; weights.py owns the one about files. Refuses a process
in which anything could change a weight by what it has seen.
"""

from __future__ import annotations

import gc
import sys
from hashlib import sha256

import torch
from torch import nn

from workers.engines.base import CouldLearn


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of every parameter and buffer by name, kind, shape and bytes. Raises CouldLearn."""
    refuse_learning(model)
    seen = sha256()
    # Not the state dict: it leaves out buffers that are not saved, and those decide as well.
    for name, held in (*model.named_parameters(), *model.named_buffers()):
        seen.update(f"{name}:{held.dtype}:{tuple(held.shape)};".encode())
        flat = held.detach().to("cpu").contiguous().reshape(-1)
        seen.update(flat.view(torch.uint8).numpy().data)
    return seen.hexdigest()


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
    # By its type alone: asking an object for its class can run what lazy objects put there.
    return sum(issubclass(type(each), kind) for each in gc.get_objects())
