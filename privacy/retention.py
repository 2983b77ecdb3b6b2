"""The law on one screen: how long each thing may exist. Everything that acts on time reads this."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final


class Kind(IntEnum):
    """What a blob holds. The numbers are FORMAT.md's and never change."""

    UPLOAD = 1
    REFERENCE = 2
    PORTRAIT = 3
    RENDITION = 4
    PROMPT = 5
    SOURCE = 6
    CANARY = 8


@dataclass(frozen=True)
class Rule:
    """`default` applies when nobody chooses; `cap` is the longest that anybody can choose."""

    default: timedelta
    cap: timedelta
    why: str


DEADLINES: Final[dict[Kind, Rule]] = {
    Kind.UPLOAD: Rule(
        timedelta(minutes=10),
        timedelta(minutes=10),
        "A photo as it was sent, until it has been checked and cleaned.",
    ),
    Kind.REFERENCE: Rule(
        timedelta(hours=24),
        timedelta(days=7),
        "A cleaned reference photo, destroyed as soon as the job that it serves has ended.",
    ),
    Kind.PORTRAIT: Rule(
        timedelta(days=30),
        timedelta(days=365),
        "A finished portrait; its owner may shorten this at any time, or extend it.",
    ),
    Kind.RENDITION: Rule(
        timedelta(days=30), timedelta(days=365), "A smaller copy, as long as its portrait."
    ),
    Kind.PROMPT: Rule(timedelta(days=7), timedelta(days=7), "The words of a job."),
    Kind.SOURCE: Rule(
        timedelta(days=7), timedelta(days=7), "A portrait re-sealed for a worker, on request."
    ),
    Kind.CANARY: Rule(timedelta(days=1), timedelta(days=1), "A check that belongs to no person."),
}

IDEMPOTENCY_KEY: Final = timedelta(hours=24)
CONSENT_EVIDENCE: Final = timedelta(days=5 * 365)
RECEIPT: Final = timedelta(days=5 * 365)
FLEET_SEED: Final = timedelta(days=9)  # the sealing day and eight days after it
ORPHAN_GRACE: Final = timedelta(minutes=15)


def deadline(kind: Kind, now: datetime, wanted: datetime | None = None) -> datetime:
    """When a blob written at `now` ends: the default, or what was wanted, never past the cap."""
    rule = DEADLINES[kind]
    return min(wanted or now + rule.default, now + rule.cap)
