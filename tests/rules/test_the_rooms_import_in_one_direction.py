"""The import contracts hold, and each of them notices when somebody breaks it."""

import os
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


INJECTED = [
    ("accounts/models.py", "portraits", DIRECTION),
    ("workers/app.py", "torch", TORCH),
    ("portraits/api.py", "PIL", PIXELS),
    ("workers/engines/base.py", "django", ENGINES),
    ("privacy/vault.py", "cryptography", CIPHERS),
    ("workers/generate.py", "workers.outside", OUTSIDE),
    ("workers/outside.py", "privacy", DOOR),
]


def report(folder: Path) -> str:
    """What the linter says of the rooms there."""
    run = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=False
    )
    said = verdicts(run.stdout)
    assert said, run.stdout + run.stderr
    assert (run.returncode == 0) == all(said.values())
    return run.stdout


def verdicts(said: str) -> dict[str, bool]:
    """Contract → whether it is kept."""
    found = re.findall(r"^(.+?)\s+(KEPT|BROKEN)\b", said, re.MULTILINE)
    return {" ".join(name.split()): word == "KEPT" for name, word in found}


def imports(said: str, contract: str) -> list[str]:
    """The imports by which a contract is broken, as the linter lists them under its name."""
    _, _, details = said.partition("Broken contracts")
    parts = re.split(r"^(\S.*)\n-{3,}\s*$", details, flags=re.MULTILINE)
    under = dict(zip(parts[1::2], parts[2::2], strict=True))
    return re.findall(r"(\S+ -> \S+) \(l\.\d+", under[contract])


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a copy of the rooms with all of these imports in it: each is named under its contract."""
    folder = tmp_path_factory.mktemp("rooms")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=HEAVY)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, imported, _ in INJECTED:
        with (folder / file).open("a", encoding="utf-8") as source:
            source.write(f"\n\nimport {imported}\n")
    return report(folder)


def test_every_contract_is_kept() -> None:
    kept = verdicts(report(ROOT))
    assert set(kept) >= {DIRECTION, TORCH, PIXELS, ENGINES, CIPHERS, OUTSIDE, DOOR}
    assert all(kept.values()), kept


@pytest.mark.parametrize(("file", "imported", "contract"), INJECTED)
def test_a_forbidden_import_breaks_its_contract(
    said: str, file: str, imported: str, contract: str
) -> None:
    assert verdicts(said)[contract] is False
    module = file.removesuffix(".py").replace("/", ".")
    assert f"{module} -> {imported}" in imports(said, contract)


def test_a_worker_loads_neither_the_addresses_nor_the_pages_of_the_web() -> None:
    """What Celery loads before it takes work; Django's checks would bring all of the web along."""
    load = "import sys; from workers.app import app; app.loader.import_default_modules()"
    tell = "print({'workers.tasks', 'deploy.urls', 'deploy.staff.site'} & {*sys.modules})"
    told = subprocess.run(
        [sys.executable, "-c", f"{load}; {tell}"],
        cwd=ROOT,
        env={**os.environ, "SITTER_ROLE": "beat"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "{'workers.tasks'}\n"
