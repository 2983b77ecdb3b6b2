"""Canaries of no person, and each role's own try to open them. The roles do not believe each other.

Upkeep plants a run: two blobs, sealed to the fleet and to the system owner, and one signature,
sealed to the evidence key. Each role tries all of them with its own login and its own keys, and
writes what happened into a row of its own. Refuses a call to the web that upkeep did not sign.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, transaction

from privacy import crypto, dispatch, keys, signing, vault
from privacy.audit import Reason
from privacy.consent import EVIDENCE_KIND
from privacy.crypto import Context, Recipient
from privacy.errors import NotReady, PrivacyError, ProbeRefused
from privacy.models import Blob, Verdict
from privacy.plain import Plain

log = logging.getLogger(__name__)

# What each role is able to open, and nothing else; the key table as data.
OPENS: Final[Mapping[str, frozenset[str]]] = {
    "web": frozenset({"owner"}),
    "intake": frozenset({"fleet"}),
    "gpu": frozenset({"fleet"}),
    "keeper": frozenset({"evidence"}),
    "upkeep": frozenset(),
}
CANARIES: Final = ("fleet", "owner", "evidence")
OPENED: Final = "opened"
# A key that is not held, a grant that is missing. Anything else is a fault and proves nothing.
REFUSALS: Final = ("KeyNotHeld", "ProgrammingError")
MANIFEST: Final = "canaries"
PATH: Final = "/internal/probe"
CALL_FRESH: Final = timedelta(seconds=60)
# A worker that sleeps through a proof is believed from the day before.
VERDICT_FRESH: Final = timedelta(hours=25)
POLL_SECONDS: Final = 0.2


def plant(now: datetime) -> uuid.UUID:
    """Upkeep: seal the canaries of a new run and write down where they lie."""
    run_id = uuid.uuid4()
    fleet = vault.draft_canary(Recipient.FLEET, now)
    owner = vault.draft_canary(Recipient.OWNER, now)
    label, public = keys.evidence_public(now.date())
    sealed = crypto.seal(Plain(os.urandom(32)), public, _signature_of(run_id))
    with transaction.atomic():
        keys.hold_owner(keys.SYSTEM_OWNER)
        if not vault.commit([fleet, owner]):
            raise NotReady
        Verdict.objects.create(
            run_id=run_id,
            role=MANIFEST,
            at=now,
            outcomes={
                "fleet": str(fleet.blob_id),
                "owner": str(owner.blob_id),
                # As in the real ledger, a signature is a row and no blob.
                "evidence": [label, sealed.capsule.hex(), bytes(sealed.body).hex()],
            },
        )
    return run_id


def clear(run_id: uuid.UUID) -> None:
    """Upkeep: the canaries of a run have served."""
    manifest = Verdict.objects.filter(run_id=run_id, role=MANIFEST).first()
    if manifest is not None:
        ids = [manifest.outcomes["fleet"], manifest.outcomes["owner"]]
        vault.destroy(Blob.objects.filter(pk__in=ids), why=Reason.PROOF)


def probe(run_id: uuid.UUID, now: datetime) -> bool:
    """Any role: try every canary of a run in this process and say so. False: there is no such run.

    A second try of a run changes nothing.
    """
    manifest = Verdict.objects.filter(run_id=run_id, role=MANIFEST).first()
    if manifest is None:
        return False
    said = manifest.outcomes
    tries: dict[str, Callable[[], Any]] = {
        "fleet": lambda: vault.read(uuid.UUID(said["fleet"]), now, why=Reason.PROOF),
        "owner": lambda: vault.read(uuid.UUID(said["owner"]), now, why=Reason.PROOF),
        "evidence": lambda: _open_signature(run_id, *said["evidence"]),
    }
    outcomes = {name: _outcome(attempt) for name, attempt in tries.items()}
    row = Verdict(run_id=run_id, role=str(settings.ROLE), outcomes=outcomes, at=now)
    Verdict.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _open_signature(run_id: uuid.UUID, label: str, enc: str, body: str) -> Plain:
    sealed = crypto.stored(bytes.fromhex(enc), bytes.fromhex(body))
    return crypto.unseal(sealed, keys.evidence_seed(label), _signature_of(run_id))


def _signature_of(run_id: uuid.UUID) -> Context:
    return Context(EVIDENCE_KIND, Recipient.EVIDENCE, keys.SYSTEM_OWNER, run_id)


def _outcome(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except (PrivacyError, DatabaseError) as error:
        return type(error).__name__
    return OPENED


# --- The call to the web --------------------------------------------------------------------------


def answer(signed: Any, now: datetime) -> None:
    """The web: upkeep's signed call. Raises ProbeRefused."""
    try:
        said = signed["statement"]
        run_id, at = uuid.UUID(said["run"]), datetime.fromisoformat(said["at"])
        asked = said["kind"] == "probe" and abs(now - at) <= CALL_FRESH
        genuine = asked and signing.verified(signed)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProbeRefused from error
    if not genuine:
        raise ProbeRefused
    if Verdict.objects.filter(run_id=run_id, role=str(settings.ROLE)).exists():
        raise ProbeRefused
    if not probe(run_id, now):
        raise ProbeRefused


def call_web(run_id: uuid.UUID, now: datetime) -> bool:
    """Upkeep: ask the web, which has no queue. False: it could not be reached, or it refused."""
    if not settings.WEB_URL:
        return False
    signed = signing.sign({"kind": "probe", "run": str(run_id), "at": now.isoformat()})
    status, _ = web("POST", PATH, signing.canonical(signed))
    return status == 204


def web(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """One request to the web; status 0 where nothing answers."""
    where = urlsplit(settings.WEB_URL or "")
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=20)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


# --- Asking and hearing ---------------------------------------------------------------------------


def ask(run_id: uuid.UUID, now: datetime) -> None:
    """Upkeep: a message into each role's own queue, and the call to the web."""
    for role in OPENS:
        if role != "web":
            dispatch.nudge(f"probe {role}", run_id)
    if not call_web(run_id, now):
        log.warning("probe_not_answered", extra={"role": "web"})


def hear(run_id: uuid.UUID, now: datetime, wait: timedelta) -> dict[str, dict[str, str]]:
    """Role → outcomes. Who does not answer in time is believed from the last 25 hours."""
    deadline = time.monotonic() + wait.total_seconds()
    while True:
        rows = Verdict.objects.filter(run_id=run_id).exclude(role=MANIFEST)
        heard: dict[str, dict[str, str]] = {row.role: row.outcomes for row in rows}
        if set(heard) >= set(OPENS) or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    for role in OPENS.keys() - heard.keys():
        older = Verdict.objects.filter(role=role, at__gt=now - VERDICT_FRESH).order_by("-at")
        if (row := older.first()) is not None:
            heard[role] = row.outcomes
    return heard


def crossings(role: str, outcomes: Mapping[str, str]) -> list[str]:
    """Canaries with which something else happened than the key table says."""
    allowed = OPENS[role]
    fine = {name: (OPENED,) if name in allowed else REFUSALS for name in CANARIES}
    return [name for name in CANARIES if outcomes.get(name) not in fine[name]]
