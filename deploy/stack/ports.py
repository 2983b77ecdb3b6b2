"""Which port each server gets: the one it had, else the usual one, else the next free one.

Looking and binding are two steps, so a port can be lost in between: `replace` gives another one
to a server that could not bind. Only 127.0.0.1 is ever used.
"""

import json
import os
import random
import socket
from pathlib import Path

from deploy.stack.errors import StackError
from deploy.stack.folders import write_private

DEFAULTS = {
    "web": 8000,
    "flower": 5555,
    "postgres": 54321,
    "valkey": 63790,
    "s3": 8333,
    "s3-master": 9333,
    "s3-volume": 9340,
    "s3-filer": 8888,
    "s3-admin": 13646,
}
# SeaweedFS answers gRPC on the same port plus this number, so both must be free and below 65536.
GRPC_OFFSET = 10_000
# Below the kernel's range for outgoing connections, with the gRPC ports too.
QUIET = range(10_240, 22_000)


def free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def needed(name: str, port: int) -> set[int]:
    return {port, port + GRPC_OFFSET} if name.startswith("s3") else {port}


def leftover(name: str, port: int) -> Path:
    """The gRPC socket of SeaweedFS: its name is fixed, and so it can outlive a killed server."""
    kind = name.removeprefix("s3-")
    return Path(f"/tmp/seaweedfs-{kind}-grpc-{port + GRPC_OFFSET}.sock")  # noqa: S108


def usable(name: str, port: int) -> bool:
    return all(map(free, needed(name, port))) and not _blocked(name, port)


def _blocked(name: str, port: int) -> bool:
    """Nobody may replace the leftover of another user; SeaweedFS waits for it for ever."""
    socket_file = leftover(name, port)
    return (
        name.startswith("s3") and socket_file.exists() and socket_file.stat().st_uid != os.geteuid()
    )


class Ports:
    def __init__(self, path: Path, *, preferred: bool) -> None:
        self._path = path
        self._preferred = preferred
        self._chosen: dict[str, int] = {}
        saved: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        for name in DEFAULTS:
            self._chosen[name] = self._find(name, saved.get(name))
        self._save()

    def __getitem__(self, name: str) -> int:
        return self._chosen[name]

    def replace(self, name: str) -> None:
        """Another port for a server that lost its own to somebody else."""
        self._chosen[name] = self._find(name, None)
        self._save()

    def _find(self, name: str, saved: int | None) -> int:
        taken = set().union(*(needed(n, p) for n, p in self._chosen.items() if n != name))
        for port in self._candidates(name, saved):
            if not needed(name, port) & taken and usable(name, port):
                return port
        raise StackError(f"No free port was found for {name} near {DEFAULTS[name]}.")

    def _candidates(self, name: str, saved: int | None) -> list[int]:
        first = [saved] if saved else []
        if self._preferred:
            return first + list(range(DEFAULTS[name], DEFAULTS[name] + 200))
        return first + random.sample(QUIET, 200)

    def _save(self) -> None:
        write_private(self._path, json.dumps(self._chosen, indent=1))
