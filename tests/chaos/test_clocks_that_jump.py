"""Workers whose clocks are hours wrong, and jump while they paint: leases are the database's.

No clock of a machine can be set without being its administrator, and a test has no business with
that; so the processes are told another time (clocks/sitecustomize.py).
"""

import json
import time
from pathlib import Path
from typing import Final

from deploy.env import Role
from tests.chaos import rows
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.engine import steps_of
from tests.chaos.person import say
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

JOBS = pick(12, 30, 100)
# (painter, seconds ahead): each is beyond any lease, and within the time that a token of S3 lives.
SHIFTS: Final = ((PAINTERS[0], 600.0), (PAINTERS[1], -600.0))
FOLDER: Final = Path(__file__).parent / "clocks"


def test_a_wrong_clock_takes_no_work_away_and_commits_nothing_twice(
    arena: Arena, tmp_path: Path
) -> None:
    trace, jump = tmp_path / "trace", tmp_path / "jump"
    shifted = {"PYTHONPATH": str(FOLDER), "SITTER_TEST_CLOCK_FILE": str(jump)}
    ahead = {index: {"SITTER_TEST_CLOCK": str(seconds)} for index, seconds in SHIFTS}
    arena.painters(*PAINTERS, step=0.1, trace=trace, extra=shifted, own=ahead)
    arena.with_env({**shifted, "SITTER_TEST_CLOCK": "3600"}, Role.BEAT)
    crowd = Crowd(arena, 4, seed=12)
    seconds = pick(10.0, 20.0, 60.0)
    crowd.begin(JOBS, seconds, photos=2, items=(1, 2))
    # Half of it is painted by right clocks, and some of it while they jump.
    time.sleep(seconds / 2)
    jump.touch()
    verdict = settle(arena, crowd, "clocks")
    crowd.close()
    seeds = set(arena.seeds(crowd.people).values())
    steps = [(seed, step, at) for seed, step, at in steps_of(trace) if seed in seeds]
    starts = sum(step == 0 for _, step, _ in steps)
    wrong = sum(abs(at - time.time()) > 300 for *_, at in steps)
    say(f"{starts} renders for {len(seeds)} items, {wrong} of {len(steps)} steps by a wrong clock")
    rows.keep("clocks", {"build": rows.build(), "full": FULL, "starts": starts, **raw(verdict)})
    assert 0 < wrong < len(steps), "no clock has jumped while somebody painted"
    assert verdict.faults == {}, told(verdict)
    assert not verdict.failed, json.dumps(verdict.without)
    assert starts == len(seeds)
