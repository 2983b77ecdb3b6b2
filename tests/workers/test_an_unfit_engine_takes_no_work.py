"""Before anybody's photo comes in, an engine paints nobody; what is no picture ends the worker."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from portraits.models import Painter
from tests.passthrough import PassthroughEngine
from tests.workers.painting import Model, ordered, picture, state, words_only
from workers import fitness
from workers.engines import base

FLAT = "tests.workers.slow:FlatEngine"


class Bad(Model):
    """It paints what it is told to."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        if isinstance(self.made, Exception):
            raise self.made
        assert isinstance(self.made, Image.Image)
        return self.made


def test_an_engine_that_paints_is_fit() -> None:
    engine = Model()
    fitness.try_out(engine)
    (asked,) = engine.asked
    assert (asked.width, asked.height, asked.steps, len(asked.references)) == (512, 512, 1, 1)


def test_an_engine_that_gives_back_its_reference_is_fit() -> None:
    fitness.try_out(PassthroughEngine(Path()))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Image.new("RGB", (512, 512)), "flat"),
        (Image.new("RGB", (512, 512), (200, 10, 90)), "flat"),
        (picture(256, 256), "size"),
        (ValueError("of the engine"), "ValueError"),
    ],
)
def test_what_is_no_picture_is_unfit_and_the_reason_is_said(made: Any, said: str) -> None:
    with pytest.raises(base.Unfit, match=said) as caught:
        fitness.try_out(Bad(made))
    assert "of the engine" not in str(caught.value)


def test_an_engine_that_takes_for_ever_is_unfit() -> None:
    began = time.monotonic()
    with pytest.raises(base.Unfit, match="within"):
        fitness.try_out(Model(pause=1, steps=3), limit=0.2)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("task", list(base.Task))
def test_each_sort_of_engine_is_asked_for_what_it_can_do(task: base.Task) -> None:
    can = base.Capabilities(
        "one", frozenset({task}), frozenset({"b", "a"}), ((64, 96), (32, 32)), 1, "MIT", ""
    )
    (order,) = fitness.orders(can)
    base.check(order, can)
    assert (order.style, order.width) == ("a", 32)


def test_an_engine_that_paints_and_cannot_enlarge_is_unfit() -> None:
    class Half(Bad):
        def describe(self) -> base.Capabilities:
            both = frozenset({base.Task.TEXT, base.Task.UPSCALE})
            return replace(super().describe(), tasks=both, enlarged=((1024, 1024), (256, 256)))

        def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
            if order.task is base.Task.TEXT:
                return picture(order.width, order.height)
            assert order.source is not None
            assert (order.width, order.source.width) == (256, 64)
            return super().render(order, on_step)

    fitness.try_out(Half(picture(256, 256)))
    with pytest.raises(base.Unfit, match="flat"):
        fitness.try_out(Half(Image.new("RGB", (256, 256))))


def test_a_worker_says_so_and_ends_without_taking_work(worker: Any) -> None:
    job = ordered(words_only(FLAT))
    process = worker(ENGINES=json.dumps([FLAT]))
    assert process.ended(60) == 1
    assert "flat colour" in process.log.read_text()
    assert Painter.objects.get(engine=FLAT).state == Painter.State.UNFIT
    assert state(job)[0] == "queued"
