"""A simulated day adds up: nothing is lost, time is accounted for, more workers help."""

import statistics
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.capacity import rules, scaling
from deploy.capacity.outcome import Outcome, percentile
from tests.capacity import days

ENDS = ("done", "failed", "blocked", "refused")


def accounted(day: Outcome) -> int:
    return sum(day.counts[how] for how in ENDS) + day.waiting


# What may befall a fleet; each alone and all together.
FATES: list[dict[str, Any]] = [
    {},
    {"deaths": 600.0},
    {"queue_limit": 20},
    {"scaling": scaling.Rules(threshold=20.0, least=1, most=6, cooldown=120.0)},
    {"deaths": 900.0, "scaling": scaling.Rules(threshold=20.0, least=1, most=6, cooldown=120.0)},
]


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: " and ".join(fate) or "nothing")
def test_what_was_asked_for_is_done_or_failed_or_refused_and_nothing_is_left(
    fate: dict[str, Any],
) -> None:
    ordered = days.mix(failing=0.2, held_back=0.2)
    day = days.run(3, portraits=50_000, ordered=ordered, **fate)
    assert day.counts["asked"] > 1000
    assert day.waiting == 0
    assert accounted(day) == day.counts["asked"]
    # Each of these has happened.
    assert min(day.counts[how] for how in ("done", "failed", "blocked", "retries")) > 0
    assert (day.counts["refused"] > 0) == ("queue_limit" in fate)
    assert (day.counts["lost leases"] > 0) == ("deaths" in fate)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    workers=st.integers(1, 5),
    portraits=st.integers(500, 60_000),
    minutes=st.integers(1, 70),
)
def test_at_any_moment_what_is_not_ended_waits(
    seed: int, workers: int, portraits: int, minutes: int
) -> None:
    until = days.BEGIN + 60 * minutes
    day = days.run(workers, portraits=portraits, seed=seed, until=until)
    assert day.waiting >= 0
    assert accounted(day) == day.counts["asked"]
    taken = sum(len(waits) for waits in day.waits.values())
    assert taken == sum(day.counts[how] for how in ("done", "failed", "blocked"))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), workers=st.integers(1, 4), portraits=st.integers(500, 60_000))
def test_what_is_open_on_the_average_is_the_rate_times_how_long_it_is_open(
    seed: int, workers: int, portraits: int
) -> None:
    day = days.run(workers, portraits=portraits, seed=seed)
    spans = [span for lane in day.spans.values() for span in lane]
    assert day.open_area == pytest.approx(sum(spans), rel=1e-6)
    assert day.mean_span == pytest.approx(statistics.fmean(spans))


def test_gpus_paint_as_long_as_their_pictures_take_and_no_longer() -> None:
    ordered = days.mix(spread=0.0, failing=0.0, held_back=0.0)
    day = days.run(4, ordered=ordered)
    painted = sum(cell.busy for cell in day.cells.values())
    assert painted == pytest.approx(day.counts["done"] * 1.0)
    running = sum(cell.running for cell in day.cells.values())
    assert running == pytest.approx(4 * (day.ended_at - days.BEGIN))


@pytest.mark.parametrize("seed", range(1, 6))
def test_more_workers_never_make_anybody_wait_longer(seed: int) -> None:
    p95s = []
    for workers in (2, 3, 4, 6, 9):
        day = days.run(workers, portraits=140_000, seed=seed)
        p95s.append(percentile(day.whole["interactive"], 0.95))
    for fewer, more in pairwise(p95s):
        # A nudge may meet another worker, so a resting one may look up to five seconds later.
        assert more <= fewer * 1.05 + 0.2, p95s
    assert p95s[-1] < p95s[0] / 3


def test_the_same_seed_is_the_same_day_and_another_is_not() -> None:
    def told(seed: int) -> list[Any]:
        fate: dict[str, Any] = {"deaths": 900.0, "scaling": scaling.Rules(20.0, 1, 6, 120.0)}
        day = days.run(2, seed=seed, ordered=days.mix(days.TWO), loaded=1, **fate)
        return [dict(day.counts), list(day.spans["interactive"]), day.gpu_hours]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_two_fleets_are_given_the_same_day() -> None:
    few, many = days.run(2), days.run(5)
    assert few.counts["asked"] == many.counts["asked"]
    before, after = (
        [cell.asked for _, cell in sorted(day.cells.items()) if cell.asked] for day in (few, many)
    )
    assert before == after


def test_a_pack_waits_and_single_portraits_do_not_wait_for_it() -> None:
    ordered = days.mix(packs=0.2, pack=40)
    day = days.run(3, portraits=50_000, ordered=ordered)
    assert percentile(day.whole["interactive"], 0.5) * 4 < percentile(day.whole["pack"], 0.5)


def test_a_dead_workers_portraits_are_painted_by_others_once_their_leases_are_over() -> None:
    calm = days.run(4, portraits=20_000)
    deadly = days.run(4, portraits=20_000, deaths=200.0)
    assert deadly.counts["lost leases"] > 10
    assert deadly.counts["done"] + deadly.counts["failed"] >= calm.counts["done"]
    longest = max(deadly.waits["interactive"])
    assert longest < rules.HELD_FOR + days.TIMINGS.start + 30


def test_workers_that_hold_one_of_two_engines_swap_and_lose_time_by_it() -> None:
    ordered = days.mix(days.TWO)
    both = days.run(4, portraits=40_000, ordered=ordered)
    one = days.run(4, portraits=40_000, ordered=ordered, loaded=1)
    assert one.counts["done"] == both.counts["done"]
    assert percentile(one.spans["interactive"], 0.95) > percentile(both.spans["interactive"], 0.95)
    # They stay with what they have, so that most portraits cost no swap.
    lost = one.mean_span - both.mean_span
    assert lost < days.TIMINGS.swap * 2


def test_a_message_that_meets_a_busy_worker_costs_a_resting_one_five_seconds_at_most() -> None:
    day = days.run(6, portraits=3_000, ordered=days.mix(packs=0.0, failing=0.0, held_back=0.0))
    assert max(day.waits["interactive"]) < rules.LOOK_EVERY + 4


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.95) == 95.0
    assert percentile(values, 0.5) == 50.0
    assert percentile([3.0], 0.95) == 3.0
    assert str(percentile([], 0.5)) == "nan"


def test_what_chance_decides_is_decided_before_it_runs() -> None:
    def drawn() -> list[tuple[float, str, list[tuple[float, int]]]]:
        return [
            (order.asked, order.lane, [(piece.seconds, piece.fails) for piece in order.pieces])
            for order in days.coming(days.mix(), 5_000, 7)
        ]

    assert drawn() == drawn()
