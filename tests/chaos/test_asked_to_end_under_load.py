"""R-13: SIGTERM to one role after the other under load: each ends in time, and nothing is lost.

Nor is an attempt: what a leaving worker could not finish was not the item's fault.
"""

import random
import time
from signal import SIGTERM

from deploy.env import Role
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.clients import Crowd
from tests.chaos.rows import row
from tests.chaos.size import FULL, pick
from tests.chaos.storms import raw, settle, told

ROUNDS = pick(1, 2, 8)
STEP = 0.2
# SITTER_DRAIN_SECONDS and two seconds behind it; Celery's soft shutdown; gunicorn's grace.
LIMITS = {Role.GPU: 22.0, Role.WEB: 8.0, Role.INTAKE: 22.0, Role.UPKEEP: 22.0}
VICTIMS = [(Role.GPU, 11), (Role.WEB, 0), (Role.INTAKE, 0), (Role.GPU, 12), (Role.UPKEEP, 0)]


def ask(arena: Arena, role: Role, index: int) -> tuple[float, int | None]:
    """(seconds until it had ended, its status); what does not end in time is killed."""
    with arena.turn:
        process = arena.member(role, index).process
        began = time.monotonic()
        process.send(SIGTERM)
        process.wait(LIMITS[role] * 2)
        took, status = time.monotonic() - began, process.returncode
        arena.start(role, index)
    return round(took, 2), status


def test_it_ends_in_time_and_loses_nothing(arena: Arena) -> None:
    arena.painters(*PAINTERS, step=STEP)
    crowd = Crowd(arena, 4, seed=13)
    crowd.begin(12 * ROUNDS, 14.0 * ROUNDS, photos=2 * ROUNDS, items=(1, 2))
    dice, ends = random.Random(13), []
    for _ in range(ROUNDS):
        for role, index in VICTIMS:
            time.sleep(dice.uniform(0.5, 2.5))
            took, status = ask(arena, role, index)
            ends.append((str(role), took, status, took <= LIMITS[role] and status == 0))
            if role is not Role.WEB:
                continue
            arena.ready(arena.member(role))
    verdict = settle(arena, crowd, "R-13", ends=ends)
    crowd.close()
    worst = {role: max(took for name, took, *_ in ends if name == role) for role, *_ in ends}
    good = not verdict.faults and not verdict.failed and all(fine for *_, fine in ends)
    row(
        "R-13",
        value=f"{len(verdict.lost)}; {max(worst.values()):.1f} s",
        n=len(ends),
        holds=(True if FULL else None) if good else False,
        full=FULL,
        conditions=(
            f"SIGTERM to gpu, web, intake and upkeep in turn with {12 * ROUNDS} jobs of"
            f" {STEP * 10:.0f} s an item; worst by role {worst}; all ended with status 0;"
            f" {told(verdict)}"
        ),
        raw={"ends": ends, **raw(verdict)},
    )
    assert good, f"{told(verdict)}; {ends}"
