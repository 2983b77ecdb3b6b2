"""Days as people come: each curve is a whole day, and what is drawn from it follows it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.capacity.shapes import CELL, DAY, HOUR, SHAPES

EACH = pytest.mark.parametrize("name", SHAPES)


@EACH
def test_a_curve_is_one_day(name: str) -> None:
    shape = SHAPES[name]
    assert shape.share(0, DAY) == pytest.approx(1)
    rates = [shape.rate(at * CELL) for at in range(int(DAY / CELL))]
    assert sum(rates) / len(rates) == pytest.approx(1)
    assert min(rates) > 0


@EACH
def test_what_is_drawn_follows_the_curve(name: str) -> None:
    shape = SHAPES[name]
    moments = list(shape.moments(40_000, random.Random(1)))
    assert moments == sorted(moments)
    assert len(moments) == pytest.approx(40_000, rel=0.03)
    begin, end = shape.busiest()
    seen = sum(begin <= at < end for at in moments) / len(moments)
    assert seen == pytest.approx(shape.share(begin, end), rel=0.05)


@given(begin=st.floats(0, DAY - HOUR), length=st.floats(60, HOUR))
def test_a_part_of_a_day_is_drawn_within_it(begin: float, length: float) -> None:
    end = begin + length
    for at in SHAPES["launch"].moments(20_000, random.Random(2), begin, end):
        assert begin - 1e-6 <= at <= end + 1e-6


def test_the_busiest_hour_is_after_dinner_and_that_of_a_launch_its_first() -> None:
    begin, _ = SHAPES["evening"].busiest()
    assert 19.5 * HOUR <= begin <= 21.5 * HOUR
    launch, _ = SHAPES["launch"].busiest()
    assert launch == 19 * HOUR


def test_three_regions_together_are_flatter_than_one() -> None:
    def peak(name: str) -> float:
        return SHAPES[name].share(*SHAPES[name].busiest()) * DAY / HOUR

    assert peak("flat") == pytest.approx(1)
    assert peak("flat") < peak("world") < peak("evening") < peak("launch")
