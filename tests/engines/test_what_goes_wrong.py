"""NaN, too little memory, any other failure, a stop: every published pipeline says it alike."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as library  # noqa: E402

from workers.engines.base import (  # noqa: E402
    REGISTRY,
    Engine,
    EngineError,
    Order,
    OutOfMemory,
    Stopped,
    Task,
)

pytestmark = pytest.mark.usefixtures("one_thread")
# real-esrgan is no pipeline and has its own tests, pocket another way of painting.
FAMILIES = ("flux2-klein", "qwen-edit", "z-image")
PHOTO = Image.effect_noise((300, 400), 60).convert("RGB")
SIZE = (512, 512)


@pytest.fixture(scope="module", params=FAMILIES)
def engine(
    request: pytest.FixtureRequest, published: Callable[[str], Engine], one_thread: None
) -> Engine:
    return published(request.param)


@pytest.fixture(autouse=True)
def _small_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "VAE_IMAGE_SIZE", 128 * 128)
    monkeypatch.setattr(library, "CONDITION_IMAGE_SIZE", 112 * 112)


def order(engine: Any, steps: int = 1) -> Order:
    identity = Task.IDENTITY in engine.tasks
    return Order(
        Task.IDENTITY if identity else Task.TEXT,
        "oil",
        *SIZE,
        seed=3,
        steps=steps,
        prompt=None if identity else "a paper boat",
        references=(PHOTO,) if identity else (),
    )


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


def test_these_are_all_but_the_two_that_are_no_published_pipeline() -> None:
    assert set(FAMILIES) == set(REGISTRY) - {"pocket", "real-esrgan"}


def test_a_picture_of_nan_is_no_picture(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vae = engine._parts["vae"]
    decode = vae.decode

    def spoil(latents: Any, **options: Any) -> Any:
        return tuple(each * float("nan") for each in decode(latents, **options))

    monkeypatch.setattr(vae, "decode", spoil)
    with pytest.raises(EngineError, match="not a picture"):
        engine.render(order(engine), quiet)


def test_one_number_that_is_none_spoils_the_whole_picture(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would come out as a black spot on somebody's face."""
    vae = engine._parts["vae"]
    decode = vae.decode

    def spoil(latents: Any, **options: Any) -> Any:
        made = decode(latents, **options)
        made[0].view(-1)[7] = float("nan")
        return made

    monkeypatch.setattr(vae, "decode", spoil)
    with pytest.raises(EngineError, match="not a picture"):
        engine.render(order(engine), quiet)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_too_little_memory_is_said_in_the_words_of_the_protocol(
    engine: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(engine._parts["vae"], "decode", full)
        with pytest.raises(OutOfMemory):
            engine.render(order(engine), quiet)
    assert engine.render(order(engine), quiet).size == SIZE


def test_another_failure_stays_what_it_is(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("an illegal instruction")

    monkeypatch.setattr(engine._parts["vae"], "decode", broken)
    with pytest.raises(RuntimeError, match="illegal"):
        engine.render(order(engine), quiet)


def test_it_stops_within_the_step_and_paints_again(engine: Any) -> None:
    steps: list[int] = []

    def stop(done: int, total: int) -> None:
        steps.append(done)
        raise Stopped

    with pytest.raises(Stopped):
        engine.render(order(engine, 2), stop)
    assert steps == [1]
    assert engine.render(order(engine), quiet).size == SIZE
