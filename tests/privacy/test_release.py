"""The written release is complete, sealed, and verifiable by a stranger without us."""

import hashlib
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.env import ROOT
from privacy import consent, crypto, keys, release
from privacy.crypto import Context, Recipient
from privacy.errors import ReleaseIncomplete
from privacy.models import Consent, ConsentDocument, ConsentEvidence
from privacy.plain import Plain
from tests.portraits.making import NAME, now, person, sign, text

VERIFIER = ROOT / "deploy" / "docs" / "verify_release.py"


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def opened(entry: Consent) -> Plain:
    """What the keeper finds in the sealed evidence. The process must be dressed as the keeper."""
    kept = ConsentEvidence.objects.get(consent=entry)
    place = Context(consent.EVIDENCE_KIND, Recipient.EVIDENCE, entry.subject_id, entry.pk)
    sealed = crypto.stored(bytes(kept.enc), bytes(kept.body))
    return crypto.unseal(sealed, keys.evidence_seed(kept.key_label), place)


@pytest.fixture
def exported(born: Any) -> dict[str, Any]:
    """A release as it stands in an export."""
    entry = sign(person())
    born("keeper")
    row = Consent.objects.select_related("document").get(pk=entry.pk)
    return release.document(row, opened(row))


def verify(exported: dict[str, Any], folder: Path) -> tuple[int, str]:
    """By the documented script, in a process without Django and without our settings."""
    file = folder / "release.json"
    file.write_text(json.dumps(exported, ensure_ascii=False), "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(file)],
        cwd=folder, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_it_says_what_was_signed_by_whom_how_and_when(born: Any) -> None:
    who = person()
    entry = sign(who)
    born("keeper")
    said = json.loads(opened(entry).reveal())
    assert (said["typed_name"], said["act"], said["intent"]) == (NAME, "typed-name", True)
    assert (said["consent"], said["document"]) == (str(entry.pk), str(entry.document_id))
    assert (said["purpose"], said["text_sha256"]) == (
        "portrait-generation",
        entry.document.sha256,
    )
    assert said["term"] in entry.document.text
    assert "24 hours" in said["term"]
    assert said["shown_at"] == release.moment(entry.shown_at)
    assert said["signed_at"] == release.moment(entry.at)
    assert said["shown_at"] <= said["signed_at"]


def test_the_ledger_keeps_a_digest_of_the_sealed_bytes_and_of_the_salted_words(born: Any) -> None:
    who = person()
    first, second = sign(who), sign(who)
    born("keeper")
    for entry in (first, second):
        kept = ConsentEvidence.objects.get(consent=entry)
        line = Consent.objects.get(pk=entry.pk)
        sealed = hashlib.sha256(bytes(kept.enc) + bytes(kept.body)).digest()
        assert bytes(line.evidence_sha256 or b"") == sealed
        said = hashlib.sha256(opened(entry).reveal()).digest()
        assert bytes(line.release_sha256 or b"") == said
    salts = {json.loads(opened(entry).reveal())["salt"] for entry in (first, second)}
    assert len(salts) == 2


def test_an_exported_release_verifies_without_us(exported: dict[str, Any], tmp_path: Path) -> None:
    assert verify(exported, tmp_path) == (0, "The release holds.\n")


def _text(exported: dict[str, Any]) -> None:
    exported["text"] = exported["text"].replace("24 hours", "24 days")


def _text_and_hash(exported: dict[str, Any]) -> None:
    _text(exported)
    new = hashlib.sha256(exported["text"].encode()).hexdigest()
    exported["evidence"]["text_sha256"] = new


def _no_release(exported: dict[str, Any]) -> None:
    exported["text"] = exported["text"].replace("\nYour written release\n", "\nYour\n")


def _name(exported: dict[str, Any]) -> None:
    exported["evidence"]["typed_name"] = " "


def _other_name(exported: dict[str, Any]) -> None:
    exported["evidence"]["typed_name"] = "Ada Lovelace"


def _intent(exported: dict[str, Any]) -> None:
    exported["evidence"]["intent"] = False


def _shown(exported: dict[str, Any]) -> None:
    exported["evidence"]["shown_at"] = "9999-01-01T00:00:00.000000+00:00"


def _term(exported: dict[str, Any]) -> None:
    exported["evidence"]["term"] = "As long as we like."


def _ledger(exported: dict[str, Any]) -> None:
    exported["ledger"]["release_sha256"] = "0" * 64


def _withdrawn(exported: dict[str, Any]) -> None:
    exported["ledger"]["verb"] = "withdrawn"


@pytest.mark.parametrize(
    ("forge", "sentence"),
    [
        (_text, "The text is not the one that was signed."),
        (_text_and_hash, "The ledger's digest is another."),
        (_no_release, "The text lacks a statement: collection, purpose and term, release."),
        (_name, "Nobody typed a name."),
        (_other_name, "The ledger's digest is another."),
        (_intent, "There was no intent to sign."),
        (_shown, "It was signed before it was shown."),
        (_term, "The text names another term."),
        (_ledger, "The ledger's digest is another."),
        (_withdrawn, "The ledger's line is another."),
    ],
)
def test_a_forged_release_is_named(
    exported: dict[str, Any],
    tmp_path: Path,
    forge: Callable[[dict[str, Any]], None],
    sentence: str,
) -> None:
    forge(exported)
    status, found = verify(exported, tmp_path)
    assert status == 1
    assert sentence in found.splitlines()


def test_the_script_is_short_and_asks_nothing_but_python() -> None:
    lines = VERIFIER.read_text("utf-8").splitlines()
    assert len(lines) < 60
    imported = [line.split()[1] for line in lines if line.startswith(("import ", "from "))]
    assert set(imported) <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("missing", ["What is collected", "Purpose and length of term",
                                     "Your written release"])  # fmt: skip
def test_a_text_without_a_statement_cannot_be_signed(missing: str) -> None:
    who = person()
    whole = text(who)
    bad = ConsentDocument.objects.create(
        purpose=whole.purpose, language=uuid.uuid4().hex[:5], version=1, sha256="0" * 64,
        text=whole.text.replace(f"\n{missing}\n", "\nSomething else\n"),
    )  # fmt: skip
    consent.serve(who, [bad], now())
    try:
        with pytest.raises(ReleaseIncomplete):
            consent.grant(who, bad.pk, NAME, "tests/1", now())
    finally:
        ConsentDocument.objects.filter(pk=bad.pk).update(retired_at=now())
    assert not Consent.objects.filter(subject_id=who).exists()


@pytest.mark.parametrize("name", ["", "   ", "\t\n"])
def test_nobody_signs_without_a_name(name: str) -> None:
    who = person()
    with pytest.raises(ReleaseIncomplete):
        consent.grant(who, text(who).pk, name, "tests/1", now())
    assert not Consent.objects.filter(subject_id=who).exists()
    assert not ConsentEvidence.objects.filter(consent__subject_id=who).exists()
