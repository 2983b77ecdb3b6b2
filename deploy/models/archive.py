"""Turns a pickled archive of tensors into a file that is nothing but tensors.

Owns the one place where a pickle is opened, on the operator's machine. Refuses whatever the
restricted reader does not know: it builds tensors and containers, and calls nothing.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


class NoTensors(Exception):
    """The archive holds something else, or cannot be read."""


def convert(archive: Path, out: Path) -> None:
    """The averaged parameters where there are two sets. Raises NoTensors."""
    try:
        state: Any = torch.load(archive, map_location="cpu", weights_only=True)
        chosen: dict[str, Any] = state.get("params_ema", state)
        tensors = {str(name): part.contiguous() for name, part in chosen.items()}
        save_file(tensors, out)
    except Exception as error:
        out.unlink(missing_ok=True)
        raise NoTensors from error
