"""The simulation is held against the embedded stack, and says by how much it is off."""

import math
from typing import Any

import pytest

from deploy.capacity import calibration, cli, live
from deploy.capacity.calibration import Told
from deploy.capacity.live import Item, Render
from deploy.capacity.painter import Timings

TIMINGS = Timings(0.02, 0.0, 0.15, 0.0, 0.0)


def test_a_short_calibration_measures_simulates_and_keeps_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    less = {"SINGLES": 3, "IDLE": 2.0, "LENGTH": 12.0, "RUSH": (4.0, 6.0, 3.0)}
    for name, value in less.items():
        monkeypatch.setattr(calibration, name, value)
    kept = calibration.calibrate()
    assert set(kept["error"]) == {"throughput", "p50", "p95"}
    assert all(math.isfinite(off) for off in kept["error"].values())
    # So short a run says little of waits; portraits a second are bound by the workers.
    assert abs(kept["error"]["throughput"]) < 0.3
    assert len(kept["items"]) == sum(count for _, count in kept["orders"])
    assert kept["costs"]["database processor"] > 0
    assert kept["costs"]["blob rows"] == 3
    assert kept["costs"]["audit rows"] > 3
    assert kept["costs"]["bytes"] > 10_000


def items_of(orders: list[tuple[float, int]]) -> list[Item]:
    return [
        Item(f"job {number}", 1000 + at, 1000 + at, 1000 + at + 1, "done")
        for number, (at, count) in enumerate(orders)
        for _ in range(count)
    ]


def test_the_same_orders_are_simulated_that_came() -> None:
    load = [(0.0, 2), (0.5, 12), (3.0, 1)]
    assert calibration.orders_of(items_of(load)) == load
    found = calibration.replay(items_of(load), [0.5] * 15, TIMINGS).told
    # Fifteen portraits of half a second by two workers.
    assert found.throughput == pytest.approx(15 / 4.15, rel=0.15)
    assert 0 < found.p50 < found.p95


def test_what_a_picture_takes_is_until_the_next_where_that_was_ready() -> None:
    renders = [
        Render(0.0, 1.0, "a"),
        Render(0.5, 1.5, "b"),
        Render(1.02, 2.0, "a"),
        Render(5.0, 6.0, "a"),
    ]
    took, handover = calibration.services(renders)
    assert handover == pytest.approx(0.02)
    # The first until the second; the others as long as they took, and as long in between.
    assert took == pytest.approx([1.02, 1.02, 1.0, 1.02])


def test_the_error_is_a_part_of_what_was_measured() -> None:
    off = calibration.errors(Told(4.0, 1.0, 2.0), Told(5.0, 0.5, 2.0))
    assert off == {"throughput": 0.25, "p50": -0.5, "p95": 0.0}


def test_the_load_is_what_it_says_and_has_a_rush() -> None:
    load = calibration.load(1)
    assert load == calibration.load(1)
    begin, end, _ = calibration.RUSH
    portraits = sum(count for _, count in load)
    within = sum(count for at, count in load if begin <= at < end)
    offered = portraits / calibration.LENGTH * calibration.SECONDS / live.WORKERS
    assert 0.5 < offered < 0.9
    assert within / (end - begin) > 1.5 * portraits / calibration.LENGTH


def test_a_stack_that_does_not_start_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SITTER_PRODUCTION", "true")
    assert cli.main(["--calibrate"]) == 1
    assert "production" in capsys.readouterr().err
