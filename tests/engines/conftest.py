"""Tiny checkpoints of the published classes, saved once a run."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of that family, as an operator would have pulled it."""
    made: dict[str, Path] = {}

    def of(family: str) -> Path:
        if family not in made:
            # Here and not above: other tests of this folder start without torch.
            tiny = import_module("tests.engines.tiny")
            folder = tmp_path_factory.mktemp("weights") / family.replace("_", "-")
            made[family] = getattr(tiny, family)(folder)
        return made[family]

    return of


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Models this small only wait for each other's threads."""
    torch = import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
