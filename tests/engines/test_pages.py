"""Free memory goes back to the kernel, where the C library can do that."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from deploy.env import ROOT
from workers.engines import pages

# Blocks of a kind that the heap keeps, below one that stays and so holds its end up.
PROGRAM = """
import re
from pathlib import Path
from privacy.memory import overwrite_freed
from workers.engines import pages
def held():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
overwrite_freed()
blocks = [bytes(2**20) for _ in range(100)]
last = bytes(2**20)
del blocks
before = held()
pages.give_back()
print(before - held())
"""


def test_what_is_free_below_the_heaps_end_goes_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) > 50_000


def test_it_says_so_where_the_c_library_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not pages.give_back()
