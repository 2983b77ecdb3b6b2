"""What `make test` runs: lint, types, contracts, dependencies, then the tests, each timed.

The tests go in two halves at once, because each of them waits more than it works: those that talk
to every role from outside, and the rest. Each half has a stack of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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
OUTSIDE = ("accounts", "api", "chaos", "flows", "rules", "webhooks")
PYTEST = ("-m", "coverage", "run", "-m", "pytest", "--durations=15")
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
    """Both halves at once; what the second says is shown when the first has ended."""
    rooms = sorted({path.parent.name for path in Path("tests").glob("*/test_*.py")})
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as kept:
        first = _half("outside", [room for room in rooms if room in OUTSIDE], None)
        second = _half("inside", [room for room in rooms if room not in OUTSIDE], kept)
        failed = [name for name, half in (("outside", first), ("inside", second)) if half.wait()]
        kept.seek(0)
        print(kept.read())
    print(f"--- tests: {time.monotonic() - started:.0f} s", flush=True)
    return [f"tests from {name}" for name in failed]


def _half(name: str, rooms: Sequence[str], output: IO[str] | None) -> "subprocess.Popen[bytes]":
    print(f"--- tests from {name}: {', '.join(rooms)}", flush=True)
    env = {**os.environ, "COVERAGE_FILE": f"var/coverage.{name}"}
    command = [PYTHON, *PYTEST, *(f"tests/{room}" for room in rooms)]
    return subprocess.Popen(command, env=env, stdout=output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
