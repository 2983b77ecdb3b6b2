"""Whether this web process lives, and whether it can serve, with the reason if it cannot."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from deploy.gate import gate
from privacy import keys, periods, storage
from privacy.errors import RestorePending, StorageDown


def livez(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ledger() -> list[str]:
    try:
        gate.check()
    except StorageDown:
        return ["erasure ledger (SITTER_LEDGER_BUCKET)"]
    except RestorePending:
        return ["erasure ledger replay (upkeep does it)"]
    except DatabaseError:
        pass  # named above
    return []


def _warnings() -> list[str]:
    """What needs somebody to look, although requests are served."""
    try:
        silent = periods.silent()
    except DatabaseError:
        return []  # named above
    return ["no periodic task has run for a minute (are beat and upkeep running?)"] * silent


def readyz(request: HttpRequest) -> JsonResponse:
    """Everything that a request needs is there; otherwise 503 with what is missing."""
    today = timezone.now().date()
    needs: dict[str, Callable[[], object]] = {
        "PostgreSQL (SITTER_DATABASE_URL)": _database,
        "bucket (SITTER_S3_ENDPOINT_URL)": storage.ready,
        "fleet key of today (is the intake running?)": lambda: keys.fleet_public(today),
        "evidence key of this year (is the keeper running?)": lambda: keys.evidence_public(today),
        "portrait root key (is the keeper running?)": keys.root_epoch,
    }
    missing = []
    for name, look in needs.items():
        try:
            look()
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ready
            missing.append(name)
    missing += _ledger()
    body = {"ready": not missing, "missing": missing, "warnings": _warnings()}
    return JsonResponse(body, status=503 if missing else 200)
