"""The generated clients: every operation is a method, and the TypeScript one goes the whole way.

Swift and Kotlin are looked at and not compiled. Node cannot come from pip: where it is missing, the
journey is skipped, unless SITTER_TEST_NODE says that there must be one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.contract.document import METHODS
from deploy.contract.files import WRITTEN, read
from deploy.env import ROOT
from tests.clients.generate import LANGUAGES, generate

if TYPE_CHECKING:
    from deploy.stack.supervisor import Stack

HERE = Path(__file__).parent
SCRIPT = ROOT / "deploy" / "docs" / "verify_receipt.py"
PASSWORD = "a guest, never a resident"
DECLARED = {
    "typescript": ("apis/*.ts", r"^    async (\w+)\("),
    "swift": ("Sources/**/APIs/*.swift", r"^    open class func (\w+)\("),
    "kotlin": ("src/main/**/apis/*.kt", r"^    (?:suspend )?fun (\w+)\("),
}
without_node = pytest.mark.skipif(
    shutil.which("npm") is None and "SITTER_TEST_NODE" not in os.environ,
    reason="needs Node and npm",
)


@pytest.fixture(scope="module")
def clients() -> dict[str, Path]:
    """Language → the folder of its client, just generated; they stay there to be taken along."""
    return generate()


@cache
def named() -> frozenset[str]:
    """Every operation of the contract."""
    paths = read(WRITTEN)["paths"].values()
    return frozenset(
        entry[method]["operationId"] for entry in paths for method in entry.keys() & METHODS
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_is_a_method(clients: dict[str, Path], language: str) -> None:
    files, declaration = DECLARED[language]
    found: set[str] = set()
    for file in clients[language].glob(files):
        found |= set(re.findall(declaration, file.read_text(), re.MULTILINE))
    assert named() - found == set()
    assert len(named()) > 40


def test_what_was_not_compiled_says_so(clients: dict[str, Path]) -> None:
    said = {
        language: (folder / "NOT-COMPILED.txt").exists() for language, folder in clients.items()
    }
    assert said == {"typescript": False, "swift": True, "kotlin": True}


def ended(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def run(*command: str, folder: Path) -> str:
    """What a program says; it must end well."""
    ended_as = ended(*command, folder=folder)
    assert ended_as.returncode == 0, (ended_as.stdout + ended_as.stderr)[-3000:]
    return ended_as.stdout


@pytest.fixture(scope="module")
def built(clients: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TypeScript client and the journey, compiled strictly with the compiler of the lock."""
    folder = tmp_path_factory.mktemp("journey")
    for name in ("package.json", "package-lock.json", "tsconfig.json", "journey.ts"):
        shutil.copy(HERE / name, folder)
    shutil.copytree(clients["typescript"], folder / "client")
    installed = ended("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=folder)
    if installed.returncode and "SITTER_TEST_NODE" not in os.environ:
        pytest.skip("npm could not install the compiler; is there a registry?")
    assert installed.returncode == 0, installed.stderr[-3000:]
    run("node", "node_modules/typescript/bin/tsc", "--project", ".", folder=folder)
    return folder


@without_node
def test_the_typescript_client_goes_from_sign_up_to_the_receipt(
    built: Path, live: Stack, views: dict[str, bytes]
) -> None:
    for slot, data in views.items():
        (built / f"{slot}.jpg").write_bytes(data)
    email = f"{uuid.uuid4().hex}@example.org"
    person = (live.urls.web, str(built), email, PASSWORD, "passthrough")
    saw: Any = json.loads(run("node", "built/journey.js", *person, folder=built))
    assert "passthrough" in saw["styles"]
    assert saw["stranger"] == [401, "not_authenticated"]
    assert saw["again"] == [400, "email_taken"]
    assert saw["devices"] == 1
    assert saw["early"] == [403, "consent_missing"]
    assert (saw["photos"], saw["outcome"], saw["portraits"]) == (5, "complete", 2)
    assert saw["picture"]["type"] == "image/jpeg"
    assert saw["archive"]["type"] == "application/zip"
    assert saw["archive"]["bytes"] > saw["picture"]["bytes"] > 1000
    assert saw["email"] == email
    assert saw["part"] == "portrait"
    assert saw["gone"] == [404, "not_found"]
    assert saw["unconfirmed"] == [403, "reauthentication_required"]
    assert saw["after"] == [401, "session_ended"]
    for name in ("receipt", "keys"):
        (built / f"{name}.json").write_text(json.dumps(saw[name]))
    said = run(sys.executable, str(SCRIPT), "receipt.json", "keys.json", folder=built)
    assert said.startswith("Genuine: account erased")
