"""R-11: cancelled or withdrawn at a random moment, nothing is committed behind the answer."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Client, Crowd
from tests.chaos.engine import steps_of
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

STOPS = pick(20, 60, 200)
PEOPLE = 4
STEP = 0.12
# One in so many is a withdrawal of the consent, which stops everything of a person.
WITHDRAWN = 5


def stops(client: Client, number: int, count: int) -> dict[str, float]:
    """Order and stop so many times; returns when each answer had come, by job."""
    dice = random.Random(1100 + number)
    answered: dict[str, float] = {}
    for place in range(count):
        job = client.submit()
        # From still waiting to just done: ten steps, and what comes before and behind them.
        time.sleep(dice.uniform(0, STEP * 10 * 1.6))
        withdraw = place % WITHDRAWN == WITHDRAWN - 1
        if at := client.stop(job, withdraw=withdraw):
            answered[job] = at
        if withdraw:
            client.person.consent()
    return answered


def test_nothing_appears_behind_the_answer(arena: Arena, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    arena.painters(*PAINTERS, step=STEP, trace=trace)
    crowd = Crowd(arena, PEOPLE, seed=11)
    with ThreadPoolExecutor(PEOPLE) as pool:
        each = STOPS // PEOPLE
        runs = [pool.submit(stops, one, place, each) for place, one in enumerate(crowd.clients)]
        answered = {job: at for run in runs for job, at in run.result().items()}
    verdict = settle(arena, crowd, "R-11")
    crowd.close()
    jobs = {str(row[0]): str(row[1]) for row in arena.rows(ITEMS, crowd.people)}
    seeds = arena.seeds(crowd.people)
    stopped = {seeds[item]: answered[job] for item, job in jobs.items() if job in answered}
    late = Counter(
        seed for seed, _, at in steps_of(trace) if seed in stopped and at > stopped[seed]
    )
    phases = Counter(len([1 for s, *_ in steps_of(trace) if s == seed]) for seed in stopped)
    worst = max(late.values(), default=0)
    good = not verdict.faults and worst <= 1 and len(answered) >= STOPS // 3
    row(
        "R-11",
        value=f"{len(verdict.unexpected)}; {worst} steps",
        n=len(answered),
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"{STOPS} jobs cancelled, every {WITHDRAWN}th withdrawn, at random moments over HTTP;"
            f" {len(answered)} came before the job's end; {told(verdict)}; steps of {STEP} s begun"
            f" behind the 200, worst; steps begun before by job {dict(sorted(phases.items()))}"
        ),
        raw={"late": late, "stopped": len(stopped), **raw(verdict)},
    )
    assert good, f"{told(verdict)}; late {late}; {len(answered)} answers"


ITEMS = (
    "SELECT i.id, j.id FROM portraits_item i JOIN portraits_job j ON j.id = i.job_id"
    " WHERE j.owner_id = ANY(%s)"
)
