"""The pocket engine paints from choices and from portraits: what was chosen shows, masks hold."""

import itertools
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from deploy.env import ROOT  # noqa: E402
from portraits.prompts import CHOICES, Prompt  # noqa: E402
from workers.engines import figure  # noqa: E402
from workers.engines.base import CannotPaint, Engine, Order, Stopped, Task  # noqa: E402
from workers.engines.pocket import FEATHER, SIZES  # noqa: E402
from workers.faces import Faces  # noqa: E402

# Twice the time that two quiet cores are allowed for a portrait of 512 pixels.
SECONDS = 12.0
SMALL = (96, 120)
SHAPES = ((512, 512), (576, 1024), (1024, 576))


@pytest.fixture(scope="module")
def engine(pocket: Engine) -> Engine:
    return pocket


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    photo = Image.open(ROOT / "tests" / "photos" / "grace_hopper.jpg").convert("RGB")
    return ImageOps.fit(photo, (512, 640))


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


def asked(task: Task, style: str = "pastel", **changes: Any) -> Order:
    width, height = changes.pop("size", (512, 640))
    return Order(task, style, width, height, changes.pop("seed", 5), **changes)


def drawn(choices: dict[str, str], seed: int = 3) -> np.ndarray[Any, np.dtype[np.float32]]:
    look = figure.chosen(dict(Prompt.of(choices).choices), seed)
    return np.asarray(figure.draw(look, SMALL), dtype=np.float32)


def test_every_choice_is_seen() -> None:
    plain = drawn({})
    assert np.array_equal(plain, np.asarray(figure.draw(figure.chosen({}, 3), SMALL)))
    for name, values in CHOICES.items():
        made = {value: drawn({name: value}) for value in values}
        for first, second in itertools.combinations(values, 2):
            apart = np.abs(made[first] - made[second])
            assert (apart.max(axis=2) > 12).mean() > 0.002, f"{name}: {first} looks like {second}"


def test_a_seed_is_another_person_of_the_same_description() -> None:
    assert np.array_equal(drawn({}, 1), drawn({}, 1))
    assert np.abs(drawn({}, 1) - drawn({}, 2)).mean() > 1.0


def test_skins_stand_in_their_order_from_light_to_dark() -> None:
    height, width = SMALL[1], SMALL[0]
    cheek = (
        slice(int(height * 0.45), int(height * 0.52)),
        slice(int(width * 0.40), int(width * 0.6)),
    )
    order = ("very_light", "light", "medium", "tan", "brown", "dark")
    tones = [float(drawn({"skin": skin})[cheek].mean()) for skin in order]
    assert tones == sorted(tones, reverse=True)
    assert min(first - second for first, second in itertools.pairwise(tones)) > 5


@pytest.mark.slow
def test_a_portrait_from_choices_shows_a_face_in_every_shape(engine: Engine) -> None:
    faces = Faces()
    faces.load()
    assert set(SHAPES) <= set(SIZES)
    choices = Prompt.of({"subject": "woman", "hair": "long", "expression": "smile"}).choices
    for size in SHAPES:
        began = time.perf_counter()
        made = engine.render(asked(Task.TEXT, size=size, choices=choices), quiet)
        spent = time.perf_counter() - began
        assert made.size == size
        assert size != SHAPES[0] or spent < SECONDS
        made.thumbnail((512, 512))
        assert len(faces.find(made, 0.08 * max(made.size), 0.8)), size


def test_a_portrait_in_another_style_is_of_its_shape_and_keeps_its_source(
    engine: Engine, portrait: Image.Image
) -> None:
    before = portrait.copy()
    made, again = (engine.render(asked(Task.EDIT, source=portrait), quiet) for _ in range(2))
    other = engine.render(asked(Task.EDIT, "linocut", source=portrait), quiet)
    assert made.size == (512, 640)
    assert made.tobytes() == again.tobytes()
    assert np.abs(np.asarray(made, int) - np.asarray(other, int)).mean() > 10
    assert portrait.tobytes() == before.tobytes()


def test_a_mask_keeps_what_lies_outside_of_it(engine: Engine, portrait: Image.Image) -> None:
    mask = Image.new("L", portrait.size)
    ImageDraw.Draw(mask).rectangle((0, 0, 511, 200), fill=255)
    made = engine.render(asked(Task.EDIT, "linocut", source=portrait, mask=mask), quiet)
    edge = 200 + round(4 * FEATHER * 512)
    after, before = np.asarray(made, int), np.asarray(portrait, int)
    assert np.array_equal(after[edge:], before[edge:])
    assert np.abs(after[:180] - before[:180]).mean() > 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": Task.TEXT, "prompt": "a hat"},
        {"task": Task.EDIT, "prompt": "a hat", "source": Image.new("RGB", (512, 640))},
        {"task": Task.EDIT},
        {"task": Task.EDIT, "source": Image.new("RGB", (640, 512))},
        {"task": Task.EDIT, "source": Image.new("L", (512, 640))},
        {
            "task": Task.EDIT,
            "source": Image.new("RGB", (512, 640)),
            "mask": Image.new("L", (512, 512), 255),
        },
        {
            "task": Task.EDIT,
            "source": Image.new("RGB", (512, 640)),
            "mask": Image.new("L", (512, 640)),
        },
    ],
)
def test_what_makes_no_sense_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(asked(**wrong), quiet)


def test_it_stops_within_a_step(little: Engine) -> None:
    seen = []

    def enough(done: int, total: int) -> None:
        seen.append(done)
        raise Stopped

    with pytest.raises(Stopped):
        little.render(asked(Task.TEXT, size=(512, 512)), enough)
    assert seen == [1]
