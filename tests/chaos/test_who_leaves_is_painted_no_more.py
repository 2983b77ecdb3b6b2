"""Erase, withdraw, cancel while a portrait is being painted: it never appears."""

import time
from collections.abc import Callable, Iterator

import pytest

from deploy.prove.behind import Behind
from privacy.retention import Kind
from tests.chaos.arena import FACE, PAINTERS, Arena
from tests.chaos.person import Person, say, wait
from tests.figures import figure

STEP = 0.3


@pytest.fixture
def stranger(arena: Arena) -> Iterator[Callable[[], Person]]:
    """New people, for tests after which they are gone."""
    people: list[Person] = []

    def make() -> Person:
        people.append(Person(arena.stack.urls.web, style=FACE))
        return people[-1]

    yield make
    for person in people:
        person.close()


def nothing_left(behind: Behind, prefix: str) -> None:
    """No body, whole or half sent, is left under the person's prefix."""
    wait("the bodies leave the bucket", lambda: not behind.names_of(prefix), seconds=20)
    found = behind.s3.list_multipart_uploads(Bucket=behind.bucket)
    assert not [item for item in found.get("Uploads", []) if prefix in item["Key"]]


def test_erasing_oneself_stops_the_painting_and_leaves_nothing(
    arena: Arena, behind: Behind, stranger: Callable[[], Person], ada: Person, photos: str
) -> None:
    arena.painters(PAINTERS[0], step=STEP)
    person = stranger()
    prefix = behind.prefix(person.id)
    job = person.submit(person.ready_set(keep=False))
    person.confirm()
    person.painting(job)
    assert behind.names_of(prefix)
    began = time.monotonic()
    erasure = person.erase()
    shredded = time.monotonic() - began
    gone = behind.rows("SELECT wrapped FROM privacy_ownerkey WHERE owner_id = %s", [person.id])
    receipt = person.receipt(erasure)["receipt"]
    seconds = time.monotonic() - began
    assert all(row[0] is None for row in gone)
    assert receipt["statement"]["erasure"] == erasure
    assert receipt["statement"]["destroyed"]["reference"] == 1
    assert person.http.get("/v1/portraits").status_code == 401
    # Whoever asks next is painted: the painter let go.
    following = ada.submit(photos)
    assert ada.ended(following)["state"] == "done"
    nothing_left(behind, prefix)
    assert behind.rows("SELECT 1 FROM portraits_portrait WHERE owner_id = %s", [person.id]) == []
    assert behind.rows("SELECT 1 FROM privacy_blob WHERE owner_id = %s", [person.id]) == []
    say(f"key destroyed after {shredded:.2f} s, proved after {seconds:.2f} s")
    figure(
        "E-01",
        value=f"{seconds:.1f} s; {shredded:.2f} s",
        n=1,
        holds=seconds <= 60 and shredded <= 2,
        conditions="one person, one photo, erased while a portrait was being painted",
    )


def test_withdrawing_stops_the_painting(
    arena: Arena, behind: Behind, stranger: Callable[[], Person]
) -> None:
    arena.painters(PAINTERS[0], step=STEP)
    person = stranger()
    prefix = behind.prefix(person.id)
    job = person.submit(person.ready_set())
    person.painting(job)
    person.ok(person.http.post("/v1/consents/withdrawal", json={"portraits": "erase"}))
    assert person.job(job)["state"] == "cancelled"
    time.sleep(STEP * 10 + 1)
    assert behind.portraits_per_item(job) == [0]
    assert person.portraits() == []
    assert not any(behind.stored(person.id, kind) for kind in Kind)
    nothing_left(behind, prefix)
    answer = person.http.post("/v1/reference-sets", json={})
    assert answer.status_code == 403


def test_cancelling_stops_within_a_step_and_spares_the_next_job(
    arena: Arena, behind: Behind, ada: Person, photos: str
) -> None:
    other = ada.ready_set()
    arena.painters(PAINTERS[0], step=STEP)
    first = ada.submit(photos)
    ada.painting(first)
    second = ada.submit(other)
    wait("the second is fetched", lambda: ada.job(second)["state"] == "running")
    ada.ok(ada.http.post(f"/v1/jobs/{first}/cancel"))
    struck = time.monotonic()
    ada.painting(second)
    freed = time.monotonic() - struck
    assert ada.ended(second)["state"] == "done"
    assert ada.job(first)["state"] == "cancelled"
    assert behind.portraits_per_item(first) == [0]
    assert behind.portraits_per_item(second) == [1]
    say(f"the engine was free {freed:.2f} s after the cancel, at {STEP} s a step")
    figure(
        "R-11",
        value=0,
        n=1,
        holds=None,
        conditions=f"cancelled over HTTP; engine free after {freed:.2f} s at {STEP} s a step",
    )
    assert freed < STEP + 1
