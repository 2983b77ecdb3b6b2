"""What clients were told, compared with what is there in the end, as Jepsen's checkers do.

What went in must come out: whatever was acknowledged has ended, each portrait once, and nothing is
there that nobody asked for or that was stopped before. An answer that never came may mean either.
Pure: `record` is called by clients of any thread, `check` once everything has come to rest.
"""

import hashlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

OPEN: Final = ("queued", "running")


class Act(StrEnum):
    """What a client asks for."""

    SUBMIT = "submit"
    STOP = "stop"  # a cancellation, a withdrawal, an erasure: the job is stopped by it


class Answer(StrEnum):
    """What it hears."""

    OK = "ok"
    REFUSED = "refused"  # told that nothing was done
    UNKNOWN = "unknown"  # a fault of the line or of the server: it may have been done


@dataclass(frozen=True)
class Event:
    """One request and how it ended, as the client knows it."""

    act: Act
    answer: Answer
    person: str
    key: str = ""
    job: str = ""
    items: int = 0
    # Of what was stopped: the items whose portraits existed when the answer had come.
    kept: tuple[str, ...] = ()
    status: int = 0
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Painted:
    """An item as the ledger has it."""

    id: str
    state: str
    portraits: int
    code: str = ""


@dataclass(frozen=True)
class Ordered:
    """A job as the ledger has it."""

    id: str
    person: str
    key_sha256: str
    state: str
    items: tuple[Painted, ...]


@dataclass(frozen=True)
class Ledger:
    """Everything that is there once the storm is over; names and ids of what should not be."""

    jobs: tuple[Ordered, ...]
    # Bodies that no row knows, and rows whose body is gone.
    orphans: tuple[str, ...] = ()
    bodiless: tuple[str, ...] = ()
    # Photos, and sets that were not to be kept, whose job has ended.
    references: tuple[str, ...] = ()
    # Leases of work that has ended.
    leases: tuple[str, ...] = ()
    # People whose allowance is not what their items count.
    miscounted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the checker found; every list is empty after a storm that nothing was lost in."""

    acknowledged: int
    recovered: int
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    bodiless: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    leases: tuple[str, ...] = ()
    miscounted: tuple[str, ...] = ()
    # How items ended that have no portrait: an outcome that the person was told.
    without: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, int]:
        """How many of each sort of fault; empty if all is well."""
        lists = {name: value for name, value in vars(self).items() if isinstance(value, tuple)}
        return {name: len(value) for name, value in lists.items() if value}

    @property
    def failed(self) -> int:
        """Items that ended as failed."""
        return sum(count for how, count in self.without.items() if how.startswith("failed"))


class History:
    """Filled by many threads."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._turn = threading.Lock()

    def record(self, event: Event) -> Event:
        """Append; in the order in which the answers came."""
        with self._turn:
            self.events.append(event)
        return event

    def keep(self, file: Path, ledger: Ledger, verdict: Verdict, **more: object) -> None:
        """Write it all down raw, so that a verdict can be doubted."""
        raw = {
            **more,
            "verdict": asdict(verdict),
            "events": [asdict(event) for event in self.events],
            "ledger": asdict(ledger),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(raw, indent=1, default=str) + "\n")


def check(events: Sequence[Event], ledger: Ledger) -> Verdict:
    """Compare what was said with what is."""
    submits = [event for event in events if event.act is Act.SUBMIT]
    told = {event.key: event for event in submits if event.answer is Answer.OK}
    there = {job.id: job for job in ledger.jobs}
    asked = {_sha256(event.key) for event in submits}
    answered = {_sha256(key) for key in told}
    recovered = [job for job in ledger.jobs if job.key_sha256 in asked - answered]
    without = Counter(
        f"{item.state} {item.code}".strip()
        for job in ledger.jobs
        for item in job.items
        if item.state not in ("done", *OPEN)
    )
    return Verdict(
        acknowledged=len(told),
        recovered=len(recovered),
        lost=tuple(_lost(told.values(), there)) + tuple(_unended(recovered)),
        doubled=tuple(_doubled(submits, ledger.jobs)),
        unexpected=tuple(_unexpected(events, there, asked)),
        orphans=ledger.orphans,
        bodiless=ledger.bodiless,
        references=ledger.references,
        leases=ledger.leases,
        miscounted=ledger.miscounted,
        without=dict(without),
    )


def _lost(told: Iterable[Event], there: dict[str, Ordered]) -> Iterable[str]:
    for event in told:
        job = there.get(event.job)
        if job is None:
            yield f"job {event.job} is not there"
        elif len(job.items) != event.items:
            yield f"job {event.job} has {len(job.items)} of {event.items} items"
        elif job.key_sha256 != _sha256(event.key) or job.person != event.person:
            yield f"job {event.job} is another's"
        else:
            yield from _unended([job])


def _unended(jobs: Iterable[Ordered]) -> Iterable[str]:
    for job in jobs:
        if job.state in OPEN:
            yield f"job {job.id} is {job.state}"
        for item in job.items:
            if item.state in OPEN:
                yield f"item {item.id} is {item.state}"
            if item.state == "done" and item.portraits == 0:
                yield f"item {item.id} is done without a portrait"


def _doubled(submits: Iterable[Event], jobs: Iterable[Ordered]) -> Iterable[str]:
    for job in jobs:
        for item in job.items:
            if item.portraits > 1:
                yield f"item {item.id} has {item.portraits} portraits"
    keys = Counter((job.person, job.key_sha256) for job in jobs if job.key_sha256)
    yield from (f"key {key} made {count} jobs" for (_, key), count in keys.items() if count > 1)
    named: dict[str, set[str]] = defaultdict(set)
    for event in submits:
        if event.answer is Answer.OK:
            named[event.key].add(event.job)
    for key, ids in named.items():
        if len(ids) > 1:
            yield f"key {_sha256(key)} was told {len(ids)} jobs"


def _unexpected(
    events: Sequence[Event], there: dict[str, Ordered], asked: set[str]
) -> Iterable[str]:
    for job in there.values():
        if job.key_sha256 not in asked:
            yield f"job {job.id} was never asked for"
        for item in job.items:
            if item.portraits and item.state != "done":
                yield f"item {item.id} is {item.state} and has a portrait"
    refused = {event.key for event in events if event.answer is Answer.REFUSED}
    told = {event.key for event in events if event.answer is not Answer.REFUSED}
    sums = {job.key_sha256: job.id for job in there.values()}
    for key in refused - told:
        if _sha256(key) in sums:
            yield f"job {sums[_sha256(key)]} was refused"
    for event in events:
        if event.act is Act.STOP and event.answer is Answer.OK and event.job in there:
            for item in there[event.job].items:
                if item.portraits and item.id not in event.kept:
                    yield f"item {item.id} was painted after its job was stopped"


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
