"""A worker stays with the engine it has in memory for a while, and never for too long.

With FULL=1 four hundred queues are made up, otherwise a hundred.
"""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from portraits.scheduling import PATIENCE_IN_SWAPS, Affinity

SWAP = 10.0
QUEUES = 400 if os.environ.get("FULL") else 100


def painted(
    affinity: Affinity, waiting: set[str], loaded: set[str], at: float, cost: float = 1.0
) -> str:
    """It chooses and paints."""
    engine = affinity.choose(waiting, loaded, at)
    affinity.took(engine, cost, loaded, at)
    return engine


def test_it_stays_with_what_is_loaded() -> None:
    affinity = Affinity(SWAP)
    assert painted(affinity, {"a", "b"}, {"b"}, 0) == "b"


def test_it_loads_another_when_nothing_waits_for_what_is_loaded() -> None:
    affinity = Affinity(SWAP)
    assert painted(affinity, {"a"}, {"b"}, 0) == "a"


def test_it_gives_way_once_another_was_passed_over_for_long_enough() -> None:
    affinity = Affinity(SWAP)
    waiting, patience = {"a", "b"}, int(PATIENCE_IN_SWAPS * SWAP)
    assert {painted(affinity, waiting, {"a"}, at) for at in range(patience)} == {"a"}
    assert painted(affinity, waiting, {"a"}, patience) == "b"


def test_waiting_is_counted_from_when_work_came_not_from_when_the_worker_began() -> None:
    affinity = Affinity(SWAP)
    for at in range(100):
        assert painted(affinity, {"a"}, {"a"}, at) == "a"
    assert painted(affinity, {"a", "b"}, {"a"}, 100) == "a"
    assert painted(affinity, {"a", "b"}, {"a"}, 100 + PATIENCE_IN_SWAPS * SWAP) == "b"


def test_of_two_that_wait_the_one_that_waits_longer_is_loaded() -> None:
    affinity = Affinity(SWAP)
    painted(affinity, {"a", "c"}, {"a"}, 0)
    painted(affinity, {"a", "b", "c"}, {"a"}, 1)
    assert painted(affinity, {"a", "b", "c"}, {"a"}, SWAP) == "c"


def test_until_the_new_engine_is_in_memory_it_does_not_turn_back() -> None:
    affinity = Affinity(SWAP)
    painted(affinity, {"a", "b"}, {"a"}, 0)
    assert painted(affinity, {"b"}, {"a"}, 1) == "b"
    # Other threads of the worker ask while it loads, and even long after.
    assert painted(affinity, {"a", "b"}, {"a"}, 2) == "b"
    assert painted(affinity, {"a", "b"}, {"a"}, 500) == "b"
    assert painted(affinity, {"a", "b"}, {"b"}, 501) == "b"


def test_an_engine_that_could_not_be_loaded_is_not_waited_for() -> None:
    affinity = Affinity(SWAP)
    assert painted(affinity, {"broken"}, {"a"}, 0) == "broken"
    # The worker serves it no longer; it stays with what it has, as before.
    assert painted(affinity, {"b", "z"}, {"z"}, 1) == "z"
    assert painted(affinity, {"b", "z"}, {"z"}, 2) == "z"


def test_the_swap_itself_is_not_held_against_the_engine_that_was_loaded() -> None:
    affinity = Affinity(SWAP)
    painted(affinity, {"b", "a"}, {"c"}, 0)
    affinity.choose({"a", "b"}, {"c"}, 0)
    loaded = {painted(affinity, {"a", "b"}, {"c"}, 1)}
    other = ({"a", "b"} - loaded).pop()
    # It took very long; still the new one is not left after a single portrait.
    settled = 1000
    for at in range(settled, settled + int(PATIENCE_IN_SWAPS * SWAP)):
        assert painted(affinity, {"a", "b"}, loaded, at) in loaded
    later = settled + PATIENCE_IN_SWAPS * SWAP
    assert painted(affinity, {"a", "b"}, loaded, later) == other


def test_engines_that_are_all_in_memory_share_by_cost() -> None:
    affinity = Affinity(SWAP)
    served = {"dear": 0, "cheap": 0}
    for at in range(110):
        engine = affinity.choose(served, None, at)
        served[engine] += 1
        affinity.took(engine, {"dear": 10.0, "cheap": 1.0}[engine], None, at)
    assert served == {"dear": 10, "cheap": 100}


def test_an_engine_that_idled_has_saved_nothing_up() -> None:
    affinity = Affinity(SWAP)
    for at in range(50):
        affinity.took("busy", 1.0, None, at)
    served = []
    for at in range(10):
        engine = affinity.choose({"busy", "back"}, None, 50 + at)
        affinity.took(engine, 1.0, None, 50 + at)
        served.append(engine)
    # Every other one, and one more because it comes first.
    assert served.count("back") == 6


def test_it_learns_how_long_a_swap_takes() -> None:
    affinity = Affinity(SWAP)
    for _ in range(20):
        affinity.swapped(1.0)
    assert 1.0 <= affinity.swap_seconds < 1.001


@settings(max_examples=QUEUES, deadline=None)
@given(
    names=st.integers(2, 6),
    comings=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300)), max_size=200),
)
def test_nothing_is_passed_over_for_longer_than_it_may_be(
    names: int, comings: list[tuple[int, int]]
) -> None:
    """While its head waits, the others together paint for the patience and a few portraits."""
    affinity = Affinity(SWAP)
    waiting = [0] * names
    pending = sorted((at, which % names) for which, at in comings)
    clock, loaded = 0.0, {"0"}
    painting_while: dict[int, float] = {}
    while pending or any(waiting):
        while pending and pending[0][0] <= clock:
            waiting[pending.pop(0)[1]] += 1
        some = {str(which) for which in range(names) if waiting[which]}
        if not some:
            clock = pending[0][0]
            continue
        painting_while = {which: painting_while.get(which, 0.0) for which in map(int, some)}
        engine = painted(affinity, some, loaded, clock)
        if engine not in loaded:
            clock += SWAP
            loaded = {engine}
        clock += 1
        waiting[int(engine)] -= 1
        for which in painting_while:
            painting_while[which] += 1
        painting_while[int(engine)] = 0.0
        # Each stay ends with what it has begun, and one may begin in the middle of another's.
        assert max(painting_while.values()) <= PATIENCE_IN_SWAPS * SWAP + 2 * names
