"""Turns: two people who keep a worker busy are served alike, and nobody waits for ever.

With FULL=1 three hundred queues are made up, otherwise seventy.
"""

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraits import scheduling
from portraits.scheduling import Open

LANES = st.sampled_from(sorted(scheduling.WEIGHTS))
COSTS = st.floats(0.01, 500)
QUEUES = 300 if os.environ.get("FULL") else 70


@dataclass
class Queue:
    """One engine's queue in memory, asked as the database's is."""

    waiting: list[tuple[float, int, str, float]] = field(default_factory=list)
    held: list[tuple[float, int, str, float]] = field(default_factory=list)
    lanes: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def enter(self, flow: str, costs: list[float]) -> None:
        serving = scheduling.now_serving(
            [row[0] for row in self.held], min((row[0] for row in self.waiting), default=None)
        )
        rows = [*self.waiting, *self.held]
        mine = [Open(turn, cost) for turn, _, who, cost in rows if who == flow]
        weight = scheduling.WEIGHTS[self.lanes[flow]]
        turns = scheduling.line_up(serving, mine, costs, weight=weight)
        for turn, cost in zip(turns, costs, strict=True):
            self.count += 1
            self.waiting.append((turn, self.count, flow, cost))

    def claim(self, workers: int) -> tuple[str, float] | None:
        """Take the smallest turn; the oldest of the held is done when all workers are busy."""
        if not self.waiting:
            return None
        if len(self.held) >= workers:
            self.held.pop(0)
        row = min(self.waiting)
        self.waiting.remove(row)
        self.held.append(row)
        return row[2], row[3]


@settings(max_examples=QUEUES, deadline=None)
@given(
    lanes=st.tuples(LANES, LANES),
    costs=st.tuples(st.lists(COSTS, min_size=5, max_size=40), st.lists(COSTS, min_size=5)),
    others=st.lists(st.tuples(st.integers(0, 60), LANES, st.lists(COSTS, max_size=6)), max_size=12),
    workers=st.integers(1, 4),
)
def test_two_who_both_wait_are_served_within_one_portrait_of_each(
    lanes: tuple[str, str],
    costs: tuple[list[float], list[float]],
    others: list[tuple[int, str, list[float]]],
    workers: int,
) -> None:
    queue = Queue(lanes=dict(zip("ab", lanes, strict=True)))
    for number, (_, lane, _) in enumerate(others):
        queue.lanes[f"other {number}"] = lane
    queue.enter("a", costs[0])
    queue.enter("b", costs[1])
    left = {"a": len(costs[0]), "b": len(costs[1])}
    served = {"a": 0.0, "b": 0.0}
    weight = {flow: scheduling.WEIGHTS[queue.lanes[flow]] for flow in "ab"}
    bound = sum(max(mine) * weight[flow] for flow, mine in zip("ab", costs, strict=True))
    # From any moment to any other, so the largest and the smallest lead are compared.
    lowest = highest = 0.0
    for step in range(sum(left.values()) + 72):
        for number, (at, _, more) in enumerate(others):
            if at == step:
                queue.enter(f"other {number}", more)
        taken = queue.claim(workers)
        if taken is None:
            break
        flow, cost = taken
        if flow in left:
            left[flow] -= 1
            served[flow] += cost * weight[flow]
            lead = served["a"] - served["b"]
            lowest, highest = min(lowest, lead), max(highest, lead)
            assert highest - lowest <= bound * (1 + 1e-9)
            if not left[flow]:
                break


@pytest.mark.parametrize("each", [1, 2, 3])
def test_a_stream_of_newcomers_keeps_nobody_waiting_for_ever(each: int) -> None:
    queue = Queue(lanes={"first": "interactive", "old": "pack"})
    queue.enter("first", [1.0])
    queue.claim(1)
    queue.enter("old", [1.0])
    for served in range(200):
        # More come than are served, for ever; none of them has had anything yet.
        for extra in range(each):
            flow = f"new {served} {extra}"
            queue.lanes[flow] = "interactive"
            queue.enter(flow, [1.0])
        if queue.claim(1) == ("old", 1.0):
            # Its stretch is four long and its turn the middle, so rounds that grow to these sizes.
            assert served <= each + each**2 + each**3 + each**4
            return
    raise AssertionError("It was never served.")


def test_one_portrait_goes_before_the_next_of_whoever_is_being_served() -> None:
    queue = Queue(lanes={"many": "interactive", "one": "interactive"})
    queue.enter("many", [1.0] * 200)
    queue.claim(1)
    queue.enter("one", [1.0])
    assert queue.claim(1) == ("one", 1.0)


def test_of_two_who_come_with_the_same_the_first_goes_first() -> None:
    queue = Queue(lanes={"many": "interactive", "first": "interactive", "second": "interactive"})
    queue.enter("many", [1.0] * 9)
    queue.claim(1)
    queue.enter("first", [1.0])
    queue.enter("second", [1.0])
    assert [queue.claim(1), queue.claim(1), queue.claim(1)] == [
        ("first", 1.0),
        ("second", 1.0),
        ("many", 1.0),
    ]


def test_a_pack_gets_a_fifth_beside_single_portraits() -> None:
    queue = Queue(lanes={"pack": "pack", "singles": "interactive"})
    queue.enter("pack", [1.0] * 100)
    queue.enter("singles", [1.0] * 100)
    first = [queue.claim(1) for _ in range(100)]
    assert first.count(("pack", 1.0)) == 20


def test_a_pack_has_everything_while_nobody_else_waits() -> None:
    queue = Queue(lanes={"pack": "pack"})
    queue.enter("pack", [1.0] * 5)
    assert [queue.claim(2) for _ in range(5)] == [("pack", 1.0)] * 5


def test_costly_portraits_come_less_often() -> None:
    queue = Queue(lanes={"dear": "interactive", "cheap": "interactive"})
    queue.enter("dear", [10.0] * 10)
    queue.enter("cheap", [1.0] * 100)
    first = [queue.claim(1) for _ in range(55)]
    assert first.count(("dear", 10.0)) == 5


def test_asking_piece_by_piece_is_asking_at_once() -> None:
    together = scheduling.line_up(3.0, [], [1.0, 2.0, 4.0], weight=4.0)
    mine: list[Open] = []
    for cost in (1.0, 2.0, 4.0):
        [turn] = scheduling.line_up(3.0, mine, [cost], weight=4.0)
        mine.append(Open(turn, cost))
    assert [piece.turn for piece in mine] == together


def test_who_comes_back_after_a_pause_has_saved_nothing_up() -> None:
    busy, idle = 100.0, 0.5
    [turn] = scheduling.line_up(busy, [Open(idle, 1.0)], [1.0], weight=1.0)
    assert turn == busy + 0.5


def test_with_nobody_served_the_next_turn_is_the_time() -> None:
    assert scheduling.now_serving([], 7.0) == 7.0
    assert scheduling.now_serving([], None) == 0.0
    assert scheduling.now_serving([3.0, 5.0], 4.0) == 5.0
