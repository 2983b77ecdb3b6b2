"""The import contracts hold, and each of them notices when somebody breaks it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.env import ROOT

PACKAGES = ("accounts", "privacy", "portraits", "workers", "deploy")
# Nothing that is imported lies here, and it is large.
HEAVY = shutil.ignore_patterns("weights", "__pycache__", "*.jpg", "*.safetensors", "docs", "static")
RUN = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
DIRECTION = "One direction: deploy, workers, portraits, privacy, accounts"
TORCH = "torch and diffusers live in the engines and in training only"
PIXELS = "The web and the domain never parse an image"
ENGINES = "The engines know neither Django nor a database"
CIPHERS = "Ciphers are one room"
OUTSIDE = "The courier alone goes outside"
DOOR = "The door to the outside knows nothing that it could give away"


def verdicts(folder: Path) -> dict[str, bool]:
    """What the linter says of each contract there."""
    run = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=False
    )
    found = re.findall(r"^(.+?)\s+(KEPT|BROKEN)\b", run.stdout, re.MULTILINE)
    said = {" ".join(name.split()): word == "KEPT" for name, word in found}
    assert said, run.stdout + run.stderr
    assert (run.returncode == 0) == all(said.values())
    return said


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=HEAVY)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_is_kept() -> None:
    said = verdicts(ROOT)
    assert set(said) >= {DIRECTION, TORCH, PIXELS, ENGINES, CIPHERS, OUTSIDE, DOOR}
    assert all(said.values()), said


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("accounts/models.py", "import portraits", DIRECTION),
        ("workers/app.py", "import torch", TORCH),
        ("portraits/api.py", "import PIL", PIXELS),
        ("workers/engines/base.py", "import django", ENGINES),
        ("privacy/vault.py", "import cryptography", CIPHERS),
        ("workers/generate.py", "import workers.outside", OUTSIDE),
        ("workers/outside.py", "import privacy", DOOR),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, file: str, line: str, broken: str
) -> None:
    path = copy / file
    good = path.read_text("utf-8")
    try:
        path.write_text(f"{good}\n\n{line}\n", "utf-8")
        assert verdicts(copy)[broken] is False
    finally:
        path.write_text(good, "utf-8")
