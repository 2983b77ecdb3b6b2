"""Whether this web process lives, and whether it can serve, with the reason if it cannot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from deploy.gate import gate
from privacy import keys, periods, storage, valkey
from privacy.errors import RestorePending, StorageDown


@dataclass(frozen=True)
class Need:
    """Something without which requests cannot be served: its name, and what a person reads."""

    name: str
    sentence: str
    look: Callable[[], object]


def livez(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _fleet_key() -> object:
    return keys.fleet_public(timezone.now().date())


def _evidence_key() -> object:
    return keys.evidence_public(timezone.now().date())


DATABASE: Final = Need("database", "PostgreSQL (SITTER_DATABASE_URL)", _database)
BUCKET: Final = Need("bucket", "bucket (SITTER_S3_ENDPOINT_URL)", storage.ready)
# What only the database can tell.
ROWS: Final = (
    Need("fleet_key", "fleet key of today (is the intake running?)", _fleet_key),
    Need("evidence_key", "evidence key of this year (is the keeper running?)", _evidence_key),
    Need("root_key", "portrait root key (is the keeper running?)", keys.root_epoch),
)
# What somebody should look at.
SILENT: Final = "no periodic task has run for a minute (are beat and upkeep running?)"
BROKER_AWAY: Final = "the broker does not answer, so nobody is nudged (SITTER_BROKER_URL)"


def met(need: Need) -> bool:
    """Whether it is there."""
    try:
        return need.look() is not False
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ready
        return False


def without_ledger() -> list[str]:
    """Why nobody may be served yet, if the erasure ledger says so."""
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
    """What needs somebody to look, although requests are served.

    The broker is asked only once nothing periodic is heard of: a probe must not wait for it.
    """
    try:
        if not periods.silent():
            return []
        valkey.client().ping()
    except DatabaseError:
        return []  # named above
    except redis.RedisError:
        return [SILENT, BROKER_AWAY]
    return [SILENT]


def readyz(request: HttpRequest) -> JsonResponse:
    """Everything that a request needs is there; otherwise 503 with what is missing."""
    needs = (DATABASE, BUCKET, *ROWS)
    missing = [need.sentence for need in needs if not met(need)] + without_ledger()
    body = {"ready": not missing, "missing": missing, "warnings": _warnings()}
    return JsonResponse(body, status=503 if missing else 200)
