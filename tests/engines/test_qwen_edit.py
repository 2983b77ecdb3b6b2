"""Qwen-Image-Edit by a random checkpoint of its classes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as library  # noqa: E402

from workers.engines.base import CannotPaint, Engine, Order, Stopped, Task  # noqa: E402
from workers.engines.qwen_edit import SHOWN, STEPS, QwenEditEngine  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PHOTO = Image.effect_noise((300, 400), 60).convert("RGB")


@pytest.fixture(scope="module")
def engine(published: Callable[[str], Engine], one_thread: None) -> QwenEditEngine:
    made = published("qwen-edit")
    assert isinstance(made, QwenEditEngine)
    return made


@pytest.fixture(autouse=True)
def _small_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library enlarges each photo to a megapixel; a processor would take half a minute."""
    monkeypatch.setattr(library, "VAE_IMAGE_SIZE", 128 * 128)
    monkeypatch.setattr(library, "CONDITION_IMAGE_SIZE", 112 * 112)


def order(task: Task = Task.IDENTITY, **changes: Any) -> Order:
    fields: dict[str, Any] = {"width": 512, "height": 512, "seed": 3, "steps": 1}
    if task is Task.IDENTITY:
        fields["references"] = (PHOTO,)
    if task is Task.EDIT:
        fields |= {"source": PHOTO.resize((512, 512)), "prompt": "a straw hat"}
    return Order(task, "oil", **fields | changes)


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


@pytest.mark.parametrize("task", [Task.IDENTITY, Task.EDIT])
def test_it_paints_both_tasks_in_the_size_asked_for(engine: QwenEditEngine, task: Task) -> None:
    steps: list[tuple[int, int]] = []
    painted = engine.render(order(task, steps=2), lambda *step: steps.append(step))
    assert painted.size == (512, 512)
    assert steps == [(1, 2), (2, 2)]
    assert float(np.asarray(painted).std()) > 1


def test_seed_photo_and_words_change_the_picture(engine: QwenEditEngine) -> None:
    plain = engine.render(order(Task.EDIT), quiet).tobytes()
    assert engine.render(order(Task.EDIT), quiet).tobytes() == plain
    other = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    for changes in ({"seed": 4}, {"prompt": "a scarf of wool"}, {"source": other}):
        assert engine.render(order(Task.EDIT, **changes), quiet).tobytes() != plain


def test_it_sees_three_photos_at_most_and_reads_words_with_them(
    engine: QwenEditEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, calls = engine._pipe, []

    def watch(**inputs: Any) -> Any:
        calls.append(inputs)
        return pipe(**inputs)

    monkeypatch.setattr(engine, "_pipe", watch)
    engine.render(order(references=(PHOTO,) * 5), quiet)
    [inputs] = calls
    assert len(inputs["image"]) == SHOWN == 3
    assert inputs["true_cfg_scale"] > 1
    assert "same skin tone" in inputs["prompt"]
    assert all(each.getextrema() == ((0, 0),) * 3 for each in inputs["image"])


def test_its_makers_forty_steps_are_the_default(
    engine: QwenEditEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[int] = []

    def stop(done: int, total: int) -> None:
        totals.append(total)
        raise Stopped

    with pytest.raises(Stopped):
        engine.render(order(steps=None), stop)
    assert totals == [STEPS] == [40]


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": Image.new("L", (512, 512), 255)},
        {"source": PHOTO},
        {"prompt": "x" * 10_000},
        {"task": Task.TEXT},
    ],
)
def test_it_refuses_what_it_cannot_do(engine: QwenEditEngine, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(changes.pop("task", Task.EDIT), **changes), quiet)
