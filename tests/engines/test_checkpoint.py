"""A published checkpoint is loaded if it is the expected one, whole and allowed, or not at all."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file

from tests.engines.tiny import stated
from workers.engines import terms
from workers.engines.base import REGISTRY, Engine, WeightsRefused, create
from workers.engines.weights import verify_weights

FAMILIES = {
    "flux2-klein": "flux2_klein",
    "z-image": "z_image",
    "qwen-edit": "qwen_edit",
    "real-esrgan": "real_esrgan",
}
LARGEST = dict.fromkeys(FAMILIES, "transformer/diffusion_pytorch_model.safetensors")
LARGEST["real-esrgan"] = "model.safetensors"
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=list(FAMILIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(name: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint(FAMILIES[name]), tmp_path / name))


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    before = terms.agreed()
    yield
    terms.agree(before)


def refused(name: str, folder: Path, file: str) -> None:
    with pytest.raises(WeightsRefused) as refusal:
        create(name, folder).load()
    assert refusal.value.file == file


def test_every_engine_of_the_registry_but_the_pocket_one_is_tried_here() -> None:
    assert set(FAMILIES) == set(REGISTRY) - {"pocket"}


def test_an_engine_is_named_after_its_entry_and_its_weights(name: str, folder: Path) -> None:
    engine = create(name, folder)
    assert isinstance(engine, Engine)
    # Without the prompts' embeddings, which are another test's business.
    engine.ready = lambda: None  # type: ignore[attr-defined]
    engine.load()
    assert engine.describe().name == name
    assert engine.describe().weights_sha256 == verify_weights(folder)
    engine.unload()


def test_a_flipped_bit_is_refused(name: str, folder: Path) -> None:
    file = folder / LARGEST[name]
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    refused(name, folder, LARGEST[name])


def test_a_missing_and_a_truncated_file_are_refused(name: str, folder: Path) -> None:
    file = folder / LARGEST[name]
    file.write_bytes(file.read_bytes()[:-1])
    refused(name, folder, LARGEST[name])
    file.unlink()
    refused(name, folder, LARGEST[name])


def test_a_pickle_and_a_program_are_refused(name: str, folder: Path) -> None:
    for extra in ("more.bin", "pipeline.py", "chat_template.jinja"):
        (folder / extra).write_bytes(b"x")
        refused(name, folder, extra)
        (folder / extra).unlink()


def test_a_licence_that_forbids_business_is_refused(name: str, folder: Path) -> None:
    stated(folder, "flux-non-commercial")
    refused(name, folder, "manifest.json")
    stated(folder, None)
    refused(name, folder, "manifest.json")


def test_weights_that_leave_a_parameter_unset_are_refused(name: str, folder: Path) -> None:
    """Well hashed and well formed; the libraries would make the rest up and go on."""
    state = load_file(folder / LARGEST[name])
    del state[min(state)]
    save_file(state, folder / LARGEST[name], metadata={"format": "pt"})
    stated(folder)
    refused(name, folder, LARGEST[name].partition("/")[0])


def test_a_parameter_of_another_shape_is_refused(name: str, folder: Path) -> None:
    state = load_file(folder / LARGEST[name])
    first = min(state)
    state[first] = state[first].repeat(2, *[1] * (state[first].dim() - 1))
    save_file(state, folder / LARGEST[name], metadata={"format": "pt"})
    stated(folder)
    refused(name, folder, LARGEST[name].partition("/")[0])


def rewrite(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize("name", [each for each in FAMILIES if each != "real-esrgan"])
def test_another_class_is_refused_wherever_it_is_named(name: str, folder: Path) -> None:
    index = folder / "model_index.json"
    kept = index.read_text()
    for changes in (
        {"_class_name": "StableDiffusionPipeline"},
        {"transformer": ["diffusers", "UNet2DConditionModel"]},
        {"vae": [None, None]},
        {"text_encoder": "Qwen3ForCausalLM"},
    ):
        rewrite(index, **changes)
        stated(folder)
        refused(name, folder, "model_index.json")
        index.write_text(kept)
    rewrite(folder / "transformer" / "config.json", _class_name="UNet2DConditionModel")
    stated(folder)
    refused(name, folder, "transformer/config.json")


@pytest.mark.parametrize("name", ["flux2-klein"])
def test_remote_code_is_refused(name: str, folder: Path) -> None:
    rewrite(folder / "text_encoder" / "config.json", auto_map={"AutoModel": "them/theirs--x.Y"})
    stated(folder)
    refused(name, folder, "text_encoder/config.json")


@pytest.mark.parametrize("name", ["z-image"])
def test_words_of_another_kind_are_refused(name: str, folder: Path) -> None:
    rewrite(folder / "text_encoder" / "config.json", architectures=["LlamaForCausalLM"])
    stated(folder)
    refused(name, folder, "text_encoder/config.json")


@pytest.mark.parametrize("name", ["z-image"])
def test_an_index_that_is_no_index_is_refused(name: str, folder: Path) -> None:
    for body in ("[]", "3"):
        (folder / "model_index.json").write_text(body)
        stated(folder)
        refused(name, folder, "model_index.json")
    (folder / "model_index.json").unlink()
    stated(folder)
    refused(name, folder, "model_index.json")
