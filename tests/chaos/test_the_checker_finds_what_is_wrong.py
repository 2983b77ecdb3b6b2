"""A checker that never complains is worth nothing: every fault is forged here, and found."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.history import (
    Act,
    Answer,
    Event,
    History,
    Ledger,
    Ordered,
    Painted,
    Verdict,
    check,
)

ADA = "ada"


def asked(job: str = "j1", key: str = "k1", items: int = 2) -> Event:
    return Event(Act.SUBMIT, Answer.OK, ADA, key=key, job=job, items=items, status=201)


def painted(number: int, state: str = "done", portraits: int = 1) -> Painted:
    return Painted(f"i{number}", state, portraits)


def job(*items: Painted, name: str = "j1", key: str = "k1", state: str = "done") -> Ordered:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return Ordered(name, ADA, digest, state, items or (painted(1), painted(2)))


def faults(events: Sequence[Event], *jobs: Ordered) -> dict[str, int]:
    return check(events, Ledger(jobs)).faults


def test_a_quiet_day_has_no_fault() -> None:
    verdict = check([asked()], Ledger((job(),)))
    assert (verdict.faults, verdict.acknowledged, verdict.recovered) == ({}, 1, 0)


FORGED: dict[str, tuple[Sequence[Event], Sequence[Ordered], str]] = {
    "a job that is not there": ([asked()], [], "lost"),
    "a job that never ended": ([asked()], [job(state="running")], "lost"),
    "an item that never ended": ([asked()], [job(painted(1), painted(2, "queued", 0))], "lost"),
    "an item fewer": ([asked()], [job(painted(1))], "lost"),
    "done and no portrait": ([asked()], [job(painted(1), painted(2, portraits=0))], "lost"),
    "another person's": ([asked()], [replace(job(), person="bob")], "lost"),
    "unknown, there and stuck": (
        [replace(asked(), answer=Answer.UNKNOWN, job="")],
        [job(state="queued")],
        "lost",
    ),
    "two portraits": ([asked()], [job(painted(1), painted(2, portraits=2))], "doubled"),
    "two jobs of one key": ([asked()], [job(), job(painted(3), name="j2")], "doubled"),
    "one key, two answers": (
        [asked(), asked("j2")],
        [job(), job(painted(3), painted(4), name="j2")],
        "doubled",
    ),
    "never asked for": ([asked()], [job(), job(painted(3), name="j2", key="k2")], "unexpected"),
    "cancelled and painted": ([asked()], [job(painted(1), painted(2, "cancelled"))], "unexpected"),
    "refused and done": (
        [replace(asked(), answer=Answer.REFUSED, job="")],
        [job()],
        "unexpected",
    ),
    "painted after the stop": (
        [asked(), Event(Act.STOP, Answer.OK, ADA, job="j1", kept=("i1",))],
        [job(state="cancelled")],
        "unexpected",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_it_finds(name: str) -> None:
    events, jobs, sort = FORGED[name]
    assert sort in faults(events, *jobs)


@pytest.mark.parametrize("sort", ["orphans", "bodiless", "references", "leases", "miscounted"])
def test_it_passes_on_what_was_left_behind(sort: str) -> None:
    left: dict[str, tuple[str, ...]] = {sort: ("one",)}
    assert check([asked()], Ledger((job(),), **left)).faults == {sort: 1}


def test_an_answer_that_never_came_may_mean_either() -> None:
    unknown = replace(asked(), answer=Answer.UNKNOWN, job="")
    assert faults([unknown]) == {}
    verdict = check([unknown], Ledger((job(),)))
    assert (verdict.faults, verdict.recovered, verdict.acknowledged) == ({}, 1, 0)


def test_asked_again_after_no_answer_it_is_one_job() -> None:
    unknown = replace(asked(), answer=Answer.UNKNOWN, job="")
    refused = replace(asked(), answer=Answer.REFUSED, job="", status=429)
    verdict = check([unknown, refused, asked(), asked()], Ledger((job(),)))
    assert (verdict.faults, verdict.acknowledged, verdict.recovered) == ({}, 1, 0)


def test_what_was_painted_before_the_stop_may_stay() -> None:
    stop = Event(Act.STOP, Answer.OK, ADA, job="j1", kept=("i1",))
    ended = job(painted(1), painted(2, "cancelled", 0), state="cancelled")
    assert faults([asked(), stop], ended) == {}


def test_a_stop_without_an_answer_promises_nothing() -> None:
    stop = Event(Act.STOP, Answer.UNKNOWN, ADA, job="j1")
    assert faults([asked(), stop], job()) == {}


def test_who_ended_without_a_portrait_is_counted_by_reason() -> None:
    ended = job(replace(painted(1, "failed", 0), code="attempts_exhausted"), painted(2))
    verdict = check([asked()], Ledger((ended,)))
    assert (verdict.faults, verdict.failed) == ({}, 1)
    assert verdict.without == {"failed attempts_exhausted": 1}


def test_the_raw_history_is_kept(tmp_path: Path) -> None:
    history, ledger = History(), Ledger((job(),))
    say: Callable[[Event], Event] = history.record
    say(asked())
    verdict: Verdict = check(history.events, ledger)
    history.keep(tmp_path / "chaos" / "one.json", ledger, verdict, seed=3)
    raw = json.loads((tmp_path / "chaos" / "one.json").read_text())
    assert raw["seed"] == 3
    assert raw["events"][0]["answer"] == "ok"
    assert raw["ledger"]["jobs"][0]["items"][0]["state"] == "done"
