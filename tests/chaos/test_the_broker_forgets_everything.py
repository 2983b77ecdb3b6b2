"""R-02: the broker dies and comes back empty, again and again; what it forgot is sent anew."""

import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import redis

from deploy.env import Role
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.person import wait
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

WIPES = pick(2, 5, 20)
GOAL = 60.0


def wipe(arena: Arena) -> None:
    """kill -9, nothing kept on disk, and nothing left in memory either."""
    arena.kill_service("valkey")
    for kept in arena.stack.folders.valkey.glob("appendonly*"):
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
    arena.revive_service("valkey")
    with redis.Redis.from_url(arena.stack.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
        assert broker.flushall()


def test_jobs_and_photos_move_again_after_each_wipe(arena: Arena) -> None:
    arena.painters(*PAINTERS, step=0.05)
    crowd = Crowd(arena, 3, seed=2)
    dice, waits = random.Random(2), []
    for _ in range(WIPES):
        with ThreadPoolExecutor(len(crowd.clients)) as pool:
            # One is asked for before, one meanwhile; a photo is looked at by Celery alone.
            first, second, third = crowd.clients
            told_before = first.submit(items=2)
            photo = pool.submit(third.with_photo)
            time.sleep(dice.uniform(0, 0.5))
            meanwhile = pool.submit(second.submit)
            wipe(arena)
            struck = time.monotonic()
            assert told_before
            assert meanwhile.result()
            assert photo.result()
        wait("all has ended", lambda: not arena.open_work(crowd.people), seconds=GOAL * 2)
        waits.append(round(time.monotonic() - struck, 1))
    verdict = settle(arena, crowd, "R-02", waits=waits)
    crowd.close()
    good = verdict.faults == {} and not verdict.failed and max(waits) <= GOAL
    row(
        "R-02",
        value=f"{len(verdict.lost)}; {max(waits):.1f} s",
        n=WIPES,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"{WIPES} times kill -9 of Valkey, its file deleted and FLUSHALL, with a job waiting,"
            f" a job asked for meanwhile and a photo under way; {told(verdict)}; until all had"
            f" ended, worst of {waits}"
        ),
        raw={"waits": waits, **raw(verdict)},
    )
    assert good, told(verdict)
