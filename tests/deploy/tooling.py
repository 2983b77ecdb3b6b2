"""The tools that look at files of deployment, in an environment of their own; or why not.

`python -m tests.deploy.tooling` installs them, which `make test` does before it starts.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.env import ROOT

HERE = Path(__file__).parent
PINS = HERE / "tools.txt"
FOLDER = ROOT / "var" / "deploy-tools"
# Set where the tools must be there (.ci/run); elsewhere tests without them are counted as skipped.
REQUIRED = "SITTER_TEST_DEPLOY_TOOLS"


def ready() -> Path:
    """The tools' own Python; skips the test, or fails it, where they cannot be installed."""
    if trouble := _install():
        if os.environ.get(REQUIRED):
            pytest.fail(trouble)
        pytest.skip(f"the tools of {PINS.name} cannot be installed here")
    return FOLDER / "bin" / "python"


def _install() -> str:
    """Once for each list of pins. What went wrong, or nothing."""
    mark = FOLDER / hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    if mark.exists():
        return ""
    # By the tests' own pip, and without compiling a hundred packages of which few are imported.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    into = ["--python", str(FOLDER / "bin" / "python"), "install", "--no-compile", "--quiet"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(FOLDER)],
        [*pip, *into, "--only-binary", ":all:", "-r", str(PINS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
        if done.returncode:
            return done.stderr[-600:]
    mark.touch()
    return ""


def look(asked: dict[str, Any]) -> dict[str, Any]:
    """What offline_look.py answers."""
    done = subprocess.run(
        [str(ready()), str(HERE / "offline_look.py")],
        input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    # Where they cannot be had, their tests are skipped or fail, and say so.
    _install()
