"""What each role does when its process starts and stops: keys first, then what it works with."""

import time
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from privacy import bucket, keys, replay, restore, storage
from privacy.errors import NotReady, PrivacyError, StorageDown

# How long a worker waits for upkeep to replay the ledger, before it says so and ends.
REPLAY_PATIENCE: Final = 60.0
ASK_AGAIN_AFTER: Final = 0.5


def start() -> None:
    """Called once, before the first task."""
    _reach_services()
    # The courier may not see the ledger; it goes by upkeep's pulse (portraits/telling.py).
    if str(settings.ROLE) not in ("upkeep", "courier"):
        _wait_for_replay()
    now = timezone.now()
    today = now.date()
    if str(settings.ROLE) == "intake":
        from workers import intake  # only this role loads the decoder and the gate

        # The sandbox's zygote starts before any seed is read, and so never holds one.
        intake.start()
    keys.check_held(now)
    match str(settings.ROLE):
        case "intake":
            keys.publish_fleet_keys(today)
        case "gpu":
            from workers import generate  # only this role may load torch

            generate.start()
        case "courier":
            from workers import courier  # only this role calls anybody outside

            courier.start()
        case "keeper":
            keys.make_root_key(now)
            keys.publish_evidence_key(today)
            # What belongs to no person needs an owner too: checks and canaries.
            keys.ensure_owner(keys.SYSTEM_OWNER, now)
        case "upkeep":
            keys.publish_receipt_key(today)
            bucket.require()
            replay.run(now, timezone.now)
            # A new installation has its first pulse before anybody can make a backup of it.
            restore.pulse(now)


def begin() -> None:
    """Called once, behind `start`, when all that stays in memory for good is there."""
    if str(settings.ROLE) == "gpu":
        from workers import generate

        generate.begin()


def _wait_for_replay() -> None:
    """Begin nothing on a restored database before what people ended since has ended again."""
    deadline = time.monotonic() + REPLAY_PATIENCE
    try:
        while restore.pending():
            if time.monotonic() > deadline:
                raise NotReady(
                    "The database was restored and the erasure ledger is not replayed yet; "
                    "upkeep does that when it runs (see deploy/docs/restore.md)."
                )
            time.sleep(ASK_AGAIN_AFTER)
    except StorageDown as error:
        raise NotReady("The erasure ledger does not answer (SITTER_LEDGER_BUCKET).") from error


def _reach_services() -> None:
    """Say by name which service does not answer, instead of failing later in the middle."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise NotReady("PostgreSQL does not answer (SITTER_DATABASE_URL).") from error
    if str(settings.ROLE) in ("intake", "gpu", "upkeep"):
        try:
            storage.ready()
        except PrivacyError as error:
            raise NotReady("The bucket does not answer (SITTER_S3_ENDPOINT_URL).") from error


def leave() -> None:
    """Called once, when the process is asked to end: begin nothing more."""
    match str(settings.ROLE):
        case "courier":
            from workers import courier

            courier.leave()
        case "gpu":
            from workers import generate

            generate.leave()


def stop() -> None:
    """Called once, after the last task."""
    match str(settings.ROLE):
        case "intake":
            from workers import intake

            intake.stop()
        case "gpu":
            from workers import generate

            generate.stop()
