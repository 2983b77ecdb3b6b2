"""The law on one screen: how long each thing may exist. Everything that acts on time reads this."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
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
    EXPORT = 9
    CHECK = 11


class Term(StrEnum):
    """What else ends by time: rows, files, keys, accounts."""

    JOB = "job"
    IDEMPOTENCY_KEY = "idempotency_key"
    SESSION = "session"
    SERVING = "serving"
    CONSENT = "consent"
    EVIDENCE = "evidence"
    AUDIT = "audit"
    RECEIPT = "receipt"
    EXPORT = "export"
    NOTICE = "notice"
    MAIL = "mail"
    STAFF_LOG = "staff_log"
    FACE_CLAIM = "face_claim"
    VERDICT = "verdict"
    RESTORE = "restore"
    FLEET_SEED = "fleet_seed"
    ROOT_EPOCH = "root_epoch"
    ALLOWANCE = "allowance"
    EVENT = "event"
    REPORT = "report"
    CASE = "case"
    CASE_WORDS = "case_words"
    LEGAL_ORDER = "legal_order"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Rule:
    """`default` applies when nobody chooses; `cap` is the longest that anybody can choose."""

    default: timedelta
    cap: timedelta
    why: str


def _fixed(why: str, **length: float) -> Rule:
    return Rule(timedelta(**length), timedelta(**length), why)


DEADLINES: Final[dict[Kind, Rule]] = {
    Kind.UPLOAD: _fixed("A photo as it was sent, until it is checked and cleaned.", minutes=10),
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
        timedelta(days=30), timedelta(days=365), "A smaller copy, or its prompt, as long as it."
    ),
    Kind.PROMPT: _fixed("The words of a job, destroyed as soon as it has ended.", days=7),
    Kind.SOURCE: _fixed("A portrait re-sealed for a worker, on request.", days=7),
    Kind.CHECK: _fixed("A picture handed in to ask whether it was made here.", minutes=2),
    Kind.CANARY: _fixed("A check that belongs to no person.", days=1),
    Kind.EXPORT: _fixed("A part of an export, sealed to its owner.", hours=24),
}

TERMS: Final[dict[Term, Rule]] = {
    Term.JOB: _fixed("A job's row, once it has ended and no portrait of it is left.", days=30),
    Term.IDEMPOTENCY_KEY: _fixed("The hash by which a repeated request is known.", hours=24),
    Term.SESSION: _fixed("A device that is signed in.", days=30),
    Term.SERVING: _fixed("That a consent text was shown; a signature copies the time.", days=90),
    Term.CONSENT: _fixed("That a random id signed or withdrew a text.", days=5 * 365),
    Term.EVIDENCE: _fixed("The typed name of a signature, sealed.", days=5 * 365),
    Term.AUDIT: _fixed("Who did what to which object: verbs, random ids, times.", days=5 * 365),
    Term.RECEIPT: _fixed("That a random id was erased, and the receipt.", days=5 * 365),
    Term.EXPORT: _fixed("An export, whether it was fetched or not.", hours=24),
    Term.NOTICE: _fixed("That a reminder was sent.", days=90),
    Term.MAIL: _fixed("A mail in the local mailbox.", hours=24),
    Term.STAFF_LOG: _fixed("What a member of staff did in the admin, by id.", days=365),
    Term.FACE_CLAIM: _fixed("A report that a face was used without consent.", days=365),
    Term.VERDICT: _fixed("What a role could open in a daily check.", days=30),
    Term.RESTORE: _fixed("An entry of the erasure ledger, for a restored backup.", days=40),
    Term.FLEET_SEED: _fixed("The key of a sealing day, and eight days after it.", days=9),
    Term.ROOT_EPOCH: _fixed("A portrait root: its turn, and the wait behind it.", days=22),
    Term.ALLOWANCE: _fixed("How many portraits were asked for in a month.", days=62),
    Term.EVENT: _fixed("That an operator's system was told of an id.", days=7),
    Term.REPORT: _fixed("That an owner found something wrong with a portrait.", days=365),
    Term.CASE: _fixed("That a request to support was answered, and how.", days=2 * 365),
    Term.CASE_WORDS: _fixed("What was written on a request to support, sealed.", days=365),
    Term.LEGAL_ORDER: _fixed("That a legal order was answered.", days=5 * 365),
    Term.ACCOUNT: _fixed("An account that nobody has used; its owner is warned first.", days=365),
}

ORPHAN_GRACE: Final = timedelta(minutes=15)
# A root takes its turn, then waits, then is destroyed; the day between is for a late beat.
ROOT_TURN: Final = timedelta(days=14)
ROOT_WAIT: Final = timedelta(days=7)
# Days before the end at which the owner is told.
PORTRAIT_REMINDER: Final = timedelta(days=3)
ACCOUNT_WARNINGS: Final = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
# Between two warnings, and between the last one and the end, even when they are late.
WARNING_GAP: Final = timedelta(days=1)
FACE_CLAIM_ANSWER: Final = timedelta(hours=48)
REPORT_ANSWER: Final = timedelta(hours=48)
CASE_ANSWER: Final = timedelta(hours=48)
# Behind its end by more than this, a thing has been missed by several sweeps, and somebody is told.
BLOB_GRACE: Final = timedelta(minutes=2)
ROW_GRACE: Final = timedelta(hours=2)


def is_near(end: datetime, now: datetime) -> bool:
    """Whether something ends so soon that its owner is told."""
    return end - now <= PORTRAIT_REMINDER


def deadline(kind: Kind, now: datetime, wanted: datetime | None = None) -> datetime:
    """When a blob written at `now` ends: the default, or what was wanted, never past the cap."""
    rule = DEADLINES[kind]
    return min(wanted or now + rule.default, now + rule.cap)


def term(what: Term) -> timedelta:
    """How long a thing of this sort is kept."""
    return TERMS[what].default
