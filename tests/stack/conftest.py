"""One running set of services for all; supervisors are tried as processes of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.env import ROOT
from deploy.stack import guard, state
from deploy.stack.folders import Folders
from deploy.stack.supervisor import Stack


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("stack") / "data"
    with Stack(data, roles=(), preferred_ports=False) as stack:
        yield stack


@pytest.fixture
def clean_environ() -> dict[str, str]:
    """What a terminal has, without the settings of the stack that may run these tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SITTER_")}


@dataclass
class Terminal:
    """A supervisor started at a terminal, and the folder that it uses."""

    process: subprocess.Popen[str]
    data: Path

    def family(self) -> list[int]:
        """The supervisor's children: services, roles and the guard."""
        out = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in out.stdout.split() if guard.running(int(pid))]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that one stack after the other uses: a new database costs more than a start."""
    return tmp_path_factory.mktemp("used") / "data"


@pytest.fixture
def terminal(used: Path, clean_environ: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Start `python -m deploy.stack` and wait until it says that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Terminal:
        data = used
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.stack", *arguments, "--data", str(data)],
            cwd=ROOT,
            env=clean_environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        for line in process.stdout:
            if "is ready" in line:
                return Terminal(process, data)
        raise AssertionError(f"It ended with status {process.wait()}.")

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def gone(pids: list[int], data: Path, patience: float = 15.0) -> bool:
    """Whether all of them have ended and the data folder is free again."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any(map(guard.running, pids)) and not state.locked(Folders(data).lock):
            return True
        time.sleep(0.05)
    return False
