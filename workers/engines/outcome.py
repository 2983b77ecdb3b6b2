"""How a picture leaves the tensors that it was painted in, or why it does not.

Owns the last step of every engine. Refuses a picture that holds NaN, and
leaves neither the picture's numbers nor half a picture's memory behind.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from PIL import Image
from torch import Tensor

from workers.engines.base import EngineError, OutOfMemory

ALLOCATOR: Final = "can't allocate memory"


@contextmanager
def within_memory() -> Iterator[None]:
    """What does not fit is said in the words of the protocol, and its remains are let go."""
    try:
        yield
    except torch.OutOfMemoryError:
        pass
    except RuntimeError as error:
        # A processor's allocator has no class of its own.
        if ALLOCATOR not in str(error):
            raise
    else:
        return
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise OutOfMemory("The order did not fit into memory.")


def picture(batch: Tensor) -> Image.Image:
    """A batch of one in 0..1 as a picture; the tensor is zeroed. Raises EngineError for NaN."""
    if batch.shape[0] != 1 or not bool(torch.isfinite(batch).all()):
        raise EngineError("What was painted is not a picture.")
    values = (batch[0].float().clamp(0, 1) * 255).round().to(torch.uint8)
    painted = Image.fromarray(values.permute(1, 2, 0).contiguous().cpu().numpy())
    values.zero_()
    batch.zero_()
    return painted
