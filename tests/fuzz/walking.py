"""Schemathesis walks through the whole contract: single requests, good and bad, and long ways along
the document's links, each answer held against the document.

Owns who asks: whoever loses their session, consent or photos on the way is followed by somebody
new, so that what comes later still means something.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from deploy.contract.files import WRITTEN, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.api.people import People, Person

TOKEN: Final = "X-Session-Token"
# Who asks for one of these may be without a session, an account or a consent afterwards.
LEAVES: Final = frozenset(
    {"changePassword", "endSession", "eraseMe", "resetPassword", "signOut", "withdrawConsent"}
)
# Who has a session already is told so, whatever else they send.
ALONE: Final = frozenset({"resetPassword"})
# Signing out twice is safe: who has no session is told that it is over, and that is so. A new
# password may be asked for by any address, so that no answer tells who has one.
EXEMPT: Final = (
    ("requestPasswordReset", "negative_data_rejection"),
    ("signOut", "ignored_auth"),
    ("signOut", "missing_required_header"),
    ("signOut", "negative_data_rejection"),
)
USES: Final = 25
STREAM: Final = "text/event-stream"
EVENT: Final = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"enum": ["job", "update", "end"]},
        "data": {"type": "string"},
    },
}
ALL: Final = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Door:
    """Gives each request the session of somebody who can still use it."""

    people: People
    made: int = 0
    left: int = 0
    stays: Person | None = None
    leaves: Person | None = None

    def token(self, name: str) -> str:
        """By what the operation does to whoever asks for it."""
        if name in LEAVES:
            if self.leaves is None or self.left <= 0:
                self.leaves, self.left, self.made = self.people.make(), USES, self.made + 1
            self.left -= 1
            return str(self.leaves.http.headers[TOKEN])
        if self.stays is None:
            self.stays, self.made = self._settled(), self.made + 1
        return str(self.stays.http.headers[TOKEN])

    def _settled(self) -> Person:
        """Somebody with photos, a job that has ended, and a portrait."""
        person = self.people.make()
        person.ended(person.submit(person.set_with_photo(keep_hours=24)).json()["id"])
        return person


@dataclass
class Found:
    """What came of a walk."""

    cases: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def take(self, event: Any) -> None:
        """One of the engine's events."""
        if isinstance(event, events.ScenarioFinished):
            self._scenario(event)
        elif isinstance(event, events.NonFatalError):
            self.errors.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            self.errors.append(repr(event.exception))

    def _scenario(self, event: Any) -> None:
        recorder = event.recorder
        for case, interaction in recorder.interactions.items():
            self.cases += 1
            self.phases[str(event.phase.value)] += 1
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
                self.asked[_label(recorder, case)] += 1
        for case, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is None:
                    continue
                failure = check.failure_info.failure
                where = f"{check.name}: {_label(recorder, case)}: {failure.title}"
                said = f"{failure.message}\n{check.failure_info.code_sample}"
                self.failures.setdefault(f"{where}: {failure.message[:60]}", said)


def _label(recorder: Any, case: str) -> str:
    return str(recorder.cases[case].value.operation.label)


def operations() -> int:
    """So many the contract has."""
    return sum(len(entry) for entry in read(WRITTEN)["paths"].values())


def _document() -> Any:
    """The contract; what a stream is made of, OpenAPI 3.1 has no words for, and here they are."""
    document = read(WRITTEN)
    for entry in document["paths"].values():
        for operation in entry.values():
            for answer in operation["responses"].values():
                if STREAM in answer.get("content", {}):
                    answer["content"][STREAM] = {"schema": EVENT}
    return document


def walk(
    people: People,
    *,
    checks: Sequence[str],
    phases: Sequence[str] = ALL,
    examples: int,
    steps: int = 8,
    seconds: int | None = None,
    seed: int = 1,
) -> Found:
    """All of the contract, against the running stack."""
    said = {
        "seed": seed,
        "base-url": people.live.urls.web,
        "request-timeout": 60,
        "continue-on-failure": True,
        "generation": {
            "max-examples": examples,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": {
            **{phase: {"enabled": phase in phases} for phase in ALL},
            "stateful": {"enabled": "stateful" in phases, "max-steps": steps},
        },
        "checks": {"enabled": False, **{check: {"enabled": True} for check in checks}},
        "operations": [
            {
                "include-operation-id": operation,
                "checks": {
                    check: {"enabled": False} for name, check in EXEMPT if name == operation
                },
            }
            for operation in {name for name, _ in EXEMPT}
        ],
    }
    config = SchemathesisConfig.from_dict(said)
    if seconds is not None:
        config.max_time = seconds
    schema = schemathesis.openapi.from_dict(_document(), config=config)
    door = Door(people)

    @schema.auth(refresh_interval=None)
    class _Sessions:
        def get(self, case: Any, context: Any) -> str | None:
            asked = context.operation.definition.raw
            if asked["operationId"] in ALONE or {"sessionToken": []} not in asked.get(
                "security", ()
            ):
                return None
            return door.token(asked["operationId"])

        def set(self, case: Any, data: str, context: Any) -> None:
            """Beside the headers that were made up; what was made up for this one stays."""
            case.headers.setdefault(TOKEN, data)

    found = Found()
    for event in from_schema(schema).execute():
        found.take(event)
    return found
