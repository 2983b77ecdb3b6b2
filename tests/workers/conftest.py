"""A gpu worker's parts in this process, and whole gpu workers beside it, on the unit database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    from privacy.models import Lease  # Django is set up after this file is read

    born("web")
    Lease.objects.all().delete()


@pytest.fixture
def shop(born: Any) -> Iterator[Any]:
    """An atelier of this process; nobody waits for what it holds at the end."""
    from tests.workers.painting import Shop

    made = Shop()
    yield made
    made.close()


@pytest.fixture
def worker(key_folders: dict[str, Path], tmp_path: Path) -> Iterator[Any]:
    """`worker(NAME="value")` starts a gpu worker as the stack does; it ends with the test."""
    from tests.workers.painting import Process

    made: list[Process] = []

    def start(**settings: str) -> Process:
        log = tmp_path / f"gpu-{len(made)}.log"
        made.append(Process.started(key_folders, log, settings))
        return made[-1]

    yield start
    for process in made:
        process.end()
