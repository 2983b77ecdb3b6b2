"""The daily proof: every promise looked at on the running system, safe at any moment.

It reads, plants canaries of no person and destroys them, and writes to the database alone: each
role's verdict, an audit event, and the day's report, which is numbers, signed and public. A check
that cannot be made has failed: what nobody could look at is not proved.
"""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import Error as DatabaseFault

from privacy import audit, probes, proofbodies, proofchecks, signing
from privacy.errors import PrivacyError
from privacy.models import Ledger, TransparencyReport
from privacy.witnesses import Seen

log = logging.getLogger(__name__)

WAIT: Final = timedelta(seconds=30)
Look = Callable[[datetime], Seen]

# name → what holds when it passes. The names are stable: reports of different days are compared.
SENTENCES: Final[dict[str, str]] = {
    "past_deadline": "Nothing exists past its deadline by more than one sweep.",
    "blob_complete": "Every stored blob has its row, its capsule and its key.",
    "consent_of_inputs": "Living photos, and keeping them, have a consent; portraits name theirs.",
    "orphan_objects": "Every object in the bucket has its row.",
    "orphan_rows": "Every stored row has its object.",
    "bodies_match": "Sealed bodies have the length and the SHA-256 of their rows.",
    "ledger.consent": "The consent ledger is as it was sealed.",
    "ledger.audit": "The audit trail is as it was sealed.",
    "inventory": "Every table and field of the installation is listed, and no other is there.",
    "facts": "The public facts are what settings and retention say.",
    "erasures_late": "Every erasure is proved within an hour.",
    "receipts_verify": "Every proved erasure has a receipt that verifies.",
    "root_age": "Portrait roots end in time, and every living owner's root is alive.",
    "bucket": "The bucket is private and keeps nothing that was deleted.",
    "restore_ledger": "The erasure ledger is decided, and no replay is due.",
}
OPENS_NOTHING_ELSE: Final = "The role {0} opens its own canaries and no other."
HAS_NO_LOGIN: Final = "The role {0} has no login and no key."
NO_ANSWER: Final = "The role {0} did not answer; start it, or look into its log."
NOT_SEEN: Final = "This could not be looked at ({0})."


@dataclass(frozen=True)
class Result:
    """One check: its stable name, one sentence, how many things were seen, and how many wrong."""

    name: str
    holds: bool
    says: str
    n: int
    wrong: int


def run(
    now: datetime,
    *,
    wait: timedelta = WAIT,
    grace: timedelta = proofbodies.GRACE,
    everything: bool = False,
) -> list[Result]:
    """Upkeep: every check, and the day's report. `everything`: hash every body, not a sample.

    `wait` is how long the other roles are waited for, and `grace` how long an object may lie
    without a row: none, where nothing else goes on. Raises KeyNotHeld in any other role.
    """
    signing.sign({})  # who cannot sign the report need not begin
    results = [
        _result(name, SENTENCES[name], look, now) for name, look in _looks(grace, everything)
    ]
    results += _compartments(now, wait)
    _publish(results, now)
    return results


def due(today: date) -> bool:
    """Whether today's report is still missing."""
    return not TransparencyReport.objects.filter(day=today).exists()


def _looks(grace: timedelta, everything: bool) -> Iterator[tuple[str, Look]]:
    yield "past_deadline", proofchecks.past_deadline
    yield "blob_complete", proofbodies.blob_complete
    yield "consent_of_inputs", proofbodies.consent_of_inputs
    # One walk through the bucket answers both.
    walk = functools.cache(functools.partial(proofbodies.orphans, grace=grace))
    yield "orphan_objects", lambda now: walk(now)[0]
    yield "orphan_rows", lambda now: walk(now)[1]
    yield "bodies_match", functools.partial(proofbodies.bodies_match, everything=everything)
    yield "ledger.consent", functools.partial(proofchecks.ledger, Ledger.CONSENT)
    yield "ledger.audit", functools.partial(proofchecks.ledger, Ledger.AUDIT)
    yield "inventory", proofchecks.inventory
    yield "facts", proofchecks.facts
    yield "erasures_late", proofchecks.erasures_late
    yield "receipts_verify", proofchecks.receipts_verify
    yield "root_age", proofchecks.root_age
    yield "bucket", proofchecks.bucket_faults
    yield "restore_ledger", proofchecks.restore_ledger


def _result(name: str, sentence: str, look: Look, now: datetime) -> Result:
    try:
        seen = look(now)
    except (PrivacyError, DatabaseFault, ValueError, KeyError) as error:
        log.warning("not_proved", extra={"kind": name, "error": type(error).__name__})
        return Result(name, False, NOT_SEEN.format(type(error).__name__), 0, 1)
    return Result(name, not seen.wrong, sentence, seen.looked_at, seen.wrong)


def _compartments(now: datetime, wait: timedelta) -> list[Result]:
    results = []
    heard: dict[str, dict[str, str]] = {}
    try:
        with _canaries(now) as run_id:
            probes.ask(run_id, now)
            heard = probes.hear(run_id, now, wait)
    except PrivacyError as error:
        log.warning("no_canaries", extra={"error": type(error).__name__})
    for role in (*probes.OPENS, *proofchecks.NO_LOGIN):
        look = functools.partial(_compartment, role, heard)
        says = HAS_NO_LOGIN if role in proofchecks.NO_LOGIN else OPENS_NOTHING_ELSE
        if role in probes.OPENS and role not in heard:
            says = NO_ANSWER
            results.append(Result(f"compartment.{role}", False, says.format(role), 0, 1))
        else:
            results.append(_result(f"compartment.{role}", says.format(role), look, now))
    return results


def _compartment(role: str, heard: dict[str, dict[str, str]], now: datetime) -> Seen:
    return proofchecks.compartment(role, heard)


@contextmanager
def _canaries(now: datetime) -> Iterator[Any]:
    run_id = probes.plant(now)
    try:
        yield run_id
    finally:
        probes.clear(run_id)


def _publish(results: list[Result], now: datetime) -> None:
    """Numbers only: names of checks, whether they hold, and how much was looked at."""
    failed = sum(not result.holds for result in results)
    signed = signing.sign(
        {
            "kind": "transparency",
            "day": now.date().isoformat(),
            "at": now.isoformat(),
            "holds": not failed,
            "checks": [asdict(result) for result in results],
            "code": {"version": settings.VERSION, "build": settings.BUILD},
        }
    )
    TransparencyReport.objects.update_or_create(
        day=now.date(),
        defaults={
            "statement": signed["statement"],
            "key_label": signed["statement"]["key"],
            "signature": signed["signature"],
            "at": now,
        },
    )
    verb = audit.Verb.PROOF_FAILED if failed else audit.Verb.PROVED
    audit.record(verb, count=failed or len(results), reason=audit.Reason.PROOF)
