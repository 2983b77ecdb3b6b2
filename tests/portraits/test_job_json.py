"""What is said of a job, without a database: percent, outcome, version, pause, and the events."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portraits.job_json import ItemRow, Place, Snapshot
from portraits.outcomes import counts, outcome
from portraits.streams import Telling, event

AT = datetime(2026, 11, 22, 10, 0, 0, 120000, tzinfo=UTC)


def item(state: str = "queued", percent: int = 0, sequence: int = 0) -> ItemRow:
    return ItemRow(uuid.uuid4(), "oil", 7, state, "waiting", percent, "", sequence, None)


def job(*items: ItemRow, state: str = "running", sequence: int = 5, **more: Any) -> Snapshot:
    return Snapshot(
        uuid.UUID(int=1), state, "interactive", sequence, None, AT, None, AT, items, **more
    )


def names(said: list[bytes]) -> list[str]:
    return [line[7:] for part in said for line in part.decode().split("\n") if line[:6] == "event:"]


def test_what_has_ended_counts_whole() -> None:
    assert job(item("failed"), item("running", 51), item()).percent == 50
    assert job().percent == 0


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["done", "done"], "complete"),
        (["done", "failed"], "partial"),
        (["blocked", "cancelled"], "nothing"),
        (["done", "running"], None),
        (["queued"], None),
    ],
)
def test_an_outcome_is_said_once_all_has_ended(states: list[str], expected: str | None) -> None:
    assert outcome(states) == expected
    assert sum(counts(states).values()) == len(states)
    assert len(counts(states)) == 7


def test_the_version_changes_with_anything_that_is_said() -> None:
    first = job(item())
    assert first.version.startswith('"5-')
    moved = replace(first, place=Place(3, 20, None))
    nearer = replace(first, place=Place(2, 20, None))
    later = replace(first, sequence=6)
    assert len({snap.version for snap in (first, moved, nearer, later)}) == 4
    assert replace(first).version == first.version


@pytest.mark.parametrize(
    ("place", "seconds"),
    [
        (None, 1),
        (Place(1, 0, None), 1),
        (Place(1, 3, None), 1),
        (Place(9, 40, None), 10),
        (Place(500, 3600, None), 30),
        (Place(4, None, "No running worker has the engine."), 1),
        (Place(150, None, None), 15),
    ],
)
def test_whoever_is_far_back_is_asked_to_come_back_later(place: Place | None, seconds: int) -> None:
    assert job(item(), state="queued", place=place).pause == seconds


def test_an_ended_job_has_no_pause() -> None:
    assert job(item("done"), state="done").pause is None


def test_times_are_written_as_everywhere() -> None:
    assert job(item()).head["created_at"] == "2026-11-22T10:00:00.120000Z"


def test_an_event_is_one_line_of_json() -> None:
    lines = event("job", 5, {"text": "two\nlines"}).decode().split("\n")
    assert lines[:2] == ["id: 5", "event: job"]
    assert json.loads(lines[2].removeprefix("data: ")) == {"text": "two\nlines"}
    assert lines[3:] == ["", ""]


def test_a_stream_says_the_whole_then_only_what_is_new() -> None:
    old, new = item(sequence=2), item(sequence=5)
    telling = Telling(None)
    (whole,) = telling.next(job(old, new))
    assert len(json.loads(whole.split(b"data: ")[1])["items"]) == 2
    assert telling.next(job(old, new)) == []
    (update,) = telling.next(job(old, replace(new, percent=9, sequence=6), sequence=6))
    assert [one["id"] for one in json.loads(update.split(b"data: ")[1])["items"]] == [str(new.id)]


def test_a_place_in_the_queue_is_told_though_it_has_no_number() -> None:
    telling = Telling(None)
    waiting = job(item(), state="queued", place=Place(3, None, None))
    telling.next(waiting)
    assert telling.next(replace(waiting)) == []
    assert names(telling.next(replace(waiting, place=Place(2, None, None)))) == ["update"]


def test_a_late_row_rewinds_nothing() -> None:
    telling = Telling(None)
    telling.next(job(item(sequence=9), sequence=9))
    assert telling.next(job(item(sequence=8), sequence=8)) == []
    assert telling.seen == 9


def test_who_has_seen_all_is_told_nothing_until_there_is_news() -> None:
    telling = Telling(5)
    assert telling.next(job(item(sequence=5))) == []
    assert names(telling.next(job(item(sequence=6), sequence=6))) == ["update"]


def test_who_has_seen_more_than_there_is_is_told_everything() -> None:
    assert names(Telling(99).next(job(item()))) == ["job"]


def test_the_end_is_told_once_with_the_last_change() -> None:
    telling = Telling(5)
    ended = job(item("done", sequence=6), state="done", sequence=6)
    assert names(telling.next(ended)) == ["update", "end"]
    assert names(Telling(None).next(ended)) == ["job", "end"]
