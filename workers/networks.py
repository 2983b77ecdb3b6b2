"""Small networks on one core, run from the very bytes whose hash was checked.

It owns how onnxruntime is loaded. It refuses a file that is not the one that was pinned, and lets
that library tell nobody that it is used.
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

# Since 1.29 this library reports its use to its maker unless it is told not to before it is
# loaded; its own switch comes too late for the first report. No worker reports to anybody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class WeightsRefused(RuntimeError):
    """A file of weights is missing, of another size, or not the one that was pinned."""


class Network:
    """One network. `run` may be called by any thread."""

    def __init__(self, name: str, body: bytes, sha256: str) -> None:
        if hashlib.sha256(body).hexdigest() != sha256:
            raise WeightsRefused(f"{name} is not the file that was pinned")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # By itself it keeps what it has computed of a picture for the next one.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(
            body, options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, given: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
        """Every output by its name."""
        results: list[Any] = self._session.run(self._names, dict(given))
        return {
            name: np.asarray(result, dtype=np.float64)
            for name, result in zip(self._names, results, strict=True)
        }
