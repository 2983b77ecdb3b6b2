"""R-01: processes of every sort are killed at random while people order; the checker looks then."""

import time
from typing import Any

import pytest

from tests.chaos import rows
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.size import FULL, pick
from tests.chaos.storms import Strikes, raw, settle, told

JOBS, KILLS, PHOTOS = pick((32, 10, 3), (90, 36, 6), (500, 200, 20))
SEEDS = pick([1], [1], [1, 2])
PEOPLE = pick(4, 6, 10)
PAUSES = (0.5, 3.5)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_doubled_or_left(arena: Arena, seed: int) -> None:
    name = f"R-01-seed{seed}"
    if rows.kept(name).get("full"):
        pytest.skip("Measured at full size on this build.")
    began = time.monotonic()
    arena.painters(*PAINTERS)
    crowd = Crowd(arena, PEOPLE, seed)
    strikes = Strikes(arena, seed)
    crowd.begin(JOBS, KILLS * sum(PAUSES) / 2, photos=PHOTOS, items=(1, 1, 2))
    strikes.kill(KILLS, pauses=PAUSES)
    verdict = settle(arena, crowd, name, seed=seed, strikes=strikes.struck)
    crowd.close()
    seconds = round(time.monotonic() - began)
    rows.keep(
        name,
        {
            "build": rows.build(),
            "full": FULL,
            "kills": KILLS,
            "jobs": JOBS,
            "strikes": strikes.struck,
            "seconds": seconds,
            **raw(verdict),
        },
    )
    _record()
    assert verdict.faults == {}, told(verdict)
    assert verdict.acknowledged == JOBS


def _record() -> None:
    """One row of all seeds that this build has been through."""
    found = [kept for seed in SEEDS if (kept := rows.kept(f"R-01-seed{seed}"))]
    sums = {
        sort: sum(len(kept["verdict"][sort]) for kept in found)
        for sort in ("lost", "doubled", "unexpected", "orphans", "references", "leases")
    }
    whole = FULL and len(found) == len(SEEDS)
    kills = sum(kept["kills"] for kept in found)
    without: dict[str, Any] = {}
    for kept in found:
        for how, count in kept["verdict"]["without"].items():
            without[how] = without.get(how, 0) + count
    strikes: dict[str, int] = {}
    for kept in found:
        for role, count in kept["strikes"].items():
            strikes[role] = strikes.get(role, 0) + count
    good = not any(sums.values())
    rows.row(
        "R-01",
        value=f"{sums['lost']} / {sums['doubled']} / {sums['orphans']}",
        n=kills,
        holds=(True if whole else None) if good else False,
        full=whole,
        conditions=(
            f"{JOBS} jobs under {KILLS} SIGKILLs a seed, {len(found)} of {len(SEEDS)} seeds"
            f" ({', '.join(f'{role} {count}' for role, count in sorted(strikes.items()))}); over"
            f" HTTP, some from photos; unexpected {sums['unexpected']}, references left"
            f" {sums['references']}, leases left {sums['leases']}; items without a portrait:"
            f" {without or 'none'}"
        ),
        raw={"seeds": [kept["seconds"] for kept in found]},
    )
