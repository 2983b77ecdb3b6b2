"""A gpu worker dies, or is taken for dead: another one finishes, and nothing is painted twice."""

import json
import time
from signal import SIGCONT, SIGSTOP

from deploy.env import Role
from deploy.prove.behind import Behind
from tests.chaos.conftest import Painters
from tests.chaos.person import Person, record_of, say, wait
from tests.figures import figure

RECOVERY = 25.0
STOPPED_RECOVERY = 45.0


def outcomes(painters: Painters, index: int) -> list[str]:
    """How the items of one worker ended, as its log says."""
    lines = record_of(painters.stack.logs(Role.GPU, index=index)).splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [str(event.get("state")) for event in events if event.get("event") == "item_ended"]


def token_of(behind: Behind, job: str) -> int:
    """How often the one item of a job was claimed; 0 once it has ended."""
    rows = behind.rows(
        "SELECT l.token FROM privacy_lease l JOIN portraits_item i ON i.id = l.work_id"
        " WHERE i.job_id = %s",
        [job],
    )
    return int(rows[0][0]) if rows else 0


def test_a_job_of_a_killed_worker_is_finished_by_another(
    painters: Painters, behind: Behind, ada: Person, photos: str
) -> None:
    painters.start(1, step=4)
    job = ada.submit(photos)
    ada.painting(job)
    painters.start(2, step=0.05)
    painters.signal(1)
    struck = time.monotonic()
    assert ada.ended(job, seconds=60)["state"] == "done"
    seconds = time.monotonic() - struck
    say(f"finished {seconds:.1f} s after the kill")
    assert behind.portraits_per_item(job) == [1]
    assert seconds < RECOVERY


def test_a_stopped_worker_that_returns_cannot_commit(
    painters: Painters, behind: Behind, ada: Person, photos: str
) -> None:
    painters.start(1, step=0.5)
    before = behind.bodies_per_sort(ada.id)
    seen = {index: len(outcomes(painters, index)) for index in (1, 2)}
    job = ada.submit(photos)
    ada.painting(job)
    painters.signal(1, SIGSTOP)
    struck = time.monotonic()
    # Slower than the first, which would be done before it if nobody stopped it.
    painters.start(2, step=1)
    wait("another takes over", lambda: token_of(behind, job) == 2, seconds=STOPPED_RECOVERY)
    seconds = time.monotonic() - struck
    # It returns while the other one paints: both believe that the item is theirs.
    painters.signal(1, SIGCONT)
    assert ada.ended(job)["state"] == "done"
    ends = wait("it gives up", lambda: outcomes(painters, 1)[seen[1] :], seconds=30)
    winner = wait("the other is done", lambda: outcomes(painters, 2)[seen[2] :], seconds=5)
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
    painters: Painters, behind: Behind, ada: Person, photos: str
) -> None:
    for index in (1, 2):
        painters.start(index, step=0.05)
    seen = {index: len(outcomes(painters, index)) for index in (1, 2)}
    began = time.monotonic()
    job = ada.submit(photos, 12)
    assert ada.ended(job, seconds=90)["state"] == "done"
    say(f"twelve items in {time.monotonic() - began:.1f} s")
    assert behind.portraits_per_item(job) == [1] * 12
    wait(
        "both logs are written",
        lambda: sum(len(outcomes(painters, i)) - seen[i] for i in seen) >= 12,
        seconds=5,
    )
    shares = {index: outcomes(painters, index)[start:] for index, start in seen.items()}
    assert sorted(shares[1] + shares[2]) == ["done"] * 12
    assert shares[1]
    assert shares[2]
