"""A gpu worker dies, or is taken for dead: another one finishes, and nothing is painted twice."""

import json
import time
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from deploy.env import Role
from deploy.prove.behind import Behind
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.engine import processes_of
from tests.chaos.person import Person, say, wait
from tests.figures import figure

RECOVERY = 25.0
STOPPED_RECOVERY = 45.0


def written(arena: Arena) -> dict[int, int]:
    """How long the log of each painter is by now."""
    logs = {index: arena.stack.logs(Role.GPU, index=index) for index in PAINTERS}
    return {index: log.stat().st_size for index, log in logs.items()}


def outcomes(arena: Arena, index: int, since: dict[int, int]) -> list[str]:
    """How the items of one painter have ended since then, as its log says."""
    with arena.stack.logs(Role.GPU, index=index).open("rb") as log:
        log.seek(since[index])
        lines = log.read().decode("utf-8", "replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return [str(event.get("state")) for event in events if event.get("event") == "item_ended"]


def painter_of(arena: Arena, trace: Path, job: str) -> tuple[int, int]:
    """(who has begun the one item of a job, who has not)."""
    ((seed,),) = arena.rows("SELECT seed FROM portraits_item WHERE job_id = %s", job)
    pid = wait("a step is noted", lambda: processes_of(trace).get(int(seed)))
    pids = {arena.stack.pid(Role.GPU, index=index): index for index in PAINTERS}
    first = pids.pop(pid)
    (other,) = pids.values()
    return first, other


def token_of(behind: Behind, job: str) -> int:
    """How often the one item of a job was claimed; 0 once it has ended."""
    rows = behind.rows(
        "SELECT l.token FROM privacy_lease l JOIN portraits_item i ON i.id = l.work_id"
        " WHERE i.job_id = %s",
        [job],
    )
    return int(rows[0][0]) if rows else 0


def test_a_job_of_a_killed_worker_is_finished_by_another(
    arena: Arena, behind: Behind, ada: Person, photos: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    arena.painters(*PAINTERS)
    arena.tell(4, trace)
    job = ada.submit(photos)
    ada.painting(job)
    first, _ = painter_of(arena, trace, job)
    arena.tell(0.05, trace)
    arena.kill(Role.GPU, first)
    struck = time.monotonic()
    assert ada.ended(job, seconds=60)["state"] == "done"
    seconds = time.monotonic() - struck
    say(f"finished {seconds:.1f} s after the kill")
    assert behind.portraits_per_item(job) == [1]
    assert seconds < RECOVERY


def test_a_stopped_worker_that_returns_cannot_commit(
    arena: Arena, behind: Behind, ada: Person, photos: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    arena.painters(*PAINTERS)
    arena.tell(0.5, trace)
    before, seen = behind.bodies_per_sort(ada.id), written(arena)
    job = ada.submit(photos)
    ada.painting(job)
    first, other = painter_of(arena, trace, job)
    arena.kill(Role.GPU, first, SIGSTOP)
    struck = time.monotonic()
    # Slower than the first, which would be done before it if nobody stopped it.
    arena.tell(1, trace)
    wait("another takes over", lambda: token_of(behind, job) == 2, seconds=STOPPED_RECOVERY)
    seconds = time.monotonic() - struck
    # It returns while the other one paints: both believe that the item is theirs.
    arena.kill(Role.GPU, first, SIGCONT)
    assert ada.ended(job)["state"] == "done"
    ends = wait("it gives up", lambda: outcomes(arena, first, seen), seconds=30)
    winner = wait("the other is done", lambda: outcomes(arena, other, seen), seconds=5)
    after = behind.bodies_per_sort(ada.id)
    made = {kind: after[kind] - before[kind] for kind in after}
    say(f"taken over {seconds:.1f} s after the stop; the stale holder ended {ends}")
    refused = set(ends) <= {"stopped", "discarded"} and winner == ["done"]
    figure(
        "R-04",
        value=f"{int(refused)} of 1",
        n=1,
        holds=None if refused else False,
        conditions=f"real SIGSTOP over HTTP; taken over by another after {seconds:.1f} s",
    )
    assert refused
    assert behind.portraits_per_item(job) == [1]
    assert (made["portrait"], made["rendition"]) == (1, 2)


def test_two_workers_paint_each_of_twelve_items_once(
    arena: Arena, behind: Behind, ada: Person, photos: str
) -> None:
    arena.painters(*PAINTERS, step=0.05)
    seen = written(arena)
    began = time.monotonic()
    job = ada.submit(photos, 12)
    assert ada.ended(job, seconds=90)["state"] == "done"
    say(f"twelve items in {time.monotonic() - began:.1f} s")
    assert behind.portraits_per_item(job) == [1] * 12

    def shares() -> list[list[str]]:
        return [outcomes(arena, index, seen) for index in PAINTERS]

    wait("both logs are written", lambda: sum(map(len, shares())) >= 12, seconds=5)
    each = shares()
    assert sorted([*each[0], *each[1]]) == ["done"] * 12
    assert all(each)
