"""People at clients that do not give up: who gets no answer asks again, with the same key.

Each request and its answer goes into the history. A fault of the line or a 5xx means that it may
have been done or not; only a 4xx says that it was not.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.arena import FACE, WORDS, Arena
from tests.chaos.history import Act, Answer, Event, History
from tests.chaos.person import Person, views

PATIENCE: Final = 120.0
PAUSE: Final = 0.3


@dataclass
class Client:
    """One person; used by one thread at a time."""

    person: Person
    history: History
    # What HTTP said, by status; 0 where nothing did.
    statuses: Counter[int] = field(default_factory=Counter)
    # When each submission was acknowledged, by job.
    told_at: dict[str, float] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)

    def submit(self, *, style: str = WORDS, items: int = 1, set_id: str | None = None) -> str:
        """Ask until there is an answer; returns the job, or nothing where it was refused."""
        body: dict[str, Any] = {"items": [{"style": style}] * items}
        if set_id:
            body["reference_set"] = set_id
        key = uuid.uuid4().hex
        asked = time.time()
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.ask("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": key})
            said = _meaning(answer)
            job = str(answer.json()["id"]) if answer is not None and said is Answer.OK else ""
            self.history.record(
                Event(
                    Act.SUBMIT,
                    said,
                    str(self.person.id),
                    key=key,
                    job=job,
                    items=items,
                    status=answer.status_code if answer is not None else 0,
                )
            )
            if job:
                self.told_at[job], self.asked_at[job] = time.time(), asked
                return job
            busy = answer is not None and answer.status_code == 429
            if (said is Answer.REFUSED and not busy) or time.monotonic() > deadline:
                return ""
            time.sleep(PAUSE)

    def with_photo(self) -> str:
        """A job from one photo, which must be gone in the end."""
        set_id = self._set()
        return self.submit(style=FACE, set_id=set_id) if set_id else ""

    def _set(self) -> str:
        deadline = time.monotonic() + PATIENCE
        made = self.until("POST", "/v1/reference-sets", deadline, json={"keep": False})
        if made is None:
            return ""
        path = f"/v1/reference-sets/{made['id']}"
        jpeg = {"Content-Type": "image/jpeg"}
        photo = views()["front"]
        self.until("PUT", f"{path}/photos/front", deadline, content=photo, headers=jpeg)
        while time.monotonic() < deadline:
            found = self.until("GET", path, deadline) or {"photos": []}
            states = {photo["state"] for photo in found["photos"]}
            if states == {"accepted"}:
                return str(made["id"])
            if states - {"checking", "accepted"}:
                return ""
            time.sleep(PAUSE)
        return ""

    def stop(self, job: str, *, withdraw: bool = False) -> float | None:
        """Cancel, or withdraw the consent; returns when the 200 had come, None without one."""
        if withdraw:
            answer = self.ask("POST", "/v1/consents/withdrawal", json={"portraits": "keep"})
        else:
            answer = self.ask("POST", f"/v1/jobs/{job}/cancel")
        at, said = time.time(), _meaning(answer)
        kept: tuple[str, ...] = ()
        if said is Answer.OK:
            found = self.person.job(job)
            kept = tuple(item["id"] for item in found["items"] if item["state"] == "done")
        event = Event(Act.STOP, said, str(self.person.id), job=job, kept=kept, at=at)
        self.history.record(event)
        return at if said is Answer.OK else None

    def until(self, verb: str, path: str, deadline: float, **more: Any) -> Any:
        """The JSON of an answer, asked for again and again; None where there is none in time."""
        while time.monotonic() < deadline:
            answer = self.ask(verb, path, **more)
            if answer is not None and answer.is_success:
                return answer.json()
            time.sleep(PAUSE)
        return None

    def ask(self, verb: str, path: str, **more: Any) -> httpx.Response | None:
        """One request; nothing where nobody answered."""
        answer = None
        with suppress(httpx.TransportError):
            answer = self.person.http.request(verb, path, **more)
        self.statuses[answer.status_code if answer is not None else 0] += 1
        return answer


def _meaning(answer: httpx.Response | None) -> Answer:
    if answer is None or answer.status_code >= 500:
        return Answer.UNKNOWN
    return Answer.OK if answer.is_success else Answer.REFUSED


@dataclass
class Crowd:
    """Some people who order side by side, each at random moments within a time."""

    arena: Arena
    count: int
    seed: int
    history: History = field(default_factory=History)
    clients: list[Client] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _errors: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clients = [Client(self.arena.newcomer(), self.history) for _ in range(self.count)]

    @property
    def people(self) -> list[uuid.UUID]:
        return [client.person.id for client in self.clients]

    @property
    def statuses(self) -> Counter[int]:
        return sum((client.statuses for client in self.clients), Counter())

    def begin(
        self, jobs: int, seconds: float, *, photos: int = 0, items: Sequence[int] = (1,)
    ) -> None:
        """Order so many jobs in all, some from photos, spread over so long."""
        for number, client in enumerate(self.clients):
            dice = random.Random(self.seed * 1000 + number)
            share = range(number, jobs, self.count)
            faces = {place for place in share if place < photos}
            args = (client, dice, [place in faces for place in share], seconds, items)
            thread = threading.Thread(target=self._order, args=args, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _order(
        self,
        client: Client,
        dice: random.Random,
        faces: list[bool],
        seconds: float,
        items: Sequence[int],
    ) -> None:
        began = time.monotonic()
        moments = sorted(dice.uniform(0, seconds) for _ in faces)
        try:
            for face, moment in zip(faces, moments, strict=True):
                time.sleep(max(0.0, began + moment - time.monotonic()))
                if face:
                    client.with_photo()
                else:
                    client.submit(items=dice.choice(items))
        except BaseException as error:  # noqa: BLE001 - told where the crowd is waited for
            self._errors.append(error)

    def ordering(self) -> bool:
        """Whether somebody still orders."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, seconds: float = 300.0) -> None:
        """Wait until everybody has ordered."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not self.ordering(), "somebody still waits for an answer"
        if self._errors:
            raise self._errors[0]

    def close(self) -> None:
        for client in self.clients:
            client.person.close()
