"""Ten failures that quote somebody, and three doors through which a failure reaches the logs."""

import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from botocore.exceptions import ClientError
from django.db import connection
from pydantic import TypeAdapter

CANARY = "canary-7f3a@example.org"


def raised(words: str) -> Callable[[str], None]:
    """An error of ours whose message quotes somebody."""

    def fail(canary: str) -> None:
        raise ValueError(f"{words} {canary}")

    return fail


def chained(canary: str) -> None:
    try:
        dict[str, str]()[canary]
    except KeyError as error:
        raise RuntimeError("While looking somebody up.") from error


def grouped(canary: str) -> None:
    raise ExceptionGroup("Some failed.", [ValueError(canary), TypeError(canary)])


def rejected(canary: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::int", [canary])


def refused_by_a_bucket(canary: str) -> None:
    raise ClientError({"Error": {"Code": "403", "Message": canary}}, f"GetObject {canary}")


# By which the ten failures come; each quotes what it was handed.
FAILURES: dict[str, Callable[[str], Any]] = {
    "an error of ours": raised("There is no"),
    "a missing key": lambda canary: dict[str, str]()[canary],
    "a missing file": lambda canary: Path(f"/nowhere/{canary}").read_bytes(),
    "a value that PostgreSQL rejects": rejected,
    "a body that is no JSON": lambda canary: json.loads(canary),
    "a value of the wrong type": lambda canary: TypeAdapter(int).validate_python(canary),
    "a program that fails": lambda canary: subprocess.run(["false", canary], check=True),
    "a bucket that refuses": refused_by_a_bucket,
    "an error behind another": chained,
    "several at once": grouped,
}


def by_the_standard_library(error: Exception, canary: str) -> None:
    logging.getLogger("some.library").exception("It failed for %s", canary, extra={"who": canary})


def by_its_own_object(error: Exception, canary: str) -> None:
    # What many libraries do; the message of the error is then the message of the line.
    logging.getLogger("some.library").error(error, exc_info=error)


def by_structlog(error: Exception, canary: str) -> None:
    structlog.get_logger("ours").exception("it_failed", person=canary, error=type(error).__name__)


DOORS = (by_the_standard_library, by_its_own_object, by_structlog)
