"""SIGTERM: what paints ends in time, what waits goes back at once, and another finishes it all."""

import json
import time
from typing import Any

from django.conf import settings

from portraits.models import Item, Job, Painter
from privacy.models import Lease
from tests.chaos.person import say, wait
from tests.figures import figure
from tests.workers.painting import ordered, portraits, state, words_only

SLOW, STUCK = "tests.workers.slow:SlowEngine", "tests.workers.slow:StuckEngine"


def painting(job: Job) -> bool:
    return Item.objects.filter(job=job, phase=Item.Phase.PAINTING).exists()


def held(*jobs: Job) -> int:
    return Lease.objects.filter(work_id__in=_items(*jobs)).exclude(held_until=None).count()


def _items(*jobs: Job) -> list[Any]:
    return list(Item.objects.filter(job__in=jobs).values_list("pk", flat=True))


def test_what_paints_is_finished_and_what_waits_is_given_back(worker: Any) -> None:
    painted = words_only(SLOW)
    first = worker(ENGINES=json.dumps([SLOW]), TEST_STEP_SECONDS="0.4", DRAIN_SECONDS="15").begun()
    jobs = [ordered(painted) for _ in range(6)]
    wait("one paints, others are held", lambda: held(*jobs) >= 2, seconds=30)
    wait("one paints", lambda: any(painting(job) for job in jobs), seconds=30)
    began = time.monotonic()
    first.send()
    wait("it says so", lambda: _states() <= {Painter.State.DRAINING}, seconds=5)
    assert first.ended(30) == 0
    took = time.monotonic() - began
    states = [state(job)[0] for job in jobs]
    assert states.count("done") >= 1
    assert states.count("queued") == 6 - states.count("done")
    assert held(*jobs) == 0
    waiting = Item.objects.filter(job__in=jobs, state=Item.State.QUEUED)
    assert set(waiting.values_list("started_at", flat=True)) == {None}
    assert set(
        Lease.objects.filter(work_id__in=_items(*jobs)).values_list("attempts", flat=True)
    ) == {0}
    assert not Painter.objects.filter(engine=SLOW).exists()
    worker(ENGINES=json.dumps([SLOW]), TEST_STEP_SECONDS="0.01").begun()
    wait("another finishes", lambda: all(state(job)[0] == "done" for job in jobs), seconds=60)
    assert [portraits(job) for job in jobs] == [1] * 6
    say(f"drained in {took:.1f} s")
    figure(
        "R-13",
        value=0,
        n=6,
        holds=took <= 15,
        conditions=f"one SIGTERM of a real worker with 6 jobs at hand: exit 0 after {took:.1f} s,"
        " what painted was finished, what waited was free at once and not counted",
    )


def _states() -> set[str]:
    return set(Painter.objects.filter(engine=SLOW).values_list("state", flat=True))


def test_what_does_not_end_in_time_stops_at_a_step_and_is_free_at_once(worker: Any) -> None:
    painted = words_only(SLOW)
    process = worker(
        ENGINES=json.dumps([SLOW]), TEST_STEP_SECONDS="0.3", TEST_STEPS="200", DRAIN_SECONDS="3"
    ).begun()
    job = ordered(painted)
    wait("it paints", lambda: painting(job), seconds=30)
    began = time.monotonic()
    process.send()
    assert process.ended(30) == 0
    assert time.monotonic() - began < 8
    assert (state(job), held(job)) == (("queued", ""), 0)
    assert Lease.objects.get(work_id__in=_items(job)).attempts == 0


def test_a_step_that_does_not_end_holds_up_nobody(worker: Any) -> None:
    painted = words_only(STUCK)
    process = worker(ENGINES=json.dumps([STUCK]), DRAIN_SECONDS="2").begun()
    job = ordered(painted)
    wait("it paints", lambda: painting(job), seconds=30)
    began = time.monotonic()
    process.send()
    assert process.ended(30) == 0
    assert time.monotonic() - began < 8
    assert process.events("left_in_mid_step")
    assert (state(job), held(job)) == (("queued", ""), 0)


def test_a_worker_without_a_broker_s_nudges_looks_by_itself(worker: Any) -> None:
    painted = words_only(SLOW)
    job = ordered(painted)
    import redis

    redis.Redis.from_url(settings.BROKER_URL).delete("gpu")
    worker(ENGINES=json.dumps([SLOW]), TEST_STEP_SECONDS="0.01").begun()
    second = ordered(painted)
    redis.Redis.from_url(settings.BROKER_URL).delete("gpu")
    wait("both are done", lambda: {state(job)[0], state(second)[0]} == {"done"}, seconds=30)
