"""What each role does when its process starts and stops: keys first, then what it works with."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from privacy import keys, storage
from privacy.errors import NotReady, PrivacyError


def start() -> None:
    """Called once, before the first task."""
    _reach_services()
    today = timezone.now().date()
    match str(settings.ROLE):
        case "intake":
            from workers import intake  # only this role loads the decoder and the gate

            # The sandbox's zygote starts before any seed is read, and so never holds one.
            intake.start()
            keys.publish_fleet_keys(today)
        case "gpu":
            from workers import generate  # only this role may load torch

            generate.start()
        case "keeper":
            keys.make_root_key(today)
            keys.publish_evidence_key(today)
            # What belongs to no person needs an owner too: checks and canaries.
            keys.ensure_owner(keys.SYSTEM_OWNER, timezone.now())
        case "upkeep":
            keys.publish_receipt_key(today)


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


def stop() -> None:
    """Called once, after the last task."""
    match str(settings.ROLE):
        case "intake":
            from workers import intake

            intake.stop()
        case "gpu":
            from workers import generate

            generate.stop()
