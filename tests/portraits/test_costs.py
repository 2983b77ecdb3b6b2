"""What a portrait costs: from the counted table where there is one, else by a stated rule."""

import json

import pytest

from portraits import costs
from portraits.recipes import Recipe

COUNTED = ("pocket", "flux2-klein", "z-image", "qwen-edit")


def test_every_engine_of_the_table_says_what_each_size_costs() -> None:
    table = json.loads(costs.FILE.read_text())
    assert table["unit"] == "TFLOP"
    # The last one enlarges: its sizes are fourfold, and no order of a portrait names them.
    assert set(table["engines"]) == {*COUNTED, "real-esrgan"}
    for entry in table["engines"].values():
        assert entry["steps"] > 0
        for counted in entry["sizes"].values():
            assert len(counted["step"]) == len(counted["rest"])
            assert all(step > 0 for step in counted["step"])
            assert counted["step"] == sorted(counted["step"])


@pytest.mark.parametrize("engine", COUNTED)
def test_steps_cost_in_proportion_and_the_rest_once(engine: str) -> None:
    two, four, six = (
        costs.cost(engine, Recipe("s", 1024, 1024, steps=steps), 1) for steps in (2, 4, 6)
    )
    assert six - four == pytest.approx(four - two)
    assert two <= four / 1.2


def test_without_a_number_of_steps_the_engines_own_counts() -> None:
    stated = costs.cost("flux2-klein", Recipe("s", 512, 512, steps=4), 1)
    assert costs.cost("flux2-klein", Recipe("s", 512, 512), 1) == stated


def test_a_portrait_from_photos_costs_more_than_one_from_words() -> None:
    words = costs.cost("flux2-klein", Recipe("s", 1024, 1024), 0)
    photo = costs.cost("flux2-klein", Recipe("s", 1024, 1024), 1)
    # A photo is read at 576 x 768, less than half of what is painted.
    assert 1.3 < photo / words < 2


def test_photos_that_the_style_or_the_engine_does_not_read_cost_nothing() -> None:
    two = Recipe("s", 1024, 1024, references=2)
    assert costs.cost("flux2-klein", two, 5) == costs.cost("flux2-klein", two, 2)
    assert costs.cost("pocket", Recipe("s"), 5) == costs.cost("pocket", Recipe("s"), 1)
    assert costs.cost("flux2-klein", Recipe("s", 1024, 1024), 9) == costs.cost(
        "flux2-klein", Recipe("s", 1024, 1024), 5
    )


def test_an_engine_that_nobody_has_counted_costs_by_pixels_steps_and_photos() -> None:
    one = costs.cost("somebody:Engine", Recipe("s", 1000, 1000, steps=1), 0)
    assert one == costs.TFLOP_A_MEGAPIXEL
    assert costs.cost("somebody:Engine", Recipe("s", 1000, 1000, steps=8), 0) == 8 * one
    assert costs.cost("somebody:Engine", Recipe("s", 2000, 1000, steps=1), 1) == 4 * one
    assert costs.cost("somebody:Engine", Recipe("s", 1000, 1000), 0) == costs.STEPS * one


def test_so_does_a_size_that_nobody_has_counted() -> None:
    assert costs.cost("flux2-klein", Recipe("s", 1000, 1000, steps=1), 0) == 33.0


def test_the_rule_comes_near_the_counts() -> None:
    """So that an engine nobody has counted gets about its share beside one that was."""
    counted = costs.cost("flux2-klein", Recipe("s", 1024, 1024), 1)
    assert 0.5 < costs.cost("unheard-of", Recipe("s", 1024, 1024), 1) / counted < 2
