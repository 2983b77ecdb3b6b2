"""Tiny checkpoints of the published classes, and pocket with its portraits, once a run."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from deploy.env import ROOT
from tests.engines import painted
from workers.engines.base import Engine, create

# As the stack says it to a painter. It is read when torch is loaded: threads that spin while they
# wait for each other take the processor from whatever runs beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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
def published(checkpoint: Callable[[str], Path]) -> Iterator[Callable[[str], Engine]]:
    """The engine of that name with its tiny checkpoint, loaded once; leave it as it was."""
    made: dict[str, Engine] = {}

    def of(name: str) -> Engine:
        if name not in made:
            made[name] = create(name, checkpoint(name.replace("-", "_")))
            made[name].load()
        return made[name]

    yield of
    for engine in made.values():
        engine.unload()


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Pocket with a random network of next to nothing, for what does not depend on its pictures."""
    folder = import_module("tests.engines.little").pocket(tmp_path_factory.mktemp("little") / "it")
    made = create("pocket", folder)
    made.load()
    yield made
    made.unload()


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
