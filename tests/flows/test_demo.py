"""The demo is a stranger to the project, and its judgements are worth something."""

import ast
import base64
import io
import json
import os
import subprocess
import sys
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from rich.console import Console

from deploy.demo import client, noise, receipt, sheet
from deploy.demo.errors import NotHeld, Refused
from deploy.demo.screen import Screen
from deploy.env import ROOT
from deploy.stack.supervisor import Stack

DEMO = ROOT / "deploy" / "demo"
OURS = {"accounts", "privacy", "portraits", "workers", "deploy", "tests", "django"}
ACCOUNT = "01a20407-cede-728f-a5a9-93b6bfb2d436"


def _jpeg(size: tuple[int, int] = (512, 640)) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


def _signed() -> tuple[dict[str, Any], dict[str, str]]:
    """A receipt and the published keys, made here and not by the project."""
    key = Ed25519PrivateKey.generate()
    salt = bytes(range(16))
    subject = sha256(salt + uuid.UUID(ACCOUNT).bytes).hexdigest()
    statement = {
        "version": 1,
        "subject": {"salt": salt.hex(), "sha256": subject},
        "kept": {"naïve": "5 days"},
        "key": "receipt-1",
    }
    signature = key.sign(receipt.canonical(statement))
    keys = {"receipt-1": key.public_key().public_bytes_raw().hex()}
    return {"statement": statement, "signature": base64.b64encode(signature).decode()}, keys


def test_it_imports_nothing_of_the_project_but_itself() -> None:
    found = set()
    for path in DEMO.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name} imports relatively."
                found.add(node.module or "")
    strangers = {name for name in found if name != "deploy.demo"}
    strangers = {name for name in strangers if not name.startswith("deploy.demo.")}
    assert not {name for name in strangers if name.split(".")[0] in OURS}
    assert "httpx" in found


def test_it_accepts_a_good_receipt_and_knows_whose_it_is() -> None:
    good, keys = _signed()
    receipt.verify(good, keys)
    assert receipt.names_person(good, ACCOUNT)
    assert not receipt.names_person(good, str(uuid.uuid4()))


def test_it_refuses_every_changed_byte() -> None:
    good, keys = _signed()
    assert receipt.refuse_changes(good, keys) == len(receipt.canonical(good["statement"])) + 64


@pytest.mark.parametrize(
    "change",
    [
        {"statement": {"version": 1, "key": "receipt-1"}},
        {"statement": {"version": 1, "key": "unpublished"}},
        {"statement": None},
        {"signature": "not base64!"},
        {"signature": base64.b64encode(bytes(64)).decode()},
    ],
)
def test_it_refuses_a_receipt_that_was_made_up(change: dict[str, Any]) -> None:
    good, keys = _signed()
    with pytest.raises(NotHeld):
        receipt.verify({**good, **change}, keys)


def test_it_refuses_a_key_that_nobody_published() -> None:
    good, _ = _signed()
    with pytest.raises(NotHeld):
        receipt.verify(good, _signed()[1])


def test_it_takes_random_bytes_for_noise() -> None:
    assert noise.expect_noise(os.urandom(60_000), "a body") > 7.99


@pytest.mark.parametrize(
    "body", [_jpeg(), b"\x89PNG" + bytes(5000), bytes(5000), b"\x01" + _jpeg()[:300] * 20]
)
def test_it_notices_a_body_that_is_no_noise(body: bytes) -> None:
    with pytest.raises(NotHeld):
        noise.expect_noise(body, "a body")


def test_a_hexdump_shows_what_it_says() -> None:
    assert noise.hexdump(b"\xff\xd8\xffJFIF\x00A", 9).splitlines() == [
        "00  ff d8 ff 4a 46 49 46 00  ...JFIF.",
        "08  41                       A",
    ]


def test_the_sheet_has_one_place_for_each_picture() -> None:
    made = sheet.make([(name, _jpeg()) for name in ("One", "Two", "Three")], "a footer")
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.format == "JPEG"
        assert opened.size == sheet.size(3)
        corner = opened.convert("RGB").getpixel((3, 3))
    assert isinstance(corner, tuple)
    assert min(corner) > 245


@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        ({"errors": [{"code": "no_face", "detail": "Look here."}]}, "no_face", "Look here."),
        ({"errors": [{"code": "taken", "detail": ""}]}, "taken", "Gone"),
        ({"status": 410, "meta": {}}, "no_code", "Gone"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_api(
    answer: dict[str, Any], code: str, sentence: str
) -> None:
    refused = client.refusal(httpx.Response(410, json=answer))
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert str(refused) == f"The API refused with 410 {code}: {sentence}"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_step_shows_its_note_and_keeps_its_seconds(terminal: bool) -> None:
    stream = io.StringIO()
    screen = Screen(Console(file=stream, force_terminal=terminal, width=80))
    with screen.step("Paint [all]") as step:
        step.bar("Oil", 40, "painting")
        step.say("four [done]", pictures=4)
    screen.rest()
    assert "Paint [all]" in stream.getvalue()
    assert "four [done]" in stream.getvalue()
    assert "Oil" in stream.getvalue()
    assert screen.steps[0]["pictures"] == 4
    assert screen.steps[0]["held"]


def _journey(out: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo.journey", "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = _journey(tmp_path, {"SITTER_URL": "", "SITTER_STACK_STATE": ""})
    assert done.returncode == 1
    assert "python -m deploy.stack run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_whole_journey_holds(live: Stack, tmp_path: Path) -> None:
    state = str(live.folders.state)
    done = _journey(tmp_path, {"SITTER_URL": live.urls.web, "SITTER_STACK_STATE": state})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    story = json.loads((tmp_path / "journey.json").read_text())
    assert story["held"]
    assert all(step["held"] for step in story["steps"])
    assert story["objects"]["with_photos"]["kinds"]["reference"] == 5
    assert story["objects"]["after_job"]["person"] == 16
    assert story["objects"]["after_erasure"]["person"] == 0
    # Four from photos, one from choices, one restyled and one enlarged.
    assert len(list(tmp_path.glob("portrait-*.jpg"))) == 7
    assert (tmp_path / "sheet.jpg").exists()
    assert json.loads((tmp_path / "receipt.json").read_text())["signature"]
