"""R-10: the line between a worker and the broker is reset; it hears again, or ends and is replaced.

The intake takes its work from Celery's messages and nothing else, so a photo that is judged shows
that they arrive. Its watch (workers/watch.py) is allowed to be what helps.
"""

import random
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from deploy.env import Role
from tests.chaos.arena import Arena
from tests.chaos.person import Person, say, views, wait
from tests.chaos.proxy import Proxy
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick

RESETS = pick(3, 10, 100)
GOAL = 30.0
# How many of the resets come before the message.
EARLY = 0.7
# Behind this it was the watch that helped, and no message.
BY_MESSAGE = 9.0


def test_work_goes_on_after_each_reset(arena: Arena) -> None:
    broker = arena.stack.env(Role.INTAKE)["SITTER_BROKER_URL"]
    person = Person(arena.stack.urls.web)
    dice, waits, cut, exits = random.Random(10), [], 0, 0
    with Proxy.to(broker) as proxy, ThreadPoolExecutor(1) as pool:
        arena.with_env(Role.INTAKE, {"SITTER_BROKER_URL": proxy.url(broker)})
        try:
            for _ in range(RESETS):
                set_id = person.new_set(keep=False)
                # A message comes while nobody hears, while they dial again, or is on its way.
                early = dice.random() < EARLY
                if early:
                    cut += proxy.cut()
                struck = time.monotonic()
                time.sleep(dice.uniform(0, 0.5) if early else 0)
                answer = pool.submit(person.put, set_id, "front", views()["front"])
                if not early:
                    time.sleep(dice.uniform(0, 0.1))
                    cut += proxy.cut()
                    struck = time.monotonic()

                def judged(set_id: str = set_id, answer: "Future[httpx.Response]" = answer) -> bool:
                    nonlocal exits
                    if answer.done():
                        assert answer.result().status_code in (200, 202), answer.result().text
                    if not arena.stack._crew.members["intake"].alive:
                        exits += 1
                        arena.start(Role.INTAKE)
                    return person.photo_state(set_id) == "accepted"

                wait("the photo is judged", judged, seconds=GOAL * 2)
                waits.append(round(time.monotonic() - struck, 2))
                assert answer.result().status_code in (200, 202)
        finally:
            arena.with_env(Role.INTAKE, {})
    person.close()
    slow = sum(seconds > BY_MESSAGE for seconds in waits)
    good = max(waits) <= GOAL
    say(f"{cut} lines cut in {RESETS} resets; waits {waits}; {exits} exits")
    row(
        "R-10",
        value=f"{sum(seconds <= GOAL for seconds in waits)} of {RESETS}; {max(waits):.1f}",
        unit="s",
        n=RESETS,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"all {cut} TCP lines of the intake to Valkey reset in {RESETS} goes at random moments"
            f" around a message; until the photo was judged, worst; {slow} helped by the watch,"
            f" {exits} by an exit"
        ),
        raw={"waits": waits, "cut": cut, "exits": exits},
    )
    assert cut >= RESETS
    assert good
