"""What `make test` runs: lint, types, contracts, dependencies, then the tests, each timed.

The tests go in three parts at once, because each of them waits more than it works: people at the
API while everything is killed, what paints and whole journeys, and the rest. Each has a stack of
its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

PYTHON = sys.executable
ROOMS = ("accounts", "privacy", "portraits", "workers", "deploy", "tests")
LINT: dict[str, Sequence[str]] = {
    "ruff": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy", *ROOMS),
    "imports": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
    "dependencies": ("-m", "deptry", "."),
}
PARTS = {
    "storms": ("accounts", "api", "chaos"),
    "journeys": (
        *("capacity", "clients", "drawings", "engines", "flows"),
        *("metrics", "rules", "webhooks", "workers"),
    ),
}
REST = "rooms"
PYTEST = ("-m", "coverage", "run", "-m", "pytest", "--durations=25")
COVERAGE: dict[str, Sequence[str]] = {
    "combine": ("-m", "coverage", "combine", "--quiet"),
    "coverage of privacy": ("-m", "coverage", "report", "--skip-covered"),
}


def main(arguments: Sequence[str]) -> int:
    """Run every step, even behind one that fails, and say at the end which did not pass."""
    failed = [name for name, command in LINT.items() if not _passes(name, command)]
    if "--lint" not in arguments:
        failed += _tests()
        failed += [name for name, command in COVERAGE.items() if not _passes(name, command)]
    if failed:
        print(f"Did not pass: {', '.join(failed)}.")
    return bool(failed)


def _passes(name: str, command: Sequence[str]) -> bool:
    started = time.monotonic()
    print(f"--- {name}", flush=True)
    status = subprocess.run([PYTHON, *command], check=False).returncode
    print(f"--- {name}: {time.monotonic() - started:.0f} s", flush=True)
    return not status


def _tests() -> list[str]:
    """All parts at once; the first one's output is shown as it comes, the others' at its end."""
    found = sorted({path.parent.name for path in Path("tests").glob("*/test_*.py")})
    taken = {room for rooms in PARTS.values() for room in rooms}
    parts = {**PARTS, REST: tuple(room for room in found if room not in taken)}
    started = time.monotonic()
    with ExitStack() as stack:
        kept = {name: stack.enter_context(tempfile.TemporaryFile("w+")) for name in [*parts][1:]}
        running = {name: _part(name, rooms, kept.get(name)) for name, rooms in parts.items()}
        failed = [name for name, part in running.items() if part.wait()]
        for file in kept.values():
            file.seek(0)
            print(file.read())
    print(f"--- tests: {time.monotonic() - started:.0f} s", flush=True)
    return [f"tests of {name}" for name in failed]


def _part(name: str, rooms: Sequence[str], output: IO[str] | None) -> "subprocess.Popen[bytes]":
    print(f"--- tests of {name}: {', '.join(rooms)}", flush=True)
    env = {**os.environ, "COVERAGE_FILE": f"var/coverage.{name}"}
    command = [PYTHON, *PYTEST, *(f"tests/{room}" for room in rooms)]
    return subprocess.Popen(command, env=env, stdout=output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
