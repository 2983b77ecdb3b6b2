"""The simulations of `make bench SUITE=sched`, at a size for every run: the goals of R4 and R5."""

import statistics

from tests.bench.report import p95
from tests.bench.sched.simulation import (
    Asked,
    Fair,
    Fifo,
    Line,
    Oldest,
    PrioritySteps,
    Staying,
    jain,
    models,
    newcomers,
    one_with_many,
    paint,
    shares,
    swap,
)

SEEDS = range(1, 6)
SWAP = 10.0


def waits(kind: type[Line]) -> list[float]:
    """Of the people with one portrait each, over all seeds."""
    runs = [paint(kind(), one_with_many(seed), ahead=1) for seed in SEEDS]
    return [each.wait for run in runs for each in run if each.asked.person != "many"]


def test_single_portraits_wait_for_three_and_not_for_two_hundred() -> None:
    fair, fifo = p95(waits(Fair)), p95(waits(Fifo))
    assert fair <= 3
    assert fifo / fair >= 20


def test_each_gets_what_they_are_due() -> None:
    index = [
        jain(list(shares(paint(Fair(), one_with_many(seed), ahead=1)).values())) for seed in SEEDS
    ]
    assert statistics.median(index) >= 0.95


def test_nothing_idles_for_the_sake_of_fairness() -> None:
    for seed in SEEDS:
        ended = {kind: paint(kind(), one_with_many(seed))[-1].ended for kind in (Fair, Fifo)}
        assert abs(ended[Fair] - ended[Fifo]) < 1e-6


def test_a_stream_of_newcomers_leaves_something_to_who_was_there_before() -> None:
    def served(kind: type[Line]) -> int:
        run = paint(kind(), newcomers(1), ahead=1)[:300]
        return sum(each.asked.person == "many" for each in run)

    assert served(Fair) >= 10
    assert served(PrioritySteps) < served(Fair) / 3


def test_everything_asked_for_is_painted_once() -> None:
    trace = one_with_many(1)
    for kind in (Fair, Fifo, PrioritySteps):
        painted = [id(each.asked) for each in paint(kind(), trace, ahead=2)]
        assert sorted(painted) == sorted(map(id, trace))


def test_few_swaps_and_nothing_passed_over_for_long() -> None:
    for seed in SEEDS:
        trace = models(seed, rate=0.5)
        ours, fifo = swap(Staying(SWAP), trace, SWAP), swap(Oldest(), trace, SWAP)
        assert set(ours.waits) == set(range(len(trace)))
        assert ours.swaps <= fifo.swaps / 4
        assert ours.ended <= 0.6 * fifo.ended


def test_jains_index_tells_equal_from_all_to_one() -> None:
    assert jain([2.0, 2.0, 2.0]) == 1
    assert jain([6.0, 0.0, 0.0]) == 1 / 3


def test_a_share_of_one_is_half_of_the_worker_while_two_wait() -> None:
    painted = paint(Fifo(), [Asked(0.0, "a"), Asked(0.0, "b"), Asked(0.0, "a"), Asked(0.0, "b")])
    # "a" is there for three of four, "b" for all: due 1.5 and 2.5, got 2 each.
    assert shares(painted) == {"a": 2 / 1.5, "b": 2 / 2.5}
