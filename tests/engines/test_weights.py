"""A weights folder is exactly what its manifest promises, or nothing of it is loaded."""

import json
import pickle
import secrets
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.engines.painted import FULL
from tests.figures import figure
from workers.engines.base import WeightsRefused
from workers.engines.weights import MANIFEST, verify_weights, write_manifest

SHIPPED = Path(__file__).parents[2] / "workers" / "weights" / "pocket"
# Of each file, at random places.
BITS = 30 if FULL else 10
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


def flip(file: Path, bit: int) -> None:
    """Change one bit where it lies; a second time puts it right again."""
    with file.open("r+b") as stream:
        stream.seek(bit // 8)
        [byte] = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([byte ^ 1 << bit % 8]))


def test_it_refuses_every_flipped_bit(folder: Path) -> None:
    """N-02: bits all over every file, the manifest's and both ends included; FULL=1 for more."""
    tried = loaded = 0
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        last = file.stat().st_size * 8 - 1
        for bit in {0, 7, last, *(secrets.randbelow(last) for _ in range(BITS))}:
            flip(file, bit)
            with suppress(WeightsRefused):
                verify_weights(folder)
                loaded += 1
            flip(file, bit)
            tried += 1
    # The control: put right again, it is accepted.
    assert verify_weights(folder)
    figure(
        "N-02",
        value=loaded,
        n=tried,
        holds=loaded == 0,
        conditions="one bit at random places and both ends of every file of the pocket weights, its"
        " manifest too; pickles, links, unknown formats and remote code are tests of their own",
    )
    assert loaded == 0


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


def listed(folder: Path, name: str, body: bytes) -> None:
    """Put a file there and into the manifest, as its author would."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(body)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = {"sha256": sha256(body).hexdigest(), "bytes": len(body)}
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model_index.json", {"_class_name": ["pipeline", "TheirPipeline"]}),
        ("model_index.json", {"_class_name": "PocketPipeline", "custom_pipeline": "them/theirs"}),
        ("unet/config.json", {"auto_map": {"AutoModel": "modeling.Theirs"}}),
        ("config.json", {"layers": [{"text": {"trust_remote_code": True}}]}),
    ],
)
def test_it_refuses_a_folder_that_asks_for_its_authors_code(
    folder: Path, name: str, said: dict[str, Any]
) -> None:
    listed(folder, name, json.dumps(said).encode())
    refused(folder, name)


@pytest.mark.parametrize("name", ["pipeline.py", "unet/modeling.PY", "data.pkl", "run.so", "a.sh"])
def test_it_refuses_code_that_lies_beside_the_weights(folder: Path, name: str) -> None:
    listed(folder, name, b"import os")
    refused(folder, name)


def test_it_refuses_a_pickle_by_any_other_name(folder: Path) -> None:
    listed(folder, "unet/more.safetensors", pickle.dumps({"weights": [1.0]}))
    refused(folder, "unet/more.safetensors")


def test_it_refuses_a_configuration_that_cannot_be_read(folder: Path) -> None:
    listed(folder, "unet/more.json", b"{")
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
