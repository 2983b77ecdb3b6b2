"""A worker that cannot work does not start, and says which setting or file is the matter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack


def started(stack: Stack, role: Role, **changed: str) -> subprocess.CompletedProcess[str]:
    """What a worker of this role does with some of its settings changed."""
    stack.migrate()
    argv = ["-m", "celery", "-A", "workers.app", "worker", "-Q", str(role), "-P", "threads"]
    return subprocess.run(
        [sys.executable, *argv, "-n", "broken@%h", "--without-mingle"],
        cwd=ROOT,
        env={**stack.env(role), **changed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SITTER_DATABASE_URL", "postgresql://sitter_upkeep:x@127.0.0.1:1/sitter"),
        ("SITTER_S3_ENDPOINT_URL", "http://127.0.0.1:1"),
    ],
)
def test_a_service_that_is_down_is_named_with_its_setting(
    stack: Stack, setting: str, value: str
) -> None:
    ended = started(stack, Role.UPKEEP, **{setting: value})
    assert ended.returncode == 1
    assert setting in ended.stderr


def test_weights_with_one_flipped_bit_are_refused_by_name(stack: Stack, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(ROOT / "workers" / "weights", weights)
    file = weights / "pocket" / "unet" / "diffusion_pytorch_model.safetensors"
    flipped = bytearray(file.read_bytes())
    flipped[-1] ^= 1
    file.write_bytes(flipped)
    ended = started(stack, Role.GPU, SITTER_WEIGHTS=str(weights), SITTER_ENGINES='["pocket"]')
    assert ended.returncode == 1
    assert file.name in ended.stderr


def test_a_detector_that_is_missing_is_named(stack: Stack, tmp_path: Path) -> None:
    ended = started(stack, Role.GPU, SITTER_WEIGHTS=str(tmp_path), SITTER_ENGINES='["pocket"]')
    assert ended.returncode == 1
    assert "mtcnn/manifest.json is missing" in ended.stderr


def test_a_key_folder_of_another_compartment_is_refused_by_name(
    stack: Stack, tmp_path: Path
) -> None:
    ended = started(stack, Role.UPKEEP, SITTER_ROOT_KEYS=str(tmp_path))
    assert ended.returncode == 1
    assert "SITTER_ROOT_KEYS" in ended.stderr
