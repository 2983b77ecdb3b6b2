"""R-10: the line between a worker and the broker is reset; it hears again, or ends and is replaced.

The intake takes its work from Celery's messages and nothing else, so a photo that is judged shows
that they arrive. Its watch (workers/watch.py) is allowed to be what helps.
"""

import random
import re
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
WARNED = re.compile(r'"level": ?"(warning|error|critical)"|Traceback|Error')


class Intake:
    """The role, which may end when it hears nothing any more, and is started anew then."""

    def __init__(self, arena: Arena, proxy: Proxy) -> None:
        self.arena, self.proxy, self.exits = arena, proxy, 0

    def alive(self) -> bool:
        """Whether it was not just found dead."""
        if self.arena.member(Role.INTAKE).alive:
            return True
        self.exits += 1
        self.arena.start(Role.INTAKE)
        return False

    def said(self, since: int) -> str:
        """The warnings of its log behind so many bytes, for whoever asks why nothing came of it."""
        with self.arena.stack.logs(Role.INTAKE).open("rb") as log:
            log.seek(since)
            lines = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(line for line in lines if WARNED.search(line))

    def hears(self) -> bool:
        """Whether it has a line to the broker: what has none cannot be reset."""
        return self.alive() and self.proxy.lines > 0


def test_work_goes_on_after_each_reset(arena: Arena) -> None:
    broker = arena.stack.env(Role.INTAKE)["SITTER_BROKER_URL"]
    dice, waits, cut = random.Random(10), [], []
    with Proxy.to(broker) as proxy, ThreadPoolExecutor(1) as pool:
        arena.with_env({"SITTER_BROKER_URL": proxy.url(broker)}, Role.INTAKE)
        intake, person = Intake(arena, proxy), Person(arena.stack.urls.web)
        for _ in range(RESETS):
            set_id = person.new_set(keep=False)
            wait("the intake hears the broker", intake.hears, seconds=GOAL * 2)
            written = arena.stack.logs(Role.INTAKE).stat().st_size
            # A message comes while nobody hears, while they dial again, or is on its way.
            early = dice.random() < EARLY
            if early:
                cut.append(proxy.cut())
            struck = time.monotonic()
            time.sleep(dice.uniform(0, 0.5) if early else 0)
            answer = pool.submit(person.put, set_id, "front", views()["front"])
            if not early:
                time.sleep(dice.uniform(0, 0.1))
                cut.append(proxy.cut())
                struck = time.monotonic()

            def judged(set_id: str = set_id, answer: "Future[httpx.Response]" = answer) -> bool:
                if answer.done():
                    assert answer.result().status_code in (200, 202), answer.result().text
                intake.alive()
                return person.photo_state(set_id) not in ("none", "checking")

            try:
                wait("the photo is judged", judged, seconds=GOAL * 2)
            except AssertionError:
                say(intake.said(written))
                raise
            waits.append(round(time.monotonic() - struck, 2))
            told = answer.result()
            assert told.status_code in (200, 202), f"{told.text}\n{intake.said(written)}"
            # It is the same good photo each time; a busy machine is no reason to refuse it.
            assert person.photo_state(set_id) == "accepted", intake.said(written)
    person.close()
    slow = sum(seconds > BY_MESSAGE for seconds in waits)
    good = max(waits) <= GOAL
    say(f"{cut} lines cut in {RESETS} resets; waits {waits}; {intake.exits} exits")
    row(
        "R-10",
        value=f"{sum(seconds <= GOAL for seconds in waits)} of {RESETS}; {max(waits):.1f}",
        unit="s",
        n=RESETS,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"all {sum(cut)} TCP lines of the intake to Valkey reset in {RESETS} goes at random"
            f" moments around a message; until the photo was judged, worst; {slow} helped by the"
            f" watch, {intake.exits} by an exit"
        ),
        raw={"waits": waits, "cut": cut, "exits": intake.exits},
    )
    assert all(cut), f"nothing was reset: {cut}"
    assert good, f"waited {waits}; {intake.exits} exits"
