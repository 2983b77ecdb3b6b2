"""A process that walks one path of a job and is killed by SIGKILL before its n-th act outside.

An act is a statement to PostgreSQL, a commit, a request to S3 or a nudge to the broker, by whatever
thread; between two of them nothing can be lost. It is started once, and forks a child for each
walk, so that a kill costs no start of Django. Each line that it reads is a walk, as JSON; each that
it writes is the child's end and how many acts it came to.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENDPOINT = "https://example.org/hook"
ACTS = 4


class Counter:
    """Counts acts, and kills this process before the n-th; the count is told over a pipe."""

    def __init__(self, kill_before: int, told: int) -> None:
        self.kill_before, self.told = kill_before, told
        self.acts = 0
        self._turn = threading.Lock()

    def act(self, **_: Any) -> None:
        """One more is about to happen."""
        with self._turn:
            self.acts += 1
            if self.acts == self.kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
                # Other threads run on until the signal has reached each of them: this one never.
                signal.pause()
            os.pwrite(self.told, self.acts.to_bytes(ACTS, "big"), 0)

    def install(self) -> None:
        """In every connection of every thread, in the bucket's client, and before each nudge."""
        from django.core.files.storage import storages
        from django.db.backends.base.base import BaseDatabaseWrapper
        from django.db.backends.signals import connection_created

        from privacy import dispatch

        def query(execute: Callable[..., Any], *arguments: Any) -> Any:
            self.act()
            return execute(*arguments)

        def watch(connection: Any, **_: Any) -> None:
            connection.execute_wrappers.append(query)

        commit, nudge = BaseDatabaseWrapper._commit, dispatch.nudge  # type: ignore[attr-defined]

        def committing(connection: Any) -> Any:
            self.act()
            return commit(connection)

        def nudging(*arguments: Any) -> bool:
            self.act()
            return nudge(*arguments)

        connection_created.connect(watch, weak=False)
        BaseDatabaseWrapper._commit = committing  # type: ignore[attr-defined]
        dispatch.nudge = nudging  # type: ignore[assignment]
        client = storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
        client.meta.events.register("before-send.s3", self.act)


def _walk(walk: dict[str, Any], folders: dict[str, str], told: int) -> None:
    from django.conf import settings

    from deploy.env import Role
    from privacy.checks import HELD
    from tests.chaos.paths import PATHS

    role, path = PATHS[walk["path"]]
    settings.ROLE = Role(role)
    for name, folder in folders.items():
        setattr(settings, name, Path(folder) if name in HELD[role] else None)
    # Events are noted only where somebody is to be told of them.
    settings.WEBHOOK_URL = ENDPOINT
    Counter(int(walk["kill_before"]), told).install()
    path(**walk["args"])


def _forked(walk: dict[str, Any], folders: dict[str, str], told: int) -> int:
    os.pwrite(told, bytes(ACTS), 0)
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        _walk(walk, folders, told)
    except BaseException:  # noqa: BLE001 - a child must not come back into the loop
        sys.excepthook(*sys.exc_info())
        os._exit(2)
    os._exit(0)


def main(folders: dict[str, str], told: Path) -> None:
    """Until the end of the input."""
    import django

    django.setup()
    # Loaded once, so that a child need not; both start no thread before they work.
    from tests.chaos import paths as paths
    from workers import generate as generate

    with told.open("w+b") as file:
        for line in sys.stdin:
            status = _forked(json.loads(line), folders, file.fileno())
            acts = int.from_bytes(os.pread(file.fileno(), ACTS, 0), "big")
            sys.stdout.write(f"{status} {acts}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
