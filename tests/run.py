"""What `make test` runs: lint, types, contracts, dependencies, then the tests, each timed."""

import subprocess
import sys
import time
from collections.abc import Sequence

PYTHON = sys.executable
ROOMS = ("accounts", "privacy", "portraits", "workers", "deploy", "tests")
LINT: dict[str, Sequence[str]] = {
    "ruff": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy", *ROOMS),
    "imports": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
    "dependencies": ("-m", "deptry", "."),
}
TESTS: dict[str, Sequence[str]] = {
    "pytest": ("-m", "coverage", "run", "-m", "pytest", "tests", "--durations=15"),
    "coverage of privacy": ("-m", "coverage", "report", "--skip-covered"),
}


def main(arguments: Sequence[str]) -> int:
    """Run every step, even behind one that fails, and say at the end which did not pass."""
    steps = LINT if "--lint" in arguments else {**LINT, **TESTS}
    failed = []
    for name, command in steps.items():
        started = time.monotonic()
        print(f"--- {name}", flush=True)
        if subprocess.run([PYTHON, *command], check=False).returncode:
            failed.append(name)
        print(f"--- {name}: {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        print(f"Did not pass: {', '.join(failed)}.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
