"""A web that has served for a while, and a database with something of everything in it."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def web(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gate is open."""
    from deploy.gate import gate

    born("web")
    monkeypatch.setattr(gate, "seen", 10**9)


@pytest.fixture
def something_of_everything() -> Iterator[None]:
    """So that each metric has something to tell."""
    from tests.metrics import rows

    with rows.something_of_everything():
        yield
