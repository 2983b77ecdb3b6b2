"""What painting has freed is handed to the kernel."""

import ctypes
from types import SimpleNamespace

import pytest

from workers.engines import heap


def test_free_pages_go_back_to_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heap.give_back()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not heap.give_back()
