"""The receipt: what it says, whom it names (nobody), and that nobody can change a byte of it."""

import hashlib
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from django.conf import settings

from deploy.env import ROOT
from portraits import gallery
from privacy import erasure, signing
from privacy.models import ReceiptKey
from tests.figures import figure
from tests.portraits.making import consenting, now, owner
from tests.privacy.erasing import advance, live_fully, painted_for, proved

SCRIPT = ROOT / "deploy" / "docs" / "verify_receipt.py"
REFUSED = (InvalidSignature, ValueError, KeyError, TypeError)
SAID = {
    *("version", "revision", "erasure", "scope", "subject", "destroyed", "unreadable_at"),
    *("unopenable_from_backups_by", "proved_at", "signed_at", "recipients_told"),
    *("recipients_pending", "kept", "code", "key"),
}


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture(scope="module")
def verify() -> Callable[[str, str], dict[str, Any]]:
    """The verifier of the docs, loaded as what it is: a file that knows nothing of the project."""
    found: Callable[[str, str], dict[str, Any]] = runpy.run_path(str(SCRIPT))["verify"]
    return found


def published() -> str:
    """As at /.well-known/sitter-keys.json."""
    rows = ReceiptKey.objects.all()
    return json.dumps({"ed25519": {row.label: bytes(row.public).hex() for row in rows}})


def of_account(born: Any) -> dict[str, Any]:
    begun = erasure.request(live_fully(), now())
    advance(born, begun)
    receipt = proved(begun).receipt
    assert receipt is not None
    return dict(receipt)


def test_it_says_what_when_and_until_when(born: Any) -> None:
    moment = now()
    receipt = of_account(born)
    said = receipt["statement"]
    assert set(said) == SAID
    assert (said["scope"], said["revision"], said["recipients_pending"]) == ("account", 1, [])
    assert said["destroyed"] == {"reference": 1, "portrait": 1, "rendition": 1}
    times = [said[name] for name in ("unreadable_at", "proved_at", "unopenable_from_backups_by")]
    unreadable, done, unopenable = map(datetime.fromisoformat, times)
    assert moment <= unreadable < done < unopenable
    assert said["code"] == {"version": settings.VERSION, "build": settings.BUILD}
    assert any("evidence" in what for what in said["kept"])


def test_a_parts_receipt_is_tied_to_the_part_by_who_knows_it(born: Any) -> None:
    who = consenting()
    portrait = painted_for(who)
    begun = gallery.delete(who, portrait.pk, now())
    advance(born, begun)
    receipt = proved(begun).receipt
    assert receipt is not None
    said = receipt["statement"]
    assert set(said) == SAID | {"target"}
    for name, known in (("target", portrait.pk), ("subject", who)):
        salted = bytes.fromhex(said[name]["salt"]) + known.bytes
        assert hashlib.sha256(salted).hexdigest() == said[name]["sha256"]
        assert str(known) not in json.dumps(receipt)
    assert not any("evidence" in what for what in said["kept"])


def test_the_verifier_is_thirty_lines_and_knows_nothing_of_the_project() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 30
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if " import " in line}
    assert imported - set(sys.stdlib_module_names) <= {"cryptography"}


def test_a_stranger_verifies_it_on_a_machine_without_the_project(born: Any, tmp_path: Path) -> None:
    receipt = of_account(born)
    Path(tmp_path, "keys.json").write_text(published())
    forged = {**receipt, "statement": {**receipt["statement"], "destroyed": {}}}
    for name, body in (("good", receipt), ("forged", forged), ("no-receipt", {"a": 1})):
        Path(tmp_path, f"{name}.json").write_text(json.dumps(body, indent=1))

    def run(*names: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-I", str(SCRIPT), *names]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = run("good.json", "keys.json")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("Genuine: account erased, proved at 20")
    for name in ("forged.json", "no-receipt.json"):
        bad = run(name, "keys.json")
        assert bad.returncode == 1
        assert bad.stderr.startswith("NOT GENUINE: no published key has signed this")


def test_every_changed_byte_is_refused(
    born: Any, verify: Callable[[str, str], dict[str, Any]]
) -> None:
    """E-11, over every byte of the file, in its shortest form: nothing there is without meaning."""
    receipt = of_account(born)
    keys = published()
    file = signing.canonical(receipt)
    assert verify(file.decode(), keys) == receipt["statement"]
    tried = accepted = 0
    for place, byte in enumerate(file):
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, ord(" "), ord("0"), ord("A")} - {byte}:
            changed = file[:place] + bytes([other]) + file[place + 1 :]
            tried += 1
            try:
                verify(changed.decode("utf-8"), keys)
            except REFUSED:
                continue
            accepted += 1
    figure(
        "E-11",
        value=accepted,
        n=tried,
        holds=accepted == 0,
        conditions=f"a real receipt of {len(file)} bytes, every byte changed to up to six others,"
        " by the verifier of the docs",
    )
    assert accepted == 0


def test_a_receipt_is_not_verified_by_another_key(
    born: Any, verify: Callable[[str, str], dict[str, Any]]
) -> None:
    receipt = of_account(born)
    label = receipt["statement"]["key"]
    for other in ({}, {label: "00" * 32}, {label: "zz"}):
        with pytest.raises(REFUSED):
            verify(json.dumps(receipt), json.dumps({"ed25519": other}))


def test_it_is_known_by_when_no_backup_opens_an_empty_account(born: Any) -> None:
    begun = erasure.request(owner(), now())
    assert advance(born, begun)
    assert proved(begun).unopenable_by is not None
