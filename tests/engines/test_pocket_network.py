"""Pocket's network is read as diffusers reads it, without diffusers, and no other network is."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from diffusers import UNet2DModel  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from deploy.env import ROOT  # noqa: E402
from workers.engines import pocket_network  # noqa: E402
from workers.engines.base import WeightsRefused  # noqa: E402
from workers.engines.pocket import BRIDGE, PocketEngine  # noqa: E402
from workers.engines.weights import write_manifest  # noqa: E402

WEIGHTS = ROOT / "workers" / "weights" / "pocket"
UNET = pocket_network.FOLDER
TENSORS, CONFIG = f"{UNET}/{pocket_network.FILE}", f"{UNET}/{pocket_network.CONFIG}"
# Painting a picture must not need them, so a process that paints holds none of them.
LEFT_OUT = ("diffusers", "transformers", "huggingface_hub", "sympy", "torch._dynamo")
PAINTING = f"""
import sys
from PIL import Image
from workers.engines.base import Order, Task, create
from pathlib import Path
engine = create("pocket", Path("workers/weights/pocket"))
engine.load()
photo = Image.effect_noise((300, 400), 60).convert("RGB")
def paint(task, **more):
    side = 2048 if task is Task.UPSCALE else 512
    engine.render(Order(task, "oil", side, side, 1, **more), lambda *_: None)
paint(Task.IDENTITY, references=(photo,))
paint(Task.TEXT)
paint(Task.EDIT, source=photo.resize((512, 512)), mask=Image.new("L", (512, 512), 255))
paint(Task.UPSCALE, source=photo.resize((512, 512)), rich=True)
engine.fingerprint()
engine.unload()
print([name for name in {LEFT_OUT!r} if name in sys.modules])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS, tmp_path / "pocket"))


def refused(folder: Path, file: str) -> str:
    """What loading says; whoever changed the files has listed them anew."""
    write_manifest(folder)
    with pytest.raises(WeightsRefused) as refusal:
        PocketEngine(folder).load()
    assert refusal.value.file == file
    return refusal.value.reason


def test_its_parameters_are_those_that_the_library_reads() -> None:
    kind: Any = UNet2DModel
    theirs = kind.from_pretrained(WEIGHTS / UNET, use_safetensors=True, torch_dtype=torch.float32)
    ours = pocket_network.read(WEIGHTS / UNET)
    assert list(dict(ours.named_parameters())) != []
    known = theirs.state_dict()
    assert set(ours.state_dict()) == set(known)
    for name, each in ours.state_dict().items():
        assert each.dtype == torch.float32
        assert torch.equal(each, known[name]), name
    assert not any(each.requires_grad for each in ours.parameters())


@pytest.mark.parametrize("channels", [(16, 24), (8, 16, 24, 32)])
@pytest.mark.parametrize("layers", [1, 3])
def test_other_sizes_of_the_same_kind_have_the_library_s_parameters(
    channels: tuple[int, ...], layers: int
) -> None:
    kind: Any = UNet2DModel
    said = json.loads((WEIGHTS / CONFIG).read_text()) | {
        "block_out_channels": list(channels),
        "layers_per_block": layers,
        "down_block_types": ["DownBlock2D"] * len(channels),
        "up_block_types": ["UpBlock2D"] * len(channels),
    }
    shape = pocket_network.shape_of(said)
    theirs, ours = kind.from_config(said).state_dict(), pocket_network.Network(shape).state_dict()
    assert {name: each.shape for name, each in ours.items()} == {
        name: each.shape for name, each in theirs.items()
    }


def test_it_is_told_the_time_as_the_library_s_is() -> None:
    kind: Any = UNet2DModel
    theirs = kind.from_pretrained(WEIGHTS / UNET, use_safetensors=True, torch_dtype=torch.float32)
    ours = pocket_network.read(WEIGHTS / UNET)
    for t in (0.0, 333.3, 1000.0):
        time = torch.tensor([t])
        assert torch.equal(ours.time_proj(time), theirs.time_proj(time))


@pytest.mark.parametrize(
    "change",
    [
        {"add_attention": True},
        {"act_fn": "relu"},
        {"_class_name": "UNet2DConditionModel"},
        {"up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]},
        {"down_block_types": ["DownBlock2D"] * 2},
        {"block_out_channels": 32},
        {"norm_num_groups": None},
        {"norm_num_groups": 7},
    ],
)
def test_a_configuration_of_another_network_is_refused(
    folder: Path, change: dict[str, Any]
) -> None:
    file = folder / CONFIG
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert "another network" in refused(folder, CONFIG)


def test_a_configuration_that_leaves_something_open_is_refused(folder: Path) -> None:
    file = folder / CONFIG
    said = json.loads(file.read_text())
    del said["resnet_time_scale_shift"]
    file.write_text(json.dumps(said))
    assert "another network" in refused(folder, CONFIG)


@pytest.mark.parametrize("way", ["missing", "more", "shape"])
def test_tensors_of_another_network_are_refused(folder: Path, way: str) -> None:
    held = load_file(folder / TENSORS)
    first = next(iter(held))
    if way == "missing":
        del held[first]
    if way == "more":
        held["more.weight"] = torch.zeros(3)
    if way == "shape":
        held[first] = torch.zeros(3)
    save_file(held, folder / TENSORS)
    assert "another class" in refused(folder, TENSORS)


def test_tensors_that_are_cut_off_are_refused(folder: Path) -> None:
    body = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(body[: len(body) // 2])
    assert "cannot be loaded" in refused(folder, TENSORS)


def test_a_bridge_that_says_nothing_is_refused(folder: Path) -> None:
    (folder / BRIDGE).write_text("{}")
    assert "cannot be read" in refused(folder, BRIDGE)


def test_painting_loads_no_library_that_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PAINTING], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
