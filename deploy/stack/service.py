"""What the three servers have in common, and how one is brought up until it really answers."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from deploy.stack.credentials import Credentials
from deploy.stack.errors import ServiceDown
from deploy.stack.folders import Folders
from deploy.stack.ports import Ports, usable
from deploy.stack.process import Command, Guard, Process

PATIENCE = 60.0
TRIES = 3


class Service(ABC):
    """One server that the stack starts itself."""

    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]

    def __init__(self, folders: Folders, ports: Ports, credentials: Credentials) -> None:
        self.folders = folders
        self.ports = ports
        self.credentials = credentials

    @abstractmethod
    def prepare(self) -> None:
        """Write the files that it starts from; run before each start."""

    @abstractmethod
    def command(self) -> Command: ...

    @abstractmethod
    def check(self) -> None:
        """Ask it to do its work once; any exception means not yet."""

    def clean(self) -> None:  # noqa: B027 - only one of the three has anything to remove
        """Remove what it leaves outside the data folder."""

    def environment(self) -> dict[str, str]:
        """Servers need nothing of ours: no key, no setting, no proxy of the user's."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folders.run),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def answers(self) -> bool:
        try:
            self.check()
        except Exception:  # noqa: BLE001 - whatever a client library says, it is not ready
            return False
        return True

    def lost_a_port(self) -> bool:
        """After it died: did somebody else take one of its ports? Then take another."""
        lost = [name for name in self.port_names if not usable(name, self.ports[name])]
        for name in lost:
            self.ports.replace(name)
        return bool(lost)


def bring_up(service: Service, guard: Guard, cancelled: Callable[[], bool]) -> Process:
    """Start a server and return once it has answered; it is dead if this raises."""
    for _ in range(TRIES):
        service.prepare()
        process = Process(service.command(), guard)
        deadline = time.monotonic() + PATIENCE
        while process.alive and not cancelled() and time.monotonic() < deadline:
            if service.answers():
                return process
            time.sleep(0.05)
        slow = process.alive
        process.bury()
        if slow or not service.lost_a_port():
            break
    reason = f"it did not answer in {PATIENCE:.0f} s." if slow else "it ended by itself."
    raise ServiceDown(service.name, reason, f"its log {service.folders.log(service.name)}")
