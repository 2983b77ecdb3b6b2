"""Keys move from a folder to KMS and back, and what was sealed before opens behind the move."""

import os
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from privacy import keys, keystores, kms, rotation, vault
from privacy.audit import Reason
from privacy.errors import KeyFileRefused
from privacy.models import OwnerKey
from privacy.retention import Kind
from tests.keys.people import sitter, written


def moved(sort: str, source: str, target: str) -> str:
    out = StringIO()
    call_command("move_keys", "--sort", sort, "--from", source, "--to", target, stdout=out)
    return out.getvalue()


def test_a_portrait_opens_under_kms_that_was_sealed_under_a_file_and_back(
    born: Any, folders: dict[str, Path], address: Any, settings_of: Any
) -> None:
    now = datetime.now(UTC)
    born("web")
    who = sitter(now)
    before = written(Kind.PORTRAIT, who, b"painted before", now)
    folder, kept = str(folders["ROOT_KEYS"]), address("root")
    said = moved("root", folder, kept)
    assert f"set SITTER_ROOT_KEYS to {kept}" in said
    assert "rotate_root --now" in said
    folders["ROOT_KEYS"].rename(folders["ROOT_KEYS"].with_name("taken-away"))
    settings_of(ROOT_KEYS=kept)
    kms._opened.clear()
    keys.check_held(now)
    assert vault.read(before.pk, now, why=Reason.OWNER).reveal() == b"painted before"
    born("keeper")
    settings_of(ROOT_KEYS=kept)
    assert rotation.turn(now, force=True).rewrapped == 1
    after = written(Kind.PORTRAIT, who, b"painted after", now)
    # And back: both open under files again.
    back = folders["ROOT_KEYS"].with_name("back")
    moved("root", kept, str(back))
    settings_of(ROOT_KEYS=str(back))
    keys.check_held(now)
    for blob, body in ((before, b"painted before"), (after, b"painted after")):
        assert vault.read(blob.pk, now, why=Reason.OWNER).reveal() == body
    assert OwnerKey.objects.get(pk=who).root_epoch == keys.root_epoch()


def test_a_reference_opens_under_kms_that_was_sealed_under_a_file(
    born: Any, folders: dict[str, Path], address: Any, settings_of: Any
) -> None:
    now = datetime.now(UTC)
    born("web")
    blob = written(Kind.REFERENCE, sitter(now), b"a clean photo", now)
    kept = address("fleet")
    moved("fleet", str(folders["FLEET_KEYS"]), kept)
    born("gpu")
    settings_of(FLEET_KEYS=kept)
    kms._opened.clear()
    keys.check_held(now)
    assert vault.read(blob.pk, now, why=Reason.PAINTING).reveal() == b"a clean photo"


@pytest.mark.parametrize("sort", keystores.SORTS)
def test_a_move_that_was_cut_off_is_finished_by_the_next(
    sort: str, tmp_path: Path, address: Any
) -> None:
    source, kept = keystores.at(tmp_path / sort, sort), address(sort)
    secrets = {label: source.create(label, os.urandom(32)) for label in ("a", "b", "c")}
    target = keystores.at(kept, sort)
    target.create("a", secrets["a"])
    assert moved(sort, str(tmp_path / sort), kept).count("copied and read back") == 3
    kms._opened.clear()
    assert {label: target.read(label) for label in target.labels()} == secrets
    assert source.labels() == ["a", "b", "c"], "the source is left alone"


def test_a_key_of_another_installation_is_not_overwritten(tmp_path: Path, address: Any) -> None:
    kept = address("fleet")
    keystores.at(tmp_path, "fleet").create("day", os.urandom(32))
    other = keystores.at(kept, "fleet").create("day", os.urandom(32))
    with pytest.raises(CommandError, match=r"fleet key day is there already, with another secret"):
        moved("fleet", str(tmp_path), kept)
    assert keystores.at(kept, "fleet").read("day") == other


def test_a_place_that_reads_back_something_else_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = (keystores.at(tmp_path / name, "fleet") for name in ("from", "to"))
    source.create("day", os.urandom(32))
    monkeypatch.setattr(target, "read", lambda label: bytes(32))
    with pytest.raises(KeyFileRefused):
        keystores.move(source, target)


def test_an_empty_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no fleet keys at .*nowhere"):
        moved("fleet", str(tmp_path / "nowhere"), str(tmp_path / "to"))
