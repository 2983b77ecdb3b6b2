"""Holders that are stopped in the middle of their work, and go on when others have done it.

Started once, as a gpu worker; each line that it reads is an engine and how many holders to fork.
Each holder claims an item, drafts a portrait and stops itself by SIGSTOP; it says so by stopping.
Continued, it tries to commit. The answer is a line: committed, refused, and those that left their
bodies behind without a word, as a process does that dies behind its refusal.
"""

import json
import os
import signal
import sys
from pathlib import Path

REFUSED, COMMITTED = 10, 11


def _hold(engine: str, number: int) -> int:
    from django.utils import timezone

    from portraits import painting
    from privacy import vault
    from privacy.plain import Plain
    from privacy.retention import Kind

    work = painting.claim((engine,), timezone.now())
    if work is None:
        return 3
    owner = work.held.owner_id
    if number % 2:
        # Half of them are stopped before they have sealed anything.
        os.kill(os.getpid(), signal.SIGSTOP)
    sizes = [
        painting.Size(name, vault.draft(kind, owner, Plain(b"stale"), timezone.now()), 8, 8, "x")
        for name, kind in (("full", Kind.PORTRAIT), ("thumb", Kind.RENDITION))
    ]
    if not number % 2:
        os.kill(os.getpid(), signal.SIGSTOP)
    if painting.finish(work.held, sizes, timezone.now()):
        return COMMITTED
    if number % 3:
        vault.discard([size.draft for size in sizes])
    return REFUSED


def _fork(engine: str, number: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        status = _hold(engine, number)
    except BaseException:  # noqa: BLE001 - a child must not come back into the loop
        sys.excepthook(*sys.exc_info())
        os._exit(2)
    os._exit(status)


def main(fleet_keys: str) -> None:
    import django

    django.setup()
    from django.conf import settings

    from deploy.env import Role

    settings.ROLE, settings.FLEET_KEYS = Role.GPU, Path(fleet_keys)
    for line in sys.stdin:
        order = json.loads(line)
        holders = [_fork(order["engine"], number) for number in range(order["count"])]
        stopped = [os.WIFSTOPPED(os.waitpid(one, os.WUNTRACED)[1]) for one in holders]
        sys.stdout.write(f"{sum(stopped)}\n")
        sys.stdout.flush()
        # Others finish meanwhile; the next line says that they have.
        sys.stdin.readline()
        for one in holders:
            os.kill(one, signal.SIGCONT)
        ends = [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in holders]
        sys.stdout.write(f"{ends.count(REFUSED)} {ends.count(COMMITTED)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
