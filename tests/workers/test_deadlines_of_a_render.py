"""A render that takes too long is stopped by its steps; one that hangs ends its process."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

from portraits.models import Item, Painter
from tests.chaos.person import wait
from tests.workers.painting import Model, Shop, lease, ordered, state, words_only

STUCK = "tests.workers.slow:StuckEngine"


def test_it_fails_at_the_first_step_behind_its_limit_and_is_not_tried_again(
    born: Any, shop: Shop, settings_of: Any
) -> None:
    painted = words_only()
    job = ordered(painted)
    settings_of(ITEM_LIMIT=timedelta(seconds=0.3))
    engine = shop.put(painted.engine, Model(pause=0.1, steps=50))
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("failed", "took_too_long")
    assert 2 <= engine.done <= 6


def test_one_that_waits_behind_a_long_one_is_within_its_own_limit(
    born: Any, shop: Shop, settings_of: Any
) -> None:
    painted = words_only()
    first, second = ordered(painted), ordered(painted)
    settings_of(ITEM_LIMIT=timedelta(seconds=2))
    shop.put(painted.engine, Model(pause=0.12))
    born("gpu")
    threads = [shop.aside(), shop.aside()]
    for thread in threads:
        thread.join(30)
    assert [state(job)[0] for job in (first, second)] == ["done", "done"]


def test_a_render_that_does_not_call_back_is_noticed(
    born: Any, shop: Shop, settings_of: Any
) -> None:
    painted, free = words_only(), threading.Event()
    job = ordered(painted)
    settings_of(ITEM_LIMIT=timedelta(seconds=0.4))

    def silent(step: int) -> None:
        free.wait(30)

    shop.put(painted.engine, Model(silent))
    born("gpu")
    began = time.monotonic()
    thread = shop.aside()
    wait("it is noticed", lambda: shop.hung, seconds=10)
    assert 0.4 < time.monotonic() - began < 5
    assert shop.hung[0].claim.work_id == Item.objects.get(job=job).pk
    free.set()
    thread.join(20)
    assert state(job) == ("failed", "took_too_long")


def test_the_process_ends_and_its_work_is_free_at_once(worker: Any) -> None:
    painted = words_only(STUCK)
    process = worker(ENGINES=json.dumps([STUCK]), ITEM_LIMIT_SECONDS="2").begun()
    stuck, waiting = ordered(painted), ordered(painted)
    assert process.ended(60) == 70
    assert process.events("render_hangs")
    rows = [lease(job) for job in (stuck, waiting)]
    assert [row.held_until for row in rows] == [None, None]
    # What hung has been tried; what only waited behind it has not.
    assert sorted(row.attempts for row in rows) == [0, 1]
    assert {state(job)[0] for job in (stuck, waiting)} == {"queued"}
    assert Painter.objects.get(engine=STUCK).state == Painter.State.UNFIT
