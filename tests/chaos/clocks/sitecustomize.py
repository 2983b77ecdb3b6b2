"""A process whose clock is wrong: put before Python's path by a storm, and by nothing else.

`SITTER_TEST_CLOCK` is by how many seconds `time.time` and Django's now are ahead (or behind, below
0), from the moment when the file `SITTER_TEST_CLOCK_FILE` exists: it jumps. The monotonic clock
goes on.
"""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

SHIFT = float(os.environ.get("SITTER_TEST_CLOCK", "0"))
FILE = Path(os.environ.get("SITTER_TEST_CLOCK_FILE", "/nonexistent"))

_time, _now = time.time, timezone.now


def _jumped() -> bool:
    return FILE.exists()


def _shifted_time() -> float:
    return _time() + (SHIFT if _jumped() else 0.0)


def _shifted_now() -> datetime:
    return _now() + (timedelta(seconds=SHIFT) if _jumped() else timedelta(0))


if SHIFT:
    time.time = _shifted_time
    timezone.now = _shifted_now
