"""What was sealed once opens for ever, here and in another implementation; the rest is refused.

The other one is `open.mjs`: Node, an HPKE package and FORMAT.md, and none of our code.
"""

import json
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.errors import SealBroken
from tests.figures import figure
from tests.vectors.make import FILE, KINDS, opening, vectors, wraps

HERE = Path(__file__).parent
LARGE = (100_000, 4_000_000)
KEPT: dict[str, Any] = json.loads(FILE.read_text())


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{number} {row['expect']}" for number, row in enumerate(rows)]


def opened(row: dict[str, Any]) -> bytes | None:
    """What our own code makes of a vector."""
    place = Context(
        row["kind"], Recipient(row["recipient"]), uuid.UUID(row["owner"]), uuid.UUID(row["blob"])
    )
    sealed = crypto.stored(bytes.fromhex(row["capsule"]), bytes.fromhex(row["body"]))
    try:
        return crypto.unseal(sealed, bytes.fromhex(row["seed"]), place).reveal()
    except SealBroken:
        return None


def unwrapped(row: dict[str, Any]) -> bytes | None:
    wrapped, root = bytes.fromhex(row["wrapped"]), bytes.fromhex(row["root"])
    try:
        return crypto.unwrap(wrapped, root, uuid.UUID(row["owner"]))
    except SealBroken:
        return None


def test_the_vectors_are_of_the_format_that_is_written_today() -> None:
    assert bytes([KEPT["version"]]) == crypto.VERSION
    made = vectors()
    for part in ("sealed", "wrapped"):
        assert names(made[part]) == names(KEPT[part])
        assert [len(row) for row in made[part]] == [len(row) for row in KEPT[part]]


@pytest.mark.parametrize("row", KEPT["sealed"], ids=names(KEPT["sealed"]))
def test_a_sealed_vector_does_what_its_name_says(row: dict[str, Any]) -> None:
    found = opened(row)
    if row["expect"] == "opens":
        assert found == bytes.fromhex(row["plain"])
    else:
        assert found is None


@pytest.mark.parametrize("row", KEPT["wrapped"], ids=names(KEPT["wrapped"]))
def test_a_wrapped_vector_does_what_its_name_says(row: dict[str, Any]) -> None:
    found = unwrapped(row)
    if row["expect"] == "opens":
        assert found == bytes.fromhex(row["seed"])
    else:
        assert found is None


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the other implementation, installed from its lock file."""
    folder = tmp_path_factory.mktemp("node")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed.")
    version = run("node", "--version", folder=folder).stdout
    if not (major := re.match(r"v(\d+)\.", version)) or int(major[1]) < 18:
        pytest.skip(f"Node {version.strip()} is older than 18.")
    for name in ("package.json", "package-lock.json", "open.mjs"):
        shutil.copy(HERE / name, folder)
    installed = run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=folder)
    if installed.returncode:
        pytest.skip("npm could not install the two packages; is there a registry?")
    return folder


def told(other: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What the other implementation says of some vectors."""
    file = other / f"{uuid.uuid4().hex}.json"
    file.write_text(json.dumps(given))
    said = run("node", "open.mjs", file.name, folder=other)
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout))


def test_another_implementation_opens_what_should_open_and_nothing_else(other: Path) -> None:
    fresh = [opening(kind, who, os.urandom(5000)) for kind, who in KINDS]
    fresh += [opening(3, Recipient.OWNER, os.urandom(length)) for length in LARGE]
    given = {
        "sealed": KEPT["sealed"] + [vector.row() for vector in fresh],
        "wrapped": KEPT["wrapped"] + wraps(),
    }
    rows = given["sealed"] + given["wrapped"]
    opens = sum(row["expect"] == "opens" for row in rows)
    said = told(other, given)
    right = said == {"opened": opens, "refused": len(rows) - opens, "wrong": []}
    figure(
        "C-05",
        value=100 if right else round(100 * (said["opened"] + said["refused"]) / len(rows), 1),
        unit="%",
        n=len(rows),
        holds=right,
        conditions=f"Node with @hpke/core, from FORMAT.md alone: {opens} open, of them"
        f" {len(fresh) + 1} sealed in this run and up to 4 MB; {len(rows) - opens} are refused",
    )
    assert right, said


def test_the_other_implementation_would_say_so(other: Path) -> None:
    good, bad = KEPT["sealed"][0], KEPT["sealed"][-1]
    lies = [good | {"expect": "refused: no reason"}, bad | {"expect": "opens", "plain": "00"}]
    changed = good | {"plain": "00"}
    said = told(other, {"sealed": [*lies, changed], "wrapped": []})
    assert said == {"opened": 0, "refused": 0, "wrong": ["refused: no reason", "opens", "opens"]}
