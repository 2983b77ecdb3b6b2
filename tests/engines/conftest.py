"""Tiny checkpoints of the published classes, and pocket with its portraits, once a run."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from deploy.env import ROOT
from tests.engines import painted
from workers.engines.base import Engine, create


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


@pytest.fixture(scope="session")
def pocket() -> Iterator[Engine]:
    made = create("pocket", ROOT / "workers" / "weights" / "pocket")
    made.load()
    yield made
    made.unload()


@pytest.fixture(scope="session")
def paint(pocket: Engine) -> painted.Paint:
    return painted.painter(pocket)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Models this small only wait for each other's threads."""
    torch = import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
