"""The costs that decide turns are what the networks take, and follow the real time."""

import json
import statistics
import time

import pytest
import torch
from PIL import Image

from deploy.env import ROOT
from deploy.models import costs as counting
from portraits import costs
from portraits.recipes import Recipe
from workers.engines.base import Order, Task
from workers.engines.pocket import SIZES, PocketEngine


def test_the_table_holds_what_is_counted_now() -> None:
    table = json.loads(costs.FILE.read_text())["engines"]["pocket"]
    with torch.device("meta"):
        assert counting.entry(counting.pocket()) == table


@pytest.mark.parametrize("name", ["flux2-klein", "z-image", "qwen-edit"])
def test_a_count_is_what_is_known_of_the_published_model(name: str) -> None:
    with torch.device("meta"):
        engine = counting.ENGINES[name]()
        assert engine.known
        assert counting.strays(engine) <= counting.STRAY


def test_a_count_that_strays_is_noticed() -> None:
    engine = counting.Engine(1, 0, lambda *_: 50.0, lambda _: 0.0, lambda _: 0.0, ((0, 40.0),))
    assert counting.strays(engine) == pytest.approx(0.25)


def test_a_product_of_matrices_counts_two_operations_an_element_pair() -> None:
    with torch.device("meta"):
        left, right = torch.empty(1000, 2000), torch.empty(2000, 500)
        assert counting.counted(lambda: left @ right) == pytest.approx(2 * 1000 * 2000 * 500 / 1e12)


def test_the_cost_of_a_size_is_in_proportion_to_the_time_it_takes() -> None:
    engine = PocketEngine(ROOT / "workers" / "weights" / "pocket")
    engine.load()
    photo = Image.effect_noise((600, 600), 60).convert("RGB")
    small, large = SIZES[0], SIZES[-1]

    def seconds(size: tuple[int, int]) -> float:
        order = Order(Task.IDENTITY, "pencil", *size, seed=1, references=(photo,))
        started = time.perf_counter()
        engine.render(order, lambda *_: None)
        return time.perf_counter() - started

    seconds(small)
    took = {small: statistics.median(seconds(small) for _ in range(3)), large: seconds(large)}
    cost = {size: costs.cost("pocket", Recipe("pencil", *size), 1) for size in (small, large)}
    # Canvas and finish are not in the table, and the machine has other things to do.
    assert 0.5 <= (took[large] / took[small]) / (cost[large] / cost[small]) <= 2
