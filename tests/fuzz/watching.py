"""Whether the roles that take a hostile file stay the same processes, and how much memory they use.

Children of the zygote are counted apart: each lives for one picture, behind a limit of its own.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import psutil

if TYPE_CHECKING:
    from deploy.stack.supervisor import Stack

ROLES: Final = ("web", "intake")
PERIOD: Final = 0.1


def family(pid: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """(a role and what lives as long as it, the zygote's short-lived children)."""
    role = psutil.Process(pid)
    staying, passing = [role], list[psutil.Process]()
    for child in role.children():
        staying.append(child)
        with suppress(psutil.NoSuchProcess):
            zygote = any("zygote" in word for word in child.cmdline())
            (passing if zygote else staying).extend(child.children(recursive=True))
    return staying, passing


def resident(processes: list[psutil.Process]) -> int:
    """Bytes, of those that still live."""
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def added(child: psutil.Process) -> int:
    """Bytes that a child holds beside what it was born with: its limit counts from there."""
    with suppress(psutil.NoSuchProcess):
        parent = child.parent()
        if parent is not None:
            return resident([child]) - resident([parent])
    return 0


@dataclass
class Watch:
    """Use it as a context around what is sent."""

    stack: Stack
    before: dict[str, int] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)
    decoding: int = 0
    crashed: list[str] = field(default_factory=list)
    _first: dict[str, set[int]] = field(default_factory=dict)
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        for role in ROLES:
            staying, _ = family(self.stack.pid(role))
            self._first[role] = {process.pid for process in staying}
            self.before[role] = self.peak[role] = resident(staying)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        for role in ROLES:
            gone = [pid for pid in self._first[role] if not psutil.pid_exists(pid)]
            self.crashed += [f"{role}: {pid}" for pid in gone]

    @property
    def grown(self) -> int:
        """By how many MB the role that grew most did."""
        return max((self.peak[role] - self.before[role]) // 2**20 for role in ROLES)

    def _look(self) -> None:
        while not self._done.wait(PERIOD):
            for role in ROLES:
                with suppress(psutil.NoSuchProcess):
                    staying, passing = family(self.stack.pid(role))
                    self.peak[role] = max(self.peak[role], resident(staying))
                    self.decoding = max([self.decoding, *map(added, passing)])
