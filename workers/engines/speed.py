"""What makes published engines fast, one trick a paragraph. Without CUDA nothing here does a thing.

Owns compilation and where its results are kept. Refuses to reuse compiled code from a folder that
others can write to: kernels in a cache are programs.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from workers.engines.base import EngineError

# By these the library finds its folder; they are read when the first graph is compiled.
CACHE: Final = "TORCHINDUCTOR_CACHE_DIR"
KERNELS: Final = "TRITON_CACHE_DIR"
# Axes of a convolution over pictures.
FLAT: Final = 4
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def device() -> torch.device:
    """Where engines paint."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(where: torch.device) -> torch.dtype:
    """What the networks count in: processors are no faster with half as many digits."""
    return torch.bfloat16 if where.type == "cuda" else torch.float32


def keep_compiled(folder: Path | None) -> Path:
    """Set where compiled kernels go. Raises EngineError where others could have put them there.

    Without a folder they go to a new one that dies with the machine's temporary files: the
    library's own default is a guessable name that everybody may create.
    """
    if folder is None:
        folder = Path(os.environ.get(CACHE) or tempfile.mkdtemp(prefix="sitter-compiled-"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = folder.stat()
    if there.st_uid != os.geteuid() or there.st_mode & OTHERS_WRITE:
        raise EngineError("Others can write to the folder of compiled kernels.")
    os.environ[CACHE] = str(folder)
    os.environ[KERNELS] = str(folder / "triton")
    return folder


def compile_regions(transformer: Any, *, backend: str | Callable[..., Any] = "inductor") -> None:
    """Compile the block that a denoiser repeats, once, instead of the whole of it.

    Cold, that is a tenth of the wait for the same gain (speed.md, a2). Shapes stay symbolic: sizes
    and numbers of references change how many tokens there are, and no person waits for a compiler
    because theirs is the first of a kind.
    """
    transformer.compile_repeated_blocks(fullgraph=True, dynamic=True, backend=backend)


def can_compile() -> bool:
    """Whether there is the C compiler that each kernel's launcher is built with.

    An image of workers holds none unless it was asked for (deploy/docker/gpu.Dockerfile); there the
    engine paints as it was loaded, more slowly, instead of failing at its first picture.
    """
    return any(shutil.which(name) for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"))


def prepare_decoder(decoder: Any) -> None:
    """Lay a decoder's numbers out as tensor cores read them; one made for video has another way."""
    if all(parameter.dim() <= FLAT for parameter in decoder.parameters()):
        decoder.to(memory_format=torch.channels_last)


def prepare(transformer: Any, decoder: Any, compiled: Path | None) -> None:
    """Everything that is done to a model before its first picture, where there is CUDA."""
    if device().type != "cuda":
        return
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    prepare_decoder(decoder)
    if can_compile():
        keep_compiled(compiled)
        compile_regions(transformer)
