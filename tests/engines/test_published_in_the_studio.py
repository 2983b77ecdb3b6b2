"""The worker's own studio loads, tries, swaps and watches engines of published classes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as library  # noqa: E402

from workers.engines import base, prompts  # noqa: E402
from workers.studio import Studio  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = ("flux2-klein", "z-image", "qwen-edit", "real-esrgan")
PHOTO = Image.effect_noise((600, 800), 60).convert("RGB")


@pytest.fixture
def weights(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """All four beside each other, and little enough to do for a processor."""
    for name in NAMES:
        (tmp_path / name).symlink_to(checkpoint(name.replace("-", "_")))
    monkeypatch.setattr(library, "VAE_IMAGE_SIZE", 128 * 128)
    monkeypatch.setattr(library, "CONDITION_IMAGE_SIZE", 112 * 112)
    monkeypatch.setattr(prompts, "fixed", lambda: (prompts.identity("oil"),))
    return tmp_path


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.close()


def test_each_is_loaded_tried_swapped_and_unchanged(weights: Path, studio: Studio) -> None:
    studio.open(NAMES, weights, most=1)
    assert studio.loaded == ("flux2-klein",)
    for name in (*NAMES[1:], NAMES[0]):
        # Whoever leaves is compared with what was loaded; a change would raise.
        assert studio.bring(name) is not None
        assert studio.loaded == (name,)
    wanted = base.Order(base.Task.IDENTITY, "oil", 512, 512, seed=1, references=(PHOTO,))
    assert studio.render("flux2-klein", wanted, lambda *_: None).size == (512, 512)
    assert studio.changed() == []


def test_a_changed_bit_in_any_part_is_noticed_when_it_leaves(weights: Path, studio: Studio) -> None:
    studio.open(["z-image", "real-esrgan"], weights, most=1)
    parts = studio.engines["z-image"]._parts  # type: ignore[attr-defined]
    bias = next(each for each in parts["vae"].parameters() if each.dim() == 1)
    bias.view(torch.int32)[0] ^= 1
    with pytest.raises(base.WeightsChanged):
        studio.bring("real-esrgan")
    bias.view(torch.int32)[0] ^= 1


def test_an_engine_that_paints_black_is_unfit(
    weights: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As weights do that were counted in too few digits."""
    monkeypatch.setattr(
        "workers.engines.z_image.run", lambda *_, **__: Image.new("RGB", (512, 512))
    )
    with pytest.raises(base.Unfit):
        studio.open(["z-image"], weights, most=0)
