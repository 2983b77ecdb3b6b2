"""The pocket engine paints on a processor: the same for a seed, soon enough, and still the person.

What does not depend on its pictures is asked of `little`, the same engine with a small network.

The photo is Rear Admiral Grace Hopper by the United States Navy, public domain.
"""

import itertools
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from workers.engines import canvas, framing, strips  # noqa: E402
from workers.engines.base import (  # noqa: E402
    CannotPaint,
    Engine,
    EngineError,
    Order,
    Stopped,
    Task,
    create,
)
from workers.engines.bridge import STYLES, begin  # noqa: E402
from workers.engines.pocket import SIZES  # noqa: E402
from workers.engines.pocket_pipeline import PocketPipeline  # noqa: E402

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "workers" / "weights" / "pocket"
FOCUS = (0.30, 0.22, 0.73, 0.58)
# Twice the time that two quiet cores are allowed for a portrait of 512 pixels.
SECONDS = 12.0


@pytest.fixture(scope="module")
def engine(pocket: Engine) -> Engine:
    return pocket


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.open(ROOT / "tests" / "photos" / "grace_hopper.jpg").convert("RGB")


def order(photo: Image.Image, style: str = "pencil", seed: int = 5, **changes: Any) -> Order:
    width, height = changes.pop("size", (512, 512))
    fields: dict[str, Any] = {"references": (photo,), "focus": (FOCUS,)} | changes
    return Order(Task.IDENTITY, style, width, height, seed, **fields)


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


@pytest.fixture(scope="module")
def seconds() -> dict[str, float]:
    """How long each of the portraits took."""
    return {}


@pytest.fixture(scope="module")
def portraits(
    engine: Engine, photo: Image.Image, seconds: dict[str, float]
) -> dict[str, Image.Image]:
    made = {}
    for style in STYLES:
        begun = time.perf_counter()
        made[style] = engine.render(order(photo, style), quiet)
        seconds[style] = time.perf_counter() - begun
    return made


def pixels(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray(np.asarray(picture.convert("RGB")) / 255, dtype=np.float32)


def likeness(photo: Image.Image, portrait: Image.Image) -> float:
    """How well light and dark of the two agree once hatching and strokes are blurred away.

    The outer seventh is left out: a paper margin there says nothing about the person.
    """
    rim = min(photo.size) // 7
    first, second = (
        canvas.blur(canvas.luminance(pixels(picture)), 7.0)[rim:-rim, rim:-rim]
        for picture in (photo, portrait)
    )
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_there_are_at_least_five_styles(engine: Engine) -> None:
    assert len(engine.describe().styles) >= 5
    assert engine.describe().styles == frozenset(STYLES)


def test_it_tells_which_weights_it_paints_with(engine: Engine) -> None:
    assert len(engine.describe().weights_sha256) == 64
    assert engine.describe().licence == "Apache-2.0"


def test_a_seed_paints_the_same_picture_again(
    engine: Engine, photo: Image.Image, portraits: dict[str, Image.Image]
) -> None:
    again = engine.render(order(photo, "oil"), quiet)
    assert again.tobytes() == portraits["oil"].tobytes()


def test_another_seed_paints_another_picture(
    engine: Engine, photo: Image.Image, portraits: dict[str, Image.Image]
) -> None:
    first, second = portraits["oil"], engine.render(order(photo, "oil", seed=6), quiet)
    assert float(np.abs(pixels(first) - pixels(second)).mean()) > 0.01
    assert likeness(first, second) > 0.7


def test_no_two_styles_look_alike(portraits: dict[str, Image.Image]) -> None:
    for first, second in itertools.combinations(STYLES, 2):
        apart = float(np.abs(pixels(portraits[first]) - pixels(portraits[second])).mean())
        assert apart > 0.03, f"{first} and {second} differ by {apart:.3f} only"


@pytest.mark.parametrize("style", STYLES)
def test_the_person_is_still_there(
    style: str, portraits: dict[str, Image.Image], photo: Image.Image
) -> None:
    framed = framing.frame(photo, FOCUS, (512, 512), 5)
    measured = likeness(framed, portraits[style])
    print(f"{style}: {measured:.3f}")  # noqa: T201
    assert measured > 0.85


@pytest.mark.parametrize("style", STYLES)
def test_it_is_a_painting_and_not_the_photo(
    style: str, portraits: dict[str, Image.Image], photo: Image.Image
) -> None:
    framed = framing.frame(photo, FOCUS, (512, 512), 5)
    assert float(np.abs(pixels(framed) - pixels(portraits[style])).mean()) > 0.03


@pytest.mark.parametrize("size", SIZES)
def test_it_paints_the_size_that_was_ordered(
    size: tuple[int, int], little: Engine, photo: Image.Image
) -> None:
    assert little.render(order(photo, "riso", size=size, steps=1), quiet).size == size


@pytest.mark.usefixtures("portraits")
def test_a_portrait_of_512_pixels_does_not_keep_anybody_waiting(seconds: dict[str, float]) -> None:
    print(f"512 pixels: {seconds['oil']:.2f} s")  # noqa: T201
    assert seconds["oil"] < SECONDS


def test_it_reports_every_step(little: Engine, photo: Image.Image) -> None:
    told: list[tuple[int, int]] = []
    little.render(order(photo, steps=3), lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_it_stops_within_one_step(little: Engine, photo: Image.Image) -> None:
    told: list[int] = []

    def enough(done: int, total: int) -> None:
        told.append(done)
        raise Stopped

    with pytest.raises(Stopped):
        little.render(order(photo, steps=20), enough)
    assert told == [1]


def test_it_paints_again_after_it_was_stopped(little: Engine, photo: Image.Image) -> None:
    def enough(done: int, total: int) -> None:
        raise Stopped

    before = little.render(order(photo), quiet)
    with pytest.raises(Stopped):
        little.render(order(photo), enough)
    assert little.render(order(photo), quiet).tobytes() == before.tobytes()


def test_no_gradient_is_ever_on(little: Engine, photo: Image.Image) -> None:
    seen: list[bool] = []
    little.render(order(photo), lambda done, total: seen.append(torch.is_grad_enabled()))
    assert seen == [False]
    parameters = little._painter.network.parameters()  # type: ignore[attr-defined]
    assert not any(parameter.requires_grad for parameter in parameters)


def test_the_reference_is_left_as_it_was(little: Engine, photo: Image.Image) -> None:
    before = photo.tobytes()
    little.render(order(photo, focus=()), quiet)
    assert photo.tobytes() == before


def test_it_chooses_the_sharp_reference(photo: Image.Image) -> None:
    blurred = photo.resize((64, 75)).resize(photo.size)
    assert framing.choose((blurred, photo), (FOCUS, FOCUS)) == 1
    assert framing.choose((photo, blurred), ()) == 0


def test_it_chooses_the_large_reference(photo: Image.Image) -> None:
    small = photo.resize((100, 117), Image.Resampling.LANCZOS)
    assert framing.choose((small, photo), ()) == 1


def test_the_frame_leaves_room_above_the_head(photo: Image.Image) -> None:
    wide = Image.new("RGB", (900, 900))
    wide.paste((255, 255, 255), (400, 400, 500, 520))
    focus = (400 / 900, 400 / 900, 500 / 900, 520 / 900)
    rows = np.asarray(framing.frame(wide, focus, (512, 640), 1).convert("L")).max(axis=1)
    face = np.flatnonzero(rows > 128)
    assert 0.10 < face[0] / 640 < 0.35
    assert 0.35 < len(face) / 640 < 0.55


def test_it_refuses_what_it_cannot_paint(engine: Engine, photo: Image.Image) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(photo, "no such style"), quiet)
    with pytest.raises(CannotPaint):
        engine.render(order(photo, size=(500, 500)), quiet)
    with pytest.raises(CannotPaint):
        engine.render(order(photo, references=(photo,) * 6, focus=()), quiet)


def test_a_picture_of_nan_is_no_picture(little: Any, photo: Image.Image) -> None:
    bias = little._loaded().network.conv_out.bias
    kept = bias.clone()
    bias.fill_(float("nan"))
    try:
        with pytest.raises(EngineError, match="not a picture"):
            little.render(order(photo), quiet)
    finally:
        bias.copy_(kept)
    assert little.render(order(photo), quiet).size == (512, 512)


def test_it_paints_nothing_before_it_is_loaded(photo: Image.Image) -> None:
    with pytest.raises(EngineError):
        create("pocket", WEIGHTS).render(order(photo), quiet)


def test_diffusers_alone_can_load_it_and_save_it_again(
    engine: Any, photo: Image.Image, tmp_path: Path
) -> None:
    kind: Any = PocketPipeline
    loaded = kind.from_pretrained(
        WEIGHTS,
        local_files_only=True,
        use_safetensors=True,
        low_cpu_mem_usage=False,
        dtype=torch.float32,
    )
    loaded.save_pretrained(tmp_path / "copy", safe_serialization=True)
    copy = kind.from_pretrained(
        tmp_path / "copy", local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
    )
    framed = framing.frame(photo, FOCUS, (512, 512), 5)
    sheet = canvas.prepare(pixels(framed), "comic", 5)
    kept = sheet.copy()
    for pipe in (loaded, copy):
        told: list[int] = []
        theirs = pipe(
            framed,
            sheet,
            "comic",
            2,
            torch.Generator().manual_seed(1),
            lambda _pipe, index, _t, _kwargs, told=told: told.append(index),
        ).images[0]
        shown = begin(pixels(framed), sheet.copy(), "comic")
        ours = engine._loaded().paint(
            shown, "comic", steps=2, chance=torch.Generator().manual_seed(1)
        )
        assert told == [0, 1]
        assert np.abs(pixels(ours) - pixels(theirs)).max() < 0.02
    assert np.array_equal(sheet, kept)
    with pytest.raises(ValueError, match="divide by 8"):
        loaded(framed.resize((508, 512)), sheet, "comic")


@pytest.mark.parametrize("steps", [1, 3])
def test_what_was_painted_from_is_gone_behind_it(
    steps: int, engine: Any, photo: Image.Image
) -> None:
    """Of the last step, as soon as the network has looked: its layers take the place."""
    framed = framing.frame(photo, FOCUS, (512, 512), 5)
    shown = begin(pixels(framed), canvas.prepare(pixels(framed), "oil", 5), "oil")
    seen = list(shown)
    assert all(bool(tensor.any()) for tensor in seen)
    engine._loaded().paint(shown, "oil", steps=steps, chance=torch.Generator().manual_seed(1))
    assert shown == []
    assert not any(bool(tensor.any()) for tensor in seen)


def test_the_pictures_are_let_go_before_the_layers_are_made(
    engine: Any, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed = framing.frame(photo, FOCUS, (512, 512), 5)
    shown = begin(pixels(framed), canvas.prepare(pixels(framed), "oil", 5), "oil")
    watched = [weakref.ref(tensor.untyped_storage()) for tensor in shown]
    left: list[int] = []
    block = strips._Walk.block

    def look(self: Any, layer: Any, seen: Any) -> Any:
        left.append(sum(each() is not None for each in watched))
        return block(self, layer, seen)

    monkeypatch.setattr(strips._Walk, "block", look)
    engine._loaded().paint(shown, "oil")
    assert left
    assert set(left) == {0}
