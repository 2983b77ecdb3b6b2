"""The receipt of a portrait: signed once its photos are gone, true, and ended with its portrait."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.env import ROOT
from portraits import gallery, painting, receipts, references
from portraits.errors import ReceiptPending
from portraits.models import Portrait, Style
from privacy import signing
from privacy.audit import Reason
from privacy.models import ConsentDocument, ReceiptKey
from tests.portraits.making import claimed, consenting, now, sizes, style, submitted

SCRIPT = ROOT / "deploy" / "docs" / "verify_receipt.py"
WEIGHTS = "ab" * 32


def painted(wanted: Style, **options: Any) -> Portrait:
    who = consenting()
    submitted(who, wanted, **options)
    work = claimed(wanted)
    assert painting.finish(work.held, sizes(who), now(), weights_sha256=WEIGHTS)
    return Portrait.objects.get(owner_id=who)


def receipt(born: Any, portrait: Portrait) -> dict[str, Any]:
    born("upkeep")
    receipts.sign(now())
    born("web")
    portrait.refresh_from_db()
    return receipts.read(portrait)


def test_it_says_what_made_it_and_that_the_photos_are_gone(born: Any) -> None:
    wanted = style()
    portrait = painted(wanted)
    with pytest.raises(ReceiptPending):
        receipts.read(portrait)
    signed = receipt(born, portrait)
    said = signed["statement"]
    assert signing.verified(signed)
    assert (said["engine"], said["weights_sha256"]) == (wanted.engine, WEIGHTS)
    assert (said["style"], said["style_version"]) == (wanted.slug, wanted.version)
    assert said["seed"] == portrait.item.seed
    assert said["created_at"] < said["references_destroyed_by"] <= said["signed_at"]
    text = ConsentDocument.objects.get(sha256=said["consent_text"]["sha256"])
    assert said["consent_text"]["version"] == text.version
    assert str(portrait.owner_id) not in json.dumps(signed)


def test_photos_that_are_kept_hold_it_back_until_they_are_gone(born: Any) -> None:
    portrait = painted(style(), keep_hours=24)
    with pytest.raises(ReceiptPending):
        receipt(born, portrait)
    kept = portrait.item.job.references
    assert kept is not None
    references.destroy(kept.pk, why=Reason.OWNER)
    assert receipt(born, portrait)["statement"]["references_destroyed_by"]


def test_it_is_signed_once(born: Any) -> None:
    portrait = painted(style())
    first = receipt(born, portrait)
    assert receipt(born, portrait) == first


def test_it_ends_with_its_portrait(born: Any) -> None:
    portrait = painted(style())
    receipt(born, portrait)
    gallery.delete(portrait.owner_id, portrait.pk, now())
    assert not Portrait.objects.filter(pk=portrait.pk).exists()


def test_a_stranger_verifies_it_without_the_project(born: Any, tmp_path: Path) -> None:
    signed = receipt(born, painted(style()))
    keys = {row.label: bytes(row.public).hex() for row in ReceiptKey.objects.all()}
    files = {"keys": {"ed25519": keys}, "good": signed}
    files["forged"] = {**signed, "statement": {**signed["statement"], "seed": 1}}
    for name, body in files.items():
        Path(tmp_path, name).write_text(json.dumps(body))
    for name, status in (("good", 0), ("forged", 1)):
        argv = [sys.executable, "-I", str(SCRIPT), name, "keys"]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert done.stdout.startswith("Genuine: portrait by ") == (status == 0)
    verify = runpy.run_path(str(SCRIPT))["verify"]
    assert verify(json.dumps(signed), json.dumps(files["keys"])) == signed["statement"]
