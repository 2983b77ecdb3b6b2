"""A process that works at one erasure, or at all, and is killed before its n-th act outside.

An act is a statement to PostgreSQL or a request to S3; between two of them nothing can be lost.
It is started once, and forks a child for each attempt, so that a kill costs no start of Django,
and no reading of what boto3 knows of S3, which takes longer than an erasure.
Each line that it reads names an erasure, or says `all`, and n (0: never); each that it writes is
the child's end.
"""

import os
import signal
import sys
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ALL: Final = "all"


def _attempt(erasure_id: str, kill_before: int) -> None:
    from django.core.files.storage import storages
    from django.db import connection
    from django.utils import timezone

    from privacy import leases, stages, together
    from privacy.erasure import LEASE

    acts = 0

    def act() -> None:
        nonlocal acts
        acts += 1
        if acts == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)

    def query(execute: Callable[..., Any], *arguments: Any) -> Any:
        act()
        return execute(*arguments)

    client = storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
    client.meta.events.register("before-send.s3", lambda **_: act())
    if erasure_id == ALL:
        with connection.execute_wrapper(query):
            together.work(timezone.now)
        return
    held = leases.claim(LEASE, among=[uuid.UUID(erasure_id)])
    if held is None:
        raise SystemExit(3)
    with connection.execute_wrapper(query):
        stages.advance(held, timezone.now)


def _forked(erasure_id: str, kill_before: int) -> int:
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        _attempt(erasure_id, kill_before)
    except SystemExit as end:
        os._exit(int(str(end.code)))
    except BaseException:  # noqa: BLE001 - a child must not come back into the loop
        sys.excepthook(*sys.exc_info())
        os._exit(2)
    os._exit(0)


def main(receipt_keys: str) -> None:
    """As upkeep, with its key folder and no other."""
    import django

    django.setup()
    from django.conf import settings

    from deploy.env import Role
    from privacy import storage

    settings.ROLE, settings.RECEIPT_KEYS = Role.UPKEEP, Path(receipt_keys)
    import_module("privacy.together")
    storage.warm()
    for line in sys.stdin:
        erasure_id, kill_before = line.split()
        status = _forked(erasure_id, int(kill_before))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
