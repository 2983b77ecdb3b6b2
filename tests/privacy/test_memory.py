"""What a process lets go of is overwritten, and leftovers are collected."""

import ctypes
import gc
import os
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest

from deploy.env import ROOT
from deploy.prove.memory import MemoryClosed, family, scan
from privacy import memory

# Three blocks in a row, so that the middle one does not end at the heap's end and go back whole.
PROGRAM = """
import os, sys
from privacy import memory
told = memory.overwrite_freed() if sys.argv[1] == "overwriting" else True
blocks = [os.urandom(100_000) for _ in range(3)]
print(told, blocks[1][50_000:54_096].hex(), flush=True)
sys.stdin.readline()
del blocks[1]
print("let go", flush=True)
sys.stdin.readline()
"""


def seen(sort: str) -> tuple[bool, bool]:
    """Whether a block is found in a process while it holds it, and after it let go of it."""
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, sort],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with child as process:
        assert process.stdin
        assert process.stdout
        told, needle = process.stdout.readline().split()
        assert told == "True"
        needles = {"block": bytes.fromhex(needle)}
        held = bool(scan(family(process.pid), needles))
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "let go\n"
        kept = bool(scan(family(process.pid), needles))
        process.stdin.write("\n")
    return held, kept


def test_freed_memory_keeps_what_it_held_unless_it_is_overwritten() -> None:
    assert seen("as it is") == (True, True)
    assert seen("overwriting") == (True, False)


def test_it_says_so_where_the_c_library_cannot_do_that(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.overwrite_freed()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not memory.overwrite_freed()


def test_what_only_refers_to_itself_is_let_go_of() -> None:
    class Request:
        """Something that its own view refers back to."""

    memory.settle()
    request, kept = Request(), Request()
    request.view = request  # type: ignore[attr-defined]
    gone, stays = weakref.ref(request), weakref.ref(kept)
    del request
    assert gone() is not None
    memory.forget()
    assert gone() is None
    assert stays() is kept
    gc.unfreeze()


def test_a_process_that_has_ended_holds_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert family(ended.pid) == []
    assert not scan([ended.pid], {"anything": b"x" * 64})


@pytest.mark.skipif(os.geteuid() == 0, reason="Root may read every process.")
def test_a_process_that_may_not_be_read_is_named() -> None:
    with pytest.raises(MemoryClosed, match="process 1 "):
        scan([1], {"anything": b"x" * 64})
