"""The state file: where everything is, for `status`, the demo and other programs on this machine.

It names the file of passwords and holds none of them.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.stack import guard
from deploy.stack.folders import Folders, write_private


@dataclass(frozen=True)
class Urls:
    """Where a browser or a client goes."""

    web: str
    flower: str
    s3: str

    @property
    def docs(self) -> str:
        return f"{self.web}/v1/docs"

    @property
    def admin(self) -> str:
        return f"{self.web}/admin/"


def write(folders: Folders, *, urls: Urls, bucket: str, running: dict[str, int]) -> None:
    state = {
        "supervisor": os.getpid(),
        "web": urls.web,
        "docs": urls.docs,
        "admin": urls.admin,
        "flower": urls.flower,
        "flower_user": "sitter",
        "s3_endpoint": urls.s3,
        "s3_bucket": bucket,
        "credentials": str(folders.credentials),
        "mail": str(folders.mail),
        "logs": str(folders.logs),
        "running": running,
    }
    write_private(folders.state, json.dumps(state, indent=1))


def read(folders: Folders) -> dict[str, Any] | None:
    """The state of the stack that runs on this folder, or None where none runs."""
    if not folders.state.exists() or not locked(folders.lock):
        return None
    state: dict[str, Any] = json.loads(folders.state.read_text("utf-8"))
    return state


def supervised(folders: Folders) -> bool:
    """Whether the supervisor that wrote the state is alive, and not only its guard."""
    if not folders.state.exists():
        return False
    state: dict[str, Any] = json.loads(folders.state.read_text("utf-8"))
    return guard.running(state["supervisor"])


def locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
