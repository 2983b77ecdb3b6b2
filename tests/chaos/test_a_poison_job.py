"""R-08: an order that kills its worker each time is tried three times; the others hardly notice."""

import time
from collections import Counter
from pathlib import Path

from deploy.env import Role
from tests.chaos.arena import PAINTERS, POISON, WORDS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.engine import steps_of
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import Keeper, latencies, percentile, raw, settle, told

JOBS = pick(24, 80, 300)
STEP = 0.04
ATTEMPTS = 3
PATIENCE = 45.0


def others(arena: Arena, name: str, trace: Path, *, poison: bool) -> tuple[list[float], Crowd]:
    """How long each of the others' jobs took, all asked for at once."""
    arena.painters(*PAINTERS, step=STEP, trace=trace)
    crowd = Crowd(arena, 5, seed=8)
    with Keeper(arena, [(Role.GPU, index) for index in PAINTERS]):
        crowd.begin(JOBS, JOBS * STEP * 2)
        if poison:
            time.sleep(1)
            assert crowd.clients[0].submit(style=POISON)
        crowd.join()
        assert arena.drain(crowd.people, seconds=300), name
    return latencies(arena, crowd, WORDS), crowd


def test_it_is_given_up_and_the_others_go_on(arena: Arena, tmp_path: Path) -> None:
    quiet, first = others(arena, "without", tmp_path / "quiet", poison=False)
    struck, crowd = others(arena, "with", tmp_path / "struck", poison=True)
    first.close()
    query = (
        "SELECT i.id, i.seed FROM portraits_item i JOIN portraits_job j ON j.id = i.job_id"
        " JOIN portraits_style s ON s.id = i.style_id WHERE j.owner_id = ANY(%s) AND s.slug = %s"
    )
    ((_, seed),) = arena.rows(query, crowd.people, POISON)
    starts = Counter(seen for seen, step, _ in steps_of(tmp_path / "struck") if step == 0)
    verdict = settle(arena, crowd, "R-08")
    crowd.close()
    before, behind = percentile(quiet, 0.95), percentile(struck, 0.95)
    tried = starts[int(seed)]
    good = (
        not verdict.faults
        and verdict.without == {"failed attempts_exhausted": 1}
        and tried == ATTEMPTS
        and len(struck) == JOBS
        and behind <= 2 * before
    )
    row(
        "R-08",
        value=f"{tried}; others' p95 {behind:.1f} s with, {before:.1f} s without",
        n=JOBS,
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"an order that SIGKILLs its worker at its first step among {JOBS} of 5 people within"
            f" {JOBS * STEP * 2:.0f} s, {STEP * 10:.1f} s each, 2 gpu workers restarted by their"
            f" supervisor; {told(verdict)}"
        ),
        raw={"quiet": quiet, "struck": struck, "tried": tried, **raw(verdict)},
    )
    assert verdict.faults == {}, told(verdict)
    assert tried == ATTEMPTS
    assert verdict.without == {"failed attempts_exhausted": 1}
    # A neighbour waits for one lease to run out, and for a process to start, once.
    assert behind <= before + PATIENCE
