"""R-06: PostgreSQL is killed while people order: what was acknowledged is there, and it comes back.

Also with a disk that is full: a limit on the size of its files stands for it, which an ordinary
user may set, and which PostgreSQL is told of as it is of a disk without room.
"""

import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.person import say, wait
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

KILLS = pick(2, 5, 10)
PEOPLE = 4
# A second of load, on average, before each kill, and one behind it.
JOBS = KILLS * 12
GOAL = 30.0
ROOM = 100_000
FULL_FOR = pick(4.0, 8.0, 15.0)


def back(arena: Arena, crowd: Crowd) -> float:
    """Seconds until somebody's order is taken again."""
    began = time.monotonic()
    client = crowd.clients[0]
    wait("orders are taken", lambda: _asks(client.ask("GET", "/v1/jobs")), seconds=GOAL * 2)
    return round(time.monotonic() - began, 2)


def _asks(answer: object) -> bool:
    return getattr(answer, "status_code", 0) == 200


def test_no_acknowledged_order_is_lost(arena: Arena) -> None:
    arena.painters(*PAINTERS)
    crowd = Crowd(arena, PEOPLE, seed=6)
    dice, waits = random.Random(6), []
    crowd.begin(JOBS, KILLS * 4.0, photos=pick(1, 3, 5), items=(1, 1, 2))
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.5, 2.5))
        arena.kill_service("postgres")
        struck = time.monotonic()
        time.sleep(dice.uniform(0, 1.5))
        arena.revive_service("postgres")
        back(arena, crowd)
        waits.append(round(time.monotonic() - struck, 1))
    verdict = settle(arena, crowd, "R-06", waits=waits)
    crowd.close()
    wrong = crowd.statuses[500]
    good = not verdict.faults and not verdict.failed and not wrong and max(waits) <= GOAL
    row(
        "R-06",
        value=f"{len(verdict.lost)}; {max(waits):.1f} s",
        n=KILLS,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"{KILLS} times kill -9 of PostgreSQL and all its backends, fsync on, under"
            f" {verdict.acknowledged} orders of {PEOPLE} people; {told(verdict)}; answers by status"
            f" {dict(sorted(crowd.statuses.items()))} (0: the line broke), 500 never;"
            " from the kill to the next order, worst"
        ),
        raw={"waits": waits, "statuses": crowd.statuses, **raw(verdict)},
    )
    assert good, f"{told(verdict)}; {crowd.statuses}; {waits}"


def _limit(one: psutil.Process, size: int) -> None:
    with suppress(ProcessLookupError):
        _, hard = resource.prlimit(one.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def no_room(arena: Arena) -> Iterator[None]:
    """Inside, no file of PostgreSQL may grow beyond some kilobytes, nor be written behind them."""

    def limit(size: int) -> None:
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(arena.stack.pid("postgres"))
            _limit(server, size)
            # Listed behind it: who is born meanwhile has inherited what it had before.
            for one in server.children(recursive=True):
                _limit(one, size)

    limit(ROOM)
    try:
        yield
    finally:
        limit(resource.RLIM_INFINITY)


def test_nothing_is_lost_when_its_disk_is_full(arena: Arena) -> None:
    arena.painters(*PAINTERS)
    crowd = Crowd(arena, 3, seed=66)
    crowd.begin(pick(12, 24, 48), FULL_FOR + 4, items=(1, 2))
    time.sleep(1)
    with no_room(arena):
        time.sleep(FULL_FOR)
        refused = crowd.statuses[503] + crowd.statuses[0]
    if not arena.stack._crew.members["postgres"].alive:
        # It ends rather than going on with a log that it could not write.
        arena.revive_service("postgres")
    back(arena, crowd)
    verdict = settle(arena, crowd, "disk-full")
    crowd.close()
    say(f"full disk: {refused} requests refused meanwhile; {dict(crowd.statuses)}")
    assert verdict.faults == {}, told(verdict)
    assert not verdict.failed
    assert refused
    assert not crowd.statuses[500]
