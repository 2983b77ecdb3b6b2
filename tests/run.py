"""What `make test` runs: lint, types, contracts, dependencies, then the tests, each timed.

The tests go in parts at once, because each of them waits more than it works: what lies sealed and
who owns it, people at the API while everything is killed, what paints, and whole journeys. Each has
a stack of its own. The first alone is traced for the coverage of `privacy/`, which costs every
process that does it a quarter of its time.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PYTHON = sys.executable
ROOMS = ("accounts", "privacy", "portraits", "workers", "deploy", "tests")
LINT: dict[str, Sequence[str]] = {
    "ruff": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "imports": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
    "dependencies": ("-m", "deptry", "."),
}
TYPES: dict[str, Sequence[str]] = {"mypy": ("-m", "mypy", *ROOMS)}
TRACED = "sealed"
PARTS = {
    TRACED: ("accounts", "keys", "portraits", "privacy"),
    # What the last storm breaks nobody has to mend.
    "storms": ("api", "fuzz", "metrics", "periods", "chaos"),
    "journeys": ("clients", "drawings", "flows", "rules", "staff", "stack", "webhooks"),
}
REST = "engines"
PYTEST = ("-m", "pytest", "--durations=25")
COVERAGE = ("-m", "coverage", "report", "--skip-covered")
TELL_EVERY = 30.0
# What pytest prints of tests that have ended, a letter each.
DONE = re.compile(r"^([.sFExX]+)(?: +\[.*\])?$", re.M)


def main(arguments: Sequence[str]) -> int:
    """Run every step, even behind one that fails, and say at the end which did not pass."""
    failed = [name for name, command in LINT.items() if not _passes(name, command)]
    if "--lint" in arguments:
        failed += [name for name, command in TYPES.items() if not _passes(name, command)]
    else:
        failed += _together({**TYPES, **_tests()})
        failed += [] if _passes("coverage of privacy", COVERAGE) else ["coverage of privacy"]
    if failed:
        print(f"Did not pass: {', '.join(failed)}.")
    return bool(failed)


def _passes(name: str, command: Sequence[str]) -> bool:
    started = time.monotonic()
    print(f"--- {name}", flush=True)
    status = subprocess.run([PYTHON, *command], check=False).returncode
    print(f"--- {name}: {time.monotonic() - started:.0f} s", flush=True)
    return not status


def _tests() -> dict[str, Sequence[str]]:
    """A command for each part; a room that no part names is in the last one."""
    found = sorted({path.parent.name for path in Path("tests").glob("*/test_*.py")})
    taken = {room for rooms in PARTS.values() for room in rooms}
    parts = {**PARTS, REST: tuple(room for room in found if room not in taken)}
    commands: dict[str, Sequence[str]] = {}
    for name, rooms in parts.items():
        print(f"--- tests of {name}: {', '.join(rooms)}", flush=True)
        tracer = ("-m", "coverage", "run") if name == TRACED else ()
        commands[f"tests of {name}"] = (*tracer, *PYTEST, *(f"tests/{room}" for room in rooms))
    return commands


def _together(commands: Mapping[str, Sequence[str]]) -> list[str]:
    """All at once. How far each is is told as they run, what they print when all have ended."""
    started = told = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outputs = {name: Path(folder, name) for name in commands}
        running = {name: _begin(command, outputs[name]) for name, command in commands.items()}
        while any(process.poll() is None for process in running.values()):
            time.sleep(0.5)
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                _tell(told - started, running, outputs)
        failed = [name for name, process in running.items() if process.returncode]
        # What did not pass comes last, where a long log is read first.
        for name in sorted(running, key=failed.__contains__):
            print(f"--- {name}", outputs[name].read_text("utf-8", "replace"), sep="\n")
    print(f"--- all of these: {time.monotonic() - started:.0f} s", flush=True)
    return failed


def _begin(command: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
    # On a wide line the summary has the reason beside the name of what failed. Threads that spin
    # while they wait take the processor from the other parts.
    env = {**os.environ, "COLUMNS": "200", "OMP_WAIT_POLICY": "PASSIVE"}
    with output.open("wb") as file:
        return subprocess.Popen([PYTHON, *command], env=env, stdout=file, stderr=subprocess.STDOUT)


def _tell(
    seconds: float,
    running: "Mapping[str, subprocess.Popen[bytes]]",
    outputs: Mapping[str, Path],
) -> None:
    far = []
    for name, process in running.items():
        done = sum(map(len, DONE.findall(outputs[name].read_text("utf-8", "replace"))))
        status = process.poll()
        ended = "did not pass" if status else "passed"
        far.append(f"{name} {f'{done} done' if status is None else ended}")
    print(f"{seconds:.0f} s: {', '.join(far)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
