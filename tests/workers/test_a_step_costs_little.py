"""Between two steps the worker says how far it is and looks whether to stop, in next to no time.

Three rounds of it in `make test`, five with FULL=1.
"""

import os
import statistics
import time
from typing import Any

import pytest

from tests.figures import figure
from tests.workers.painting import Model, Shop, ordered, state, words_only
from workers.engines import base

# A card's step on a small picture takes about so long; pocket's takes longer.
STEP = 0.06
STEPS = 25
ROUNDS = 5 if os.environ.get("FULL") else 3
SHARE = 0.01


class Timed(Model):
    """It notes how long each callback kept it waiting."""

    def __init__(self) -> None:
        super().__init__(pause=STEP, steps=STEPS)
        self.waited: list[float] = []

    def render(self, order: base.Order, on_step: base.Step) -> Any:
        def timed(done: int, total: int) -> None:
            began = time.perf_counter()
            on_step(done, total)
            self.waited.append(time.perf_counter() - began)

        return super().render(order, timed)


def test_the_callback_takes_at_most_a_hundredth_of_a_step(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vigil's threads, the database and whoever hears of revocations are the real ones."""
    painted = words_only()
    jobs = [ordered(painted) for _ in range(ROUNDS)]
    engine = shop.put(painted.engine, Timed())
    born("gpu")
    bare: list[float] = []
    for _ in jobs:
        taken = shop.atelier.claim()
        assert taken
        shop.atelier.paint(*taken)
        # In turns, so that whatever else the machine does meets both.
        order = engine.asked[-1]
        began = time.perf_counter()
        Model.render(engine, order, lambda *_: None)
        bare.append(time.perf_counter() - began)
    assert [state(job)[0] for job in jobs] == ["done"] * ROUNDS
    assert len(engine.waited) == ROUNDS * STEPS
    spans = [end - begin for begin, end in engine.spans]
    share = statistics.mean(engine.waited) / STEP
    whole = statistics.median(spans[::2]) / statistics.median(bare) - 1
    figure(
        "step-callback",
        value=round(100 * share, 3),
        unit="%",
        n=len(engine.waited),
        holds=share <= SHARE,
        conditions=f"mean wait in the callback, {1e6 * statistics.mean(engine.waited):.0f} us, the"
        f" longest {1e3 * max(engine.waited):.2f} ms, of steps of {1000 * STEP:.0f} ms that sleep;"
        f" a whole picture took {100 * whole:+.2f} % against the same engine with a callback that"
        " does nothing, in turns",
    )
    assert share <= SHARE
