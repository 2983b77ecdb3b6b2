"""Valkey forgets everything, or dies: messages are nudges, so no job is lost."""

import time

import redis

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from tests.chaos.arena import PAINTERS, Arena
from tests.chaos.person import Person, say
from tests.figures import figure

PATIENCE = 60.0


def wipe(stack: Stack) -> None:
    with redis.Redis.from_url(stack.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
        assert broker.flushall()
        # Workers ask for messages all the time, but what was queued is gone.
        assert broker.llen("gpu") == 0


def test_jobs_survive_a_wiped_broker(
    arena: Arena, behind: Behind, ada: Person, photos: str
) -> None:
    arena.painters()
    others = [ada.ready_set(), ada.ready_set()]
    waiting = [ada.submit(photos, 2), ada.submit(others[0], 2)]
    wipe(arena.stack)
    arena.painters(PAINTERS[0], step=0.2)
    began = time.monotonic()
    ada.painting(waiting[0], seconds=PATIENCE)
    moving = time.monotonic() - began
    wipe(arena.stack)
    # What is asked for after the wipe must arrive too, although the broker forgot every queue.
    jobs = [*waiting, ada.submit(others[1], 2)]
    ends = [ada.ended(job, seconds=PATIENCE)["state"] for job in jobs]
    seconds = time.monotonic() - began
    say(f"moving again after {moving:.1f} s; all three jobs ended after {seconds:.1f} s")
    figure(
        "R-02",
        value=f"0; {moving:.1f} s" if ends == ["done"] * 3 else f"{ends}",
        n=2,
        holds=None if ends == ["done"] * 3 else False,
        conditions="FLUSHALL twice with three jobs of two items; over HTTP",
    )
    assert ends == ["done"] * 3
    assert [behind.portraits_per_item(job) for job in jobs] == [[1, 1]] * 3


def test_jobs_survive_a_killed_broker(
    arena: Arena, behind: Behind, ada: Person, photos: str
) -> None:
    arena.painters(PAINTERS[0], step=0.2)
    before = ada.submit(photos, 2)
    ada.painting(before)
    arena.stack.kill_service("valkey")
    between = ada.submit(ada_set := _second_set(ada, behind), 1)
    arena.revive_service("valkey")
    began = time.monotonic()
    assert ada.ended(before, seconds=PATIENCE)["state"] == "done"
    assert ada.ended(between, seconds=PATIENCE)["state"] == "done"
    say(f"all done {time.monotonic() - began:.1f} s after the broker's return")
    assert behind.portraits_per_item(before) == [1, 1]
    assert behind.portraits_per_item(between) == [1]
    assert ada.photo_state(ada_set) == "accepted"


def _second_set(person: Person, behind: Behind) -> str:
    """A set that is open already: without a broker, no photo is looked at."""
    found = behind.rows(
        "SELECT s.id FROM portraits_referenceset s JOIN portraits_photo p ON p.set_id = s.id"
        " WHERE s.owner_id = %s AND s.state = 'open' AND p.state = 'accepted' LIMIT 1",
        [person.id],
    )
    return str(found[0][0])
