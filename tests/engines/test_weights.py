"""A weights folder is exactly what its manifest promises, or nothing of it is loaded."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from workers.engines.base import WeightsRefused
from workers.engines.weights import MANIFEST, verify_weights, write_manifest

SHIPPED = Path(__file__).parents[2] / "workers" / "weights" / "pocket"
LARGE = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "weights"))


def refused(folder: Path, file: str) -> None:
    with pytest.raises(WeightsRefused) as refusal:
        verify_weights(folder)
    assert refusal.value.file == file
    assert file in str(refusal.value)


def test_it_accepts_the_shipped_weights_and_names_them_by_their_manifest(folder: Path) -> None:
    assert verify_weights(folder) == sha256((SHIPPED / MANIFEST).read_bytes()).hexdigest()


def test_the_shipped_weights_are_small_and_have_a_card() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 20_000_000
    assert "No photo of a person was used" in (SHIPPED / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_it_refuses_a_flipped_bit(folder: Path, place: int) -> None:
    body = bytearray((folder / LARGE).read_bytes())
    body[place] ^= 1
    (folder / LARGE).write_bytes(body)
    refused(folder, LARGE)


def test_it_refuses_a_flipped_bit_in_a_config(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_bytes(config.read_bytes().replace(b"32", b"33", 1))
    refused(folder, "unet/config.json")


def test_it_refuses_a_truncated_file(folder: Path) -> None:
    (folder / LARGE).write_bytes((folder / LARGE).read_bytes()[:-1])
    refused(folder, LARGE)


def test_it_refuses_a_missing_file(folder: Path) -> None:
    (folder / LARGE).unlink()
    refused(folder, LARGE)


def test_it_refuses_a_missing_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    refused(folder, MANIFEST)


def test_it_refuses_an_unreadable_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"files": [')
    refused(folder, MANIFEST)


def test_it_refuses_a_file_that_nobody_listed(folder: Path) -> None:
    (folder / "unet" / "more.json").write_text("{}")
    refused(folder, "unet/more.json")


@pytest.mark.parametrize("suffix", ["bin", "pt", "ckpt", "pkl", "py", "PT"])
def test_it_refuses_a_program_even_when_it_is_listed(folder: Path, suffix: str) -> None:
    name = f"unet/extra.{suffix}"
    (folder / name).write_bytes(b"x")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = {"sha256": sha256(b"x").hexdigest(), "bytes": 1}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    refused(folder, name)


def test_it_refuses_a_link(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.safetensors"
    (folder / LARGE).rename(elsewhere)
    (folder / LARGE).symlink_to(elsewhere)
    refused(folder, LARGE)


def test_it_refuses_a_manifest_that_points_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    manifest = json.loads((folder / MANIFEST).read_text())
    entry = {"sha256": sha256(b"{}").hexdigest(), "bytes": 2}
    manifest["files"]["../outside.json"] = entry
    (folder / MANIFEST).write_text(json.dumps(manifest))
    refused(folder, "../outside.json")


def test_a_folder_that_was_just_listed_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    write_manifest(tmp_path)
    assert len(verify_weights(tmp_path)) == 64
