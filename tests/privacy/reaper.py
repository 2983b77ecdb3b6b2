"""A process that dies, for real, at the n-th step of settling or replaying the erasure ledger.

Started as a program beside the tests, it reads `resolve 3` from its input, forks a child that is
killed by SIGKILL at its third step, and answers `killed`; or `done`, when there were fewer steps.
A step is the moment before or behind each commit and each write to the ledger's bucket. What
takes long and touches nothing, such as making the buckets' clients, is done before the fork.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from deploy.env import ROOT


class Reaper:
    """The driver, seen from the tests."""

    def __init__(self, receipt_keys: Path) -> None:
        env = {**os.environ, "SITTER_ROLE": "upkeep", "SITTER_RECEIPT_KEYS": str(receipt_keys)}
        argv = [sys.executable, "-m", "tests.privacy.reaper"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True
        )

    def killed_at(self, what: str, step: int) -> bool:
        """Whether the child was killed; False: it came to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {step}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer in ("killed", "done"), answer
        return answer == "killed"

    def close(self) -> None:
        self._process.communicate()


def _count_down(step: int) -> None:
    from django.db import transaction

    from privacy import ledgerstore

    left = step

    def tick() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(act: Callable[..., Any]) -> Callable[..., Any]:
        def ticking(*args: Any, **kwargs: Any) -> Any:
            tick()
            answer = act(*args, **kwargs)
            tick()
            return answer

        return ticking

    leave = transaction.Atomic.__exit__

    def leaving(self: transaction.Atomic, *args: Any) -> None:
        outermost = not transaction.get_connection(self.using).savepoint_ids
        if outermost:
            tick()
        leave(self, *args)
        if outermost:
            tick()

    for room, name, act in (
        (ledgerstore, "put", around(ledgerstore.put)),
        (ledgerstore, "delete", around(ledgerstore.delete)),
        (transaction.Atomic, "__exit__", leaving),
    ):
        setattr(room, name, act)


def _child(what: str, step: int) -> None:
    from django.utils import timezone

    from privacy import replay, restore

    _count_down(step)
    if what == "resolve":
        restore.resolve(timezone.now())
    else:
        replay.run(timezone.now(), timezone.now)


def main() -> None:
    import django

    django.setup()
    from privacy import ledgerstore, storage

    import_module("privacy.replay")
    storage.warm()
    ledgerstore._bucket()
    for line in sys.stdin:
        what, step = line.split()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                _child(what, int(step))
                status = 0
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        if os.WIFSIGNALED(ended):
            answer = "killed"
        else:
            answer = "failed" if os.WEXITSTATUS(ended) else "done"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
