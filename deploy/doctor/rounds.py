"""The doctor's rounds: what is looked at in which role, and what is not because it cannot be.

A service that does not answer is one finding, and whatever would have asked it is left out. A look
that fails is a finding too: what nobody could look at is not healthy.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import redis
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection

from deploy import grants
from deploy.doctor import (
    broker,
    configuration,
    database,
    keyring,
    logins,
    machine,
    objects,
    people,
    rhythm,
)
from deploy.doctor.findings import Finding, Look, error, named, note
from deploy.stack.compartments import COMPARTMENTS
from privacy import storage, valkey
from privacy.errors import PrivacyError

log = logging.getLogger(__name__)

DATABASE, BUCKET, BROKER = frozenset({"database"}), frozenset({"bucket"}), frozenset({"broker"})
MAILERS: Final = frozenset({"web", "upkeep"})
PAINTER: Final = frozenset({"gpu"})
LOOKERS: Final = frozenset({"gpu", "intake"})


def _card(now: datetime) -> Iterable[Finding]:
    from deploy.doctor import card  # only the gpu worker's image holds what it imports

    return card.look(now)


def _engines(now: datetime) -> Iterable[Finding]:
    from deploy.doctor import weights  # the same

    return weights.engines(now)


def _gate(now: datetime) -> Iterable[Finding]:
    from deploy.doctor import weights  # and the intake's

    return [*weights.gate(now), *weights.judge(now)]


ROUNDS: Final = (
    Look("settings", configuration.look),
    Look("disk", machine.disk),
    Look("key folders", keyring.folders),
    Look("content credentials", keyring.credentials, roles=PAINTER),
    Look("graphics card", _card, roles=PAINTER),
    Look("engines' weights", _engines, roles=PAINTER),
    Look("gate's weights", _gate, roles=LOOKERS),
    Look("PostgreSQL", database.look, DATABASE),
    Look("logins", logins.look, DATABASE),
    Look("clock", database.clock, DATABASE),
    Look("migrations", database.migrations, DATABASE, roles=frozenset({"migrator"})),
    # Not the courier: it may read no key's public half, and holds none.
    Look("keys", keyring.held, DATABASE, reads=("privacy.FleetKey",)),
    Look("roots", keyring.roots, DATABASE, reads=("privacy.RootEpoch",)),
    Look("fleet keys", keyring.fleet, DATABASE, reads=("privacy.FleetKey",)),
    Look("evidence key", keyring.evidence, DATABASE, reads=("privacy.EvidenceKey",)),
    Look("receipt key", keyring.receipts, DATABASE, reads=("privacy.ReceiptKey",)),
    Look("consent texts", people.texts, DATABASE, reads=("privacy.ConsentDocument",)),
    Look("beat", rhythm.beat, DATABASE, reads=("privacy.Period",)),
    Look("daily proof", rhythm.proof, DATABASE, reads=("privacy.TransparencyReport",)),
    Look("bucket", objects.look, BUCKET),
    Look("bucket's clock", objects.clock, BUCKET),
    Look("bucket of keys", objects.kept_keys, BUCKET),
    Look("erasure ledger", objects.ledger, BUCKET | DATABASE, reads=("privacy.Pulse",)),
    Look("broker", broker.look, BROKER),
    Look("mail", people.mail, roles=MAILERS),
)


def examine(now: datetime) -> list[Finding]:
    """Every look that this role can take, in the order of the rounds."""
    away = list(_away())
    down = {finding.name.partition(".")[0] for finding in away}
    there = _services() - down
    found, unseen = [*away], []
    for look in ROUNDS:
        if look.roles and str(settings.ROLE) not in look.roles:
            continue
        if not look.asks <= there or not all(map(_may_read, look.reads)):
            unseen.append(look.name)
            continue
        found += _take(look, now)
    if unseen:
        yours = f"The role {settings.ROLE} did not look at: {named(unseen, most=len(unseen))}."
        found.append(note("doctor.unseen", yours, "Run the doctor as each role, and the migrator."))
    return found


def _services() -> frozenset[str]:
    """What this role is given an address of."""
    given = COMPARTMENTS[settings.ROLE]
    asked = {"database": given.database, "bucket": given.s3, "broker": given.broker}
    return frozenset(name for name, has in asked.items() if has)


def _away() -> Iterator[Finding]:
    services = _services()
    do = "Start it, or mend its address, its login and the way there: {0}."
    if "database" in services:
        try:
            connection.ensure_connection()
        except DatabaseFault:
            address = do.format("SITTER_DATABASE_URL")
            yield error("database.away", "PostgreSQL does not answer this role.", address)
    if "bucket" in services:
        try:
            storage.ready()
        except PrivacyError:
            address = do.format("SITTER_S3_ENDPOINT_URL, SITTER_S3_BUCKET")
            yield error("bucket.away", "The bucket does not answer this role.", address)
    if "broker" in services:
        try:
            valkey.client().ping()
        except redis.RedisError:
            address = do.format("SITTER_BROKER_URL")
            yield error("broker.away", "The broker does not answer this role.", address)


def _may_read(label: str) -> bool:
    role = str(settings.ROLE)
    return role == "migrator" or "S" in grants.TABLES.get(role, {}).get(label, "")


def _take(look: Look, now: datetime) -> list[Finding]:
    try:
        return list(look.see(now))
    except (
        *(PrivacyError, DatabaseFault, redis.RedisError, BotoCoreError, ClientError),
        *(OSError, ValueError, KeyError),
    ) as fault:
        # Its message could hold an address with a password; its class cannot.
        log.warning("not_looked_at", extra={"kind": look.name, "error": type(fault).__name__})
        wrong = f"The look at {look.name} failed with {type(fault).__name__}."
        return [error("doctor.failed", wrong, "Look at that service; then run the doctor again.")]
