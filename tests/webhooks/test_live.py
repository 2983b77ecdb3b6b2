"""The whole way: a job ends on the running stack, and the operator's endpoint hears of it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from tests import styles
from tests.chaos.conftest import running
from tests.chaos.person import Person, record_of, say, wait
from tests.resting import resting
from tests.webhooks.conftest import NEW, OLD
from tests.webhooks.receiver import Receiver, rude

PAINTER = 21


@dataclass
class Told:
    """The live stack with a webhook: who notes events knows its address, the courier its keys."""

    stack: Stack
    indices: list[int] = field(default_factory=list)

    def carry(self, url: str, index: int) -> None:
        """Start a courier for this address."""
        extra = {
            "SITTER_WEBHOOK_URL": url,
            "SITTER_WEBHOOK_KEYS": json.dumps([NEW, OLD]),
            "SITTER_WEBHOOK_INSECURE": "1",
            "SITTER_WEBHOOK_PRIVATE": "1",
        }
        self.indices.append(index)
        running(self.stack.start_role(Role.COURIER, index=index, extra_env=extra))

    def rest(self) -> None:
        for index in self.indices:
            self.stack.stop_role(Role.COURIER, index=index)
        self.indices.clear()


@pytest.fixture(scope="module")
def noting(live: Stack) -> Iterator[Stack]:
    """Upkeep and a painter of its own that note events; the ordinary painter rests meanwhile."""
    extra = {
        "SITTER_WEBHOOK_URL": "http://127.0.0.1:1/",
        "SITTER_ENGINES": json.dumps([styles.PASSTHROUGH]),
    }
    with resting(live, Role.GPU):
        live.stop_role(Role.UPKEEP)
        try:
            live.start_role(Role.UPKEEP, extra_env=extra)
            live.start_role(Role.GPU, index=PAINTER, extra_env=extra)
            live.wait_ready()
            yield live
        finally:
            live.stop_role(Role.GPU, index=PAINTER)
            live.stop_role(Role.UPKEEP)
            live.start_role(Role.UPKEEP)
            live.wait_ready()


@pytest.fixture
def told(noting: Stack) -> Iterator[Told]:
    made = Told(noting)
    yield made
    made.rest()


@pytest.fixture(scope="module")
def ada(live: Stack) -> Iterator[Person]:
    person = Person(live.urls.web)
    yield person
    person.close()


def states(stack: Stack, owner: object) -> list[str]:
    query = "SELECT state FROM portraits_event WHERE owner_id = %s"
    return [str(row[0]) for row in Behind(stack).rows(query, [owner])]


def log_of(stack: Stack, index: int) -> str:
    return record_of(Path(stack.logs(Role.COURIER, index=index)))


def test_the_end_of_a_job_is_told_within_seconds(
    told: Told, ada: Person, receiver: Receiver
) -> None:
    told.carry(receiver.url, 1)
    job = ada.submit(ada.ready_set(), 2)
    ended = ada.ended(job)
    began = time.monotonic()
    wait("three letters", lambda: len(receiver.letters) >= 3, seconds=20)
    seconds = time.monotonic() - began
    say(f"told {seconds:.2f} s after the client saw the end")
    said = [Webhook(NEW).verify(body, headers) for headers, body in receiver.letters]
    assert said == [Webhook(OLD).verify(body, headers) for headers, body in receiver.letters]
    kinds = sorted((one["type"], one["data"]["state"]) for one in said)
    assert kinds == [("item.ended", "done"), ("item.ended", "done"), ("job.ended", ended["state"])]
    items = {item["id"] for item in ended["items"]}
    assert {one["data"]["id"] for one in said} == {job, *items}
    assert {one["data"]["owner"] for one in said} == {str(ada.id)}
    wait("all delivered", lambda: set(states(told.stack, ada.id)) == {"delivered"}, seconds=10)
    text = log_of(told.stack, 1)
    for word in (ada.email, NEW[6:], OLD[6:], f":{receiver.port}"):
        assert word not in text


def test_a_hanging_endpoint_holds_up_no_worker(told: Told, ada: Person) -> None:
    with rude(says=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, each=1.0) as port:
        told.carry(f"http://127.0.0.1:{port}/", 2)
        first = ada.submit(ada.ready_set(), 1)
        assert ada.ended(first)["state"] == "done"
        wait("it drips", lambda: "waiting" in states(told.stack, ada.id), seconds=10)
        # While the courier hangs, photos are judged and portraits painted as ever.
        began = time.monotonic()
        photos = ada.ready_set()
        for _ in range(3):
            assert ada.ended(ada.submit(photos, 1), seconds=30)["state"] == "done"
        say(f"three jobs in {time.monotonic() - began:.1f} s beside a dripping endpoint")
        given_up = wait(
            "a call is over", lambda: '"timed_out"' in log_of(told.stack, 2), seconds=30
        )
        assert given_up
    lines = [json.loads(line) for line in log_of(told.stack, 2).splitlines() if '"webhook"' in line]
    calls = [line["seconds"] for line in lines if line["state"] == "timed_out"]
    assert calls
    assert max(calls) < 12
    assert "waiting" in states(told.stack, ada.id)
    # SIGTERM in mid-call: what is under way is over within its ten seconds.
    began = time.monotonic()
    told.rest()
    assert time.monotonic() - began < 15


def test_an_erasure_takes_what_was_to_be_told_along(told: Told) -> None:
    eve = Person(told.stack.urls.web)
    job = eve.submit(eve.ready_set(), 1)
    assert eve.ended(job)["state"] == "done"
    assert states(told.stack, eve.id) == ["waiting", "waiting"]
    query = "SELECT count(*) FROM privacy_lease WHERE owner_id = %s AND kind = 'webhook'"
    assert Behind(told.stack).rows(query, [eve.id]) == [(2,)]
    eve.confirm()
    erasure = eve.erase()
    assert Behind(told.stack).rows(query, [eve.id]) == [(0,)]
    eve.receipt(erasure)
    assert states(told.stack, eve.id) == []
    eve.close()
