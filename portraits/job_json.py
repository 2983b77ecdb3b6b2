"""What a client reads of a job: one shape for polls, lists, answers and streams (pure).

The rows come from job_rows.py. A version names what was said: it differs whenever the text would.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from portraits.models import Item, Job
from portraits.outcomes import counts, outcome

# A client that is told to come back sooner than this many seconds gains nothing.
SOONEST, LATEST = 1, 30
# Of those ahead in the queue, so many are taken to be painted in a second when no ETA is known.
AHEAD_A_SECOND: Final = 10


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands."""

    position: int
    eta_seconds: int | None
    notice: str | None


@dataclass(frozen=True)
class ItemRow:
    """One item as the database has it."""

    id: uuid.UUID
    style: str
    seed: int
    state: str
    phase: str
    percent: int
    code: str
    sequence: int
    portrait: uuid.UUID | None

    @property
    def body(self) -> dict[str, Any]:
        """As the client reads it."""
        return {
            "id": str(self.id),
            "style": self.style,
            "seed": self.seed,
            "state": self.state,
            "phase": self.phase,
            "percent": self.percent,
            "code": self.code or None,
            "portrait": str(self.portrait) if self.portrait else None,
            "image": image_of(self.portrait) if self.portrait else None,
        }


@dataclass(frozen=True)
class Snapshot:
    """A job at one moment: everything in it belongs to one sequence number."""

    id: uuid.UUID
    state: str
    lane: str
    sequence: int
    reference_set: uuid.UUID | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    items: Sequence[ItemRow]
    place: Place | None = None

    @property
    def open(self) -> bool:
        """Whether anything can still change."""
        return self.state in Job.OPEN

    @property
    def percent(self) -> int:
        """The mean of the items; what has ended counts whole."""
        ended = [item.percent if item.state in Item.OPEN else 100 for item in self.items]
        return sum(ended) // max(1, len(ended))

    @cached_property
    def head(self) -> dict[str, Any]:
        """The job without its items."""
        states = [item.state for item in self.items]
        place = self.place
        return {
            "id": str(self.id),
            "state": self.state,
            "sequence": self.sequence,
            "percent": self.percent,
            "lane": self.lane,
            "queue": place
            and {
                "position": place.position,
                "eta_seconds": place.eta_seconds,
                "notice": place.notice,
            },
            "counts": counts(states),
            "outcome": outcome(states),
            "reference_set": str(self.reference_set) if self.reference_set else None,
            "created_at": moment(self.created_at),
            "ended_at": self.ended_at and moment(self.ended_at),
            "expires_at": moment(self.expires_at),
            "links": links(self.id),
        }

    def body(self, *, after: int = -1) -> dict[str, Any]:
        """The job, with those of its items that have changed after a sequence number."""
        changed = [item.body for item in self.items if item.sequence > after]
        return {**self.head, "items": changed}

    @cached_property
    def text(self) -> bytes:
        """The body of an answer."""
        return as_text(self.body())

    @cached_property
    def version(self) -> str:
        """Its ETag: the sequence number, and a hash for what changes without one."""
        return f'"{self.sequence}-{hashlib.blake2b(self.text, digest_size=6).hexdigest()}"'

    @property
    def pause(self) -> int | None:
        """Seconds after which asking again makes sense; None once it has ended."""
        if not self.open:
            return None
        if self.place is None:
            return SOONEST
        eta = self.place.eta_seconds
        # A quarter of what is left: seldom while it is far, and more often the nearer it comes.
        guess = eta // 4 if eta is not None else self.place.position // AHEAD_A_SECOND
        return max(SOONEST, min(LATEST, guess))


def links(job_id: uuid.UUID) -> dict[str, str]:
    """Where a client goes from here."""
    own = f"/v1/jobs/{job_id}"
    return {"self": own, **{name: f"{own}/{name}" for name in ("events", "cancel", "archive")}}


def image_of(portrait_id: uuid.UUID) -> str:
    """Where a portrait's picture is."""
    return f"/v1/portraits/{portrait_id}/image"


def as_text(body: dict[str, Any]) -> bytes:
    """JSON as the rest of the API writes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def moment(at: datetime) -> str:
    """A time as the rest of the API writes it."""
    text = at.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
