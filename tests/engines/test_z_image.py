"""Z-Image-Turbo by a random checkpoint of its classes."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from diffusers import FlowMatchEulerDiscreteScheduler  # noqa: E402

from workers.engines.base import CannotPaint, Engine, Order, Task  # noqa: E402
from workers.engines.z_image import STEPS, ZImageEngine  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def engine(published: Callable[[str], Engine], one_thread: None) -> ZImageEngine:
    made = published("z-image")
    assert isinstance(made, ZImageEngine)
    return made


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {"width": 512, "height": 512, "seed": 3, "prompt": "a paper boat"}
    return Order(changes.pop("task", Task.TEXT), "gouache", **fields | changes)


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


def test_it_makes_eight_passes_on_the_noise_levels_that_nine_steps_had(
    engine: ZImageEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[float] = []
    forward = engine._parts["transformer"].forward

    def count(latents: Any, t: Any, *rest: Any, **more: Any) -> Any:
        passes.append(1 - float(t[0]))
        return forward(latents, t, *rest, **more)

    monkeypatch.setattr(engine._parts["transformer"], "forward", count)
    steps: list[tuple[int, int]] = []
    engine.render(order(), lambda done, total: steps.append((done, total)))
    assert STEPS == 8
    assert len(passes) == 8
    assert steps == [(done, 8) for done in range(1, 9)]
    # As earlier releases of the library made of nine: the ninth stood where no noise is left.
    kind: Any = FlowMatchEulerDiscreteScheduler
    before = kind(shift=3.0)
    before.sigma_min = 0.0
    before.set_timesteps(9)
    assert passes == pytest.approx(before.sigmas[:8].tolist(), abs=1e-6)
    assert before.sigmas[8:].tolist() == [0.0, 0.0]


def test_a_seed_and_the_words_decide_the_picture(engine: ZImageEngine) -> None:
    first, again = (engine.render(order(steps=2), quiet) for _ in range(2))
    assert first.size == (512, 512)
    assert first.tobytes() == again.tobytes()
    for changes in ({"seed": 4}, {"prompt": "a paper plane"}):
        other = engine.render(order(steps=2, **changes), quiet)
        assert other.tobytes() != first.tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": None},
        {"prompt": "x" * 10_000},
        {"references": (Image.new("RGB", (64, 64)),)},
        {"task": Task.IDENTITY, "references": (Image.new("RGB", (64, 64)),)},
        {"task": Task.EDIT, "source": Image.new("RGB", (512, 512))},
        {"width": 500},
    ],
)
def test_it_refuses_what_it_cannot_do(engine: ZImageEngine, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(**changes), quiet)
