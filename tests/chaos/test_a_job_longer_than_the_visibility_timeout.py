"""R-03: the broker delivers a message again while its job still runs: it is painted once."""

import time
from collections import Counter
from pathlib import Path

from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.engine import steps_of
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

VISIBLE = 5
STEP = pick(1.2, 2.0, 3.0)
JOBS = pick(2, 2, 6)


def test_each_is_painted_once(arena: Arena, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    extra = {"SITTER_TEST_VISIBILITY": str(VISIBLE)}
    arena.painters(*PAINTERS, extra=extra)
    arena.tell(STEP, trace)
    crowd = Crowd(arena, 2, seed=3)
    crowd.begin(JOBS, 0.5)
    time.sleep(1)
    verdict = settle(arena, crowd, "R-03", drain=STEP * 10 * JOBS + 60)
    crowd.close()
    seeds = arena.seeds(crowd.people).values()
    starts = Counter(seed for seed, step, _ in steps_of(trace) if step == 0 and seed in seeds)
    wasted = max(starts.values()) - 1
    good = verdict.faults == {} and not verdict.without and len(starts) == JOBS and wasted <= 1
    row(
        "R-03",
        value=f"exactly {'1' if good else verdict.faults}; {wasted} wasted starts a job",
        n=JOBS,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"visibility_timeout={VISIBLE} s, jobs of {STEP * 10:.0f} s, 2 gpu workers; starts a"
            f" job {sorted(starts.values())}; a nudge is acknowledged at once, and the work on it"
            " is held by its lease"
        ),
        raw={"starts": sorted(starts.values()), **raw(verdict)},
    )
    assert good, told(verdict)
