"""FLUX.2-klein by a random checkpoint of its classes: everything but what its weights know."""

import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from workers.engines import prompts, sitting  # noqa: E402
from workers.engines.base import (  # noqa: E402
    CannotPaint,
    Engine,
    EngineError,
    Order,
    Stopped,
    Task,
    create,
)
from workers.engines.flux2_klein import SHOWN, STEPS, Flux2KleinEngine  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PHOTO = Image.effect_noise((600, 800), 60).convert("RGB")
SMALL = (512, 512)


@pytest.fixture(scope="module")
def engine(published: Callable[[str], Engine], one_thread: None) -> Flux2KleinEngine:
    made = published("flux2-klein")
    assert isinstance(made, Flux2KleinEngine)
    return made


def order(task: Task = Task.IDENTITY, **changes: Any) -> Order:
    fields: dict[str, Any] = {"style": "oil", "width": 512, "height": 512, "seed": 3, "steps": 1}
    if task is Task.IDENTITY:
        fields["references"] = (PHOTO,)
    else:
        fields |= {"prompt": "a straw hat"}
    if task is Task.EDIT:
        fields["source"] = PHOTO.resize(SMALL)
    return Order(task, **fields | changes)


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


class Seen:
    """What a pipeline is called with; it still paints."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.inputs: dict[str, Any] = {}
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, **inputs: Any) -> Any:
        self.inputs = inputs
        self.sizes = [each.size for each in inputs.get("image") or []]
        return self.pipe(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pipe, name)


@pytest.fixture
def seen(engine: Flux2KleinEngine, monkeypatch: pytest.MonkeyPatch) -> Seen:
    spy = Seen(engine._pipe)
    monkeypatch.setattr(engine, "_pipe", spy)
    return spy


def test_it_says_what_it_can_do(engine: Flux2KleinEngine) -> None:
    can = engine.describe()
    assert can.name == "flux2-klein"
    assert can.tasks == {Task.IDENTITY, Task.TEXT, Task.EDIT}
    assert can.licence == "Apache-2.0"
    assert can.styles == set(prompts.STYLES)
    assert all(side % 16 == 0 for size in can.sizes for side in size)
    assert len(can.weights_sha256) == 64


@pytest.mark.parametrize("task", [Task.IDENTITY, Task.TEXT, Task.EDIT])
def test_it_paints_each_task_in_the_size_asked_for(engine: Flux2KleinEngine, task: Task) -> None:
    steps: list[tuple[int, int]] = []
    wanted = order(task, width=512, height=640, steps=None)
    if task is Task.EDIT:
        wanted = replace(wanted, source=PHOTO.resize((512, 640)))
    painted = engine.render(wanted, lambda done, total: steps.append((done, total)))
    assert painted.size == (512, 640)
    assert painted.mode == "RGB"
    assert steps == [(done, STEPS) for done in range(1, STEPS + 1)]
    assert float(np.asarray(painted).std()) > 1


def test_a_seed_paints_the_same_picture_again(engine: Flux2KleinEngine) -> None:
    first, second, other = (engine.render(order(seed=seed), quiet) for seed in (5, 5, 6))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_the_photo_and_the_words_change_the_picture(engine: Flux2KleinEngine) -> None:
    plain = engine.render(order(), quiet).tobytes()
    other = Image.linear_gradient("L").resize(PHOTO.size).convert("RGB")
    assert engine.render(order(references=(other,)), quiet).tobytes() != plain
    first, second = (engine.render(order(Task.TEXT, prompt=each), quiet) for each in ("a", "b"))
    assert first.tobytes() != second.tobytes()


def test_it_shows_the_best_photos_in_one_shape_and_leaves_none(
    engine: Flux2KleinEngine, seen: Seen
) -> None:
    dull = Image.new("RGB", (600, 800), (120, 110, 100))
    photos = (dull, PHOTO, dull, PHOTO, PHOTO)
    kept = [photo.tobytes() for photo in photos]
    engine.render(order(references=photos), quiet)
    assert seen.sizes == [sitting.SHAPE] * SHOWN
    assert sitting.ranked(photos, ())[:3] == [1, 3, 4]
    # Its own copies are black; those of the order are its owner's.
    assert all(each.getextrema() == ((0, 0),) * 3 for each in seen.inputs["image"])
    assert [photo.tobytes() for photo in photos] == kept
    assert (seen.inputs["width"], seen.inputs["height"]) == SMALL


def test_a_picture_from_words_sees_no_photo(engine: Flux2KleinEngine, seen: Seen) -> None:
    engine.render(order(Task.TEXT), quiet)
    assert seen.inputs["image"] is None


def test_prompts_without_words_are_encoded_once_and_others_never_kept(
    engine: Flux2KleinEngine, seen: Seen
) -> None:
    known = dict(engine._known)
    assert set(known) == set(prompts.fixed())
    engine.render(order(), quiet)
    assert "prompt" not in seen.inputs
    assert seen.inputs["prompt_embeds"] is known[prompts.identity("oil")]
    engine.render(order(prompt="in a straw hat"), quiet)
    assert "straw hat" in seen.inputs["prompt"]
    assert engine._known.keys() == known.keys()


def test_an_encoded_prompt_paints_what_its_words_would(engine: Flux2KleinEngine) -> None:
    first = engine.render(order(), quiet)
    kept, engine._known = engine._known, {}
    try:
        assert engine.render(order(), quiet).tobytes() == first.tobytes()
    finally:
        engine._known = kept


def mask() -> Image.Image:
    made = Image.new("L", SMALL)
    made.paste(255, (128, 128, 256, 256))
    return made


def test_a_masked_edit_changes_the_inside_alone(engine: Flux2KleinEngine) -> None:
    wanted = order(Task.EDIT, mask=mask(), steps=None)
    steps: list[tuple[int, int]] = []
    painted = engine.render(wanted, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (STEPS, STEPS)
    before, after = (np.asarray(each).astype(int) for each in (wanted.source, painted))
    apart = np.abs(before - after).max(axis=2) > 0
    inside = np.asarray(mask()) > 0
    assert apart[inside].mean() > 0.9
    assert not apart[~inside].any()


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": Image.new("L", (256, 256), 255)},
        {"mask": Image.new("L", SMALL)},
        {"mask": mask(), "prompt": None},
        {"source": PHOTO},
        {"source": PHOTO.resize(SMALL).convert("L")},
        {"prompt": "x" * 10_000},
        {"width": 520},
        {"style": "unheard of"},
    ],
)
def test_it_refuses_bad_edits(engine: Flux2KleinEngine, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(Task.EDIT, **changes), quiet)


def test_it_refuses_a_photo_that_is_not_clean(engine: Flux2KleinEngine) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(references=(PHOTO.convert("RGBA"),)), quiet)


@pytest.mark.parametrize("masked", [False, True])
def test_what_the_callback_raises_ends_it_within_the_step(
    engine: Flux2KleinEngine, masked: bool
) -> None:
    steps: list[int] = []

    def stop(done: int, total: int) -> None:
        steps.append(done)
        if done == 2:
            raise Stopped

    wanted = order(Task.EDIT, mask=mask(), steps=3) if masked else order(steps=3)
    with pytest.raises(Stopped):
        engine.render(wanted, stop)
    assert steps == [1, 2]
    assert engine.render(wanted, quiet).size == SMALL


def test_its_fingerprint_is_of_every_model_in_it(engine: Flux2KleinEngine) -> None:
    first = engine.fingerprint()
    for name in ("text_encoder", "transformer", "vae"):
        parameter = next(each for each in engine._parts[name].parameters() if each.dim() == 1)
        parameter.view(torch.int32)[0] ^= 1
        assert engine.fingerprint() != first
        parameter.view(torch.int32)[0] ^= 1
    assert engine.fingerprint() == first


def test_nobodys_words_are_printed(
    engine: Flux2KleinEngine,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    roots = [logging.getLogger(name) for name in (None, "diffusers", "transformers")]
    for root in roots:
        root.addHandler(handler)
    try:
        # Longer than the model reads: that is when libraries warn, and quote what they cut off.
        engine.render(order(prompt="cousin Ada " * 90), quiet)
        with pytest.raises(CannotPaint) as refusal:
            engine.render(order(prompt="cousin Ada " * 900), quiet)
    finally:
        for root in roots:
            root.removeHandler(handler)
    out, err = capfd.readouterr()
    assert "Ada" not in said.getvalue() + caplog.text + out + err + str(refusal.value)


def test_it_can_be_unloaded_and_loaded_again(checkpoint: Callable[[str], Path]) -> None:
    engine = create("flux2-klein", checkpoint("flux2_klein"))
    with pytest.raises(EngineError):
        engine.render(order(), quiet)
    with pytest.raises(EngineError):
        engine.fingerprint()
    engine.unload()


def test_a_guidance_distilled_index_is_told_to_the_pipeline(
    checkpoint: Callable[[str], Path], engine: Flux2KleinEngine
) -> None:
    said = json.loads((checkpoint("flux2_klein") / "model_index.json").read_text())
    assert said["is_distilled"] is True
    assert engine._pipe.config.is_distilled is True
    assert engine._inpaint.config.is_distilled is True
    # One checkpoint: the second pipeline holds the very same parts.
    assert engine._inpaint.transformer is engine._pipe.transformer
