"""The costs that decide turns are what the networks take, and follow the real time."""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image

from deploy.models import costs as counting
from portraits import costs
from portraits.recipes import Recipe
from tests.engines.counted import engine_of
from workers.engines import base, flux2_klein, real_esrgan, sitting, strips
from workers.engines import sizes as painted
from workers.engines.base import Engine, Order, Task
from workers.engines.pocket import SIZES, STEPS

RECIPE = Recipe("studio", 576, 768, references=5)


def test_the_table_holds_what_is_counted_now() -> None:
    table = json.loads(costs.FILE.read_text())["engines"]["pocket"]
    with torch.device("meta"):
        assert counting.entry(engine_of("pocket")) == table


def test_a_picture_in_strips_takes_what_it_takes_in_one_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strips, "AT_ONCE", 6 * 48)

    def in_strips(call: Callable[[], Any]) -> float:
        return counting.counted(call)

    with torch.device("meta"):
        whole, cut = (
            counting.pocket(meter).step((96, 128), []) for meter in (counting.counted, in_strips)
        )
    assert cut == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("name", ["flux2-klein", "z-image", "qwen-edit"])
def test_a_count_is_what_is_known_of_the_published_model(name: str) -> None:
    engine = engine_of(name)
    assert engine.known
    with torch.device("meta"):
        assert counting.strays(engine) <= counting.STRAY


@pytest.mark.parametrize("name", [name for name in base.REGISTRY if name in counting.ENGINES])
def test_every_size_is_in_the_table_with_as_many_photos_as_the_engine_is_shown(name: str) -> None:
    entry = json.loads(costs.FILE.read_text())["engines"][name]
    engine = engine_of(name)
    larger = painted.ENLARGED if engine.larger else ()
    sizes = {f"{width}x{height}" for width, height in (*engine.sizes, *larger)}
    assert set(entry["sizes"]) == sizes
    for counted in entry["sizes"].values():
        assert len(counted["step"]) == len(counted["rest"]) == engine.references + 1


def test_no_engine_is_left_to_the_rule_of_thumb() -> None:
    assert set(counting.ENGINES) == set(base.REGISTRY)
    assert set(json.loads(costs.FILE.read_text())["engines"]) == set(base.REGISTRY)


def test_klein_is_counted_with_four_photos_of_the_shape_that_it_is_shown() -> None:
    table = json.loads(costs.FILE.read_text())["engines"]["flux2-klein"]["sizes"]["576x768"]
    engine = engine_of("flux2-klein")
    with torch.device("meta"):
        step = engine.step((576, 768), [sitting.SHAPE] * flux2_klein.SHOWN)
    assert table["step"][4] == pytest.approx(step, abs=1e-4)
    four, five = (costs.cost("flux2-klein", RECIPE, photos) for photos in (4, 5))
    assert five == four > costs.cost("flux2-klein", RECIPE, 3), "The fifth photo is not shown."


def test_qwen_edit_is_counted_with_photos_as_its_pipeline_enlarges_them() -> None:
    ratio = sitting.SHAPE[0] / sitting.SHAPE[1]
    library: Any = pipeline_qwenimage_edit_plus
    assert tuple(map(int, library.calculate_dimensions(1024 * 1024, ratio))) == counting.ENLARGED


def test_tiles_are_counted_with_what_they_see_of_each_other() -> None:
    with torch.device("meta"):
        engine = counting.enlarger()
        network = real_esrgan.Enlarger()
        one = counting.counted(lambda: network(torch.empty(1, 3, 288, 288)))
        four = engine.step((4 * 512, 4 * 512), [])
    assert four == pytest.approx(4 * one)


def test_pockets_own_enlarging_is_counted_whole_whatever_its_steps() -> None:
    entry = json.loads(costs.FILE.read_text())["engines"]["pocket"]
    large = Recipe("s", 2048, 2048)
    # 512 pixels in sixteen tiles; a fifth of a million operations' pairs for each pixel.
    assert costs.cost("pocket", large, 0) == pytest.approx(0.1, rel=0.2)
    once = entry["sizes"]["2048x2048"]["step"][0]
    assert costs.cost("pocket", large, 0) == STEPS * once
    assert costs.cost("real-esrgan", large, 0) > 50 * costs.cost("pocket", large, 0)


def test_a_count_that_strays_is_noticed() -> None:
    engine = counting.Engine(1, 0, lambda *_: 50.0, lambda _: 0.0, lambda _: 0.0, ((0, 40.0),))
    assert counting.strays(engine) == pytest.approx(0.25)


def test_a_product_of_matrices_counts_two_operations_an_element_pair() -> None:
    with torch.device("meta"):
        left, right = torch.empty(1000, 2000), torch.empty(2000, 500)
        assert counting.counted(lambda: left @ right) == pytest.approx(2 * 1000 * 2000 * 500 / 1e12)


def test_the_cost_of_a_size_is_in_proportion_to_the_time_it_takes(pocket: Engine) -> None:
    photo = Image.effect_noise((600, 600), 60).convert("RGB")
    small, large = SIZES[0], SIZES[-1]

    def seconds(size: tuple[int, int]) -> float:
        order = Order(Task.IDENTITY, "pencil", *size, seed=1, references=(photo,))
        # Of the processor: what else runs takes its turns in the middle of a picture.
        started = time.process_time()
        assert pocket.render(order, lambda *_: None).size == size
        return time.process_time() - started

    seconds(small)
    took = {small: statistics.median(seconds(small) for _ in range(3)), large: seconds(large)}
    cost = {size: costs.cost("pocket", Recipe("pencil", *size), 1) for size in (small, large)}
    # Canvas and finish are not in the table.
    assert 0.5 <= (took[large] / took[small]) / (cost[large] / cost[small]) <= 2
