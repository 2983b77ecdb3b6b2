"""How each role is started, and how it is known to be ready."""

import http.client
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from deploy.env import ROOT, Role
from deploy.stack.announce import READY_FILE
from deploy.stack.folders import Folders
from deploy.stack.ports import Ports
from deploy.stack.process import Command, Process

# Three threads for the gpu: one job fetching, one painting, one storing.
CONCURRENCY = {Role.INTAKE: 2, Role.GPU: 3, Role.UPKEEP: 2, Role.KEEPER: 1}
# In the order of starting; the gpu takes longest to load, so it begins first.
ALL = (Role.GPU, Role.WEB, Role.KEEPER, Role.INTAKE, Role.UPKEEP, Role.BEAT, Role.FLOWER)


PYTHON = sys.executable


def full_name(role: Role, index: int) -> str:
    return str(role) if index == 0 else f"{role}-{index}"


@dataclass(frozen=True)
class Launch:
    """One role's command line and its question of readiness."""

    role: Role
    index: int
    folders: Folders
    ports: Ports

    @property
    def name(self) -> str:
        return full_name(self.role, self.index)

    @property
    def ready_file(self) -> Path:
        return self.folders.run / f"{self.name}.ready"

    def command(self, env: Mapping[str, str]) -> Command:
        self.ready_file.unlink(missing_ok=True)
        if self.role is Role.BEAT:
            # A killed beat leaves its file behind in any state, and all that it remembers is when
            # a sweep ran last. Starting anew costs one sweep more.
            for file in self.folders.beat.glob("schedule*"):
                file.unlink()
        return Command(
            name=self.name,
            argv=[PYTHON, "-m", *self._arguments()],
            env={**env, READY_FILE: str(self.ready_file)} if self.role in CONCURRENCY else env,
            cwd=ROOT,
            log=self.folders.log(self.name),
            stop_signal=signal.SIGTERM,
        )

    def _arguments(self) -> list[str]:
        celery = ["celery", "-A", "workers.app"]
        if self.role is Role.WEB:
            return self._web()
        if self.role is Role.BEAT:
            return [*celery, "beat", "-s", str(self.folders.beat / "schedule"), "--pidfile="]
        if self.role is Role.FLOWER:
            address = ["--address=127.0.0.1", f"--port={self.ports['flower']}"]
            # Its password comes by the environment; what it remembers is bounded and not kept.
            return [*celery, "flower", *address, "--persistent=False", "--max-tasks=5000"]
        return [
            *(*celery, "worker", "-Q", str(self.role), "-n", f"{self.name}@%h"),
            *("-P", "threads", "-c", str(CONCURRENCY[self.role])),
            *("--without-gossip", "--without-mingle", "-E"),
            *("--include", "deploy.stack.announce"),
        ]

    def _web(self) -> list[str]:
        return [
            *("gunicorn", "deploy.asgi:application", "-k", "asgi", "-w", "1"),
            *("--bind", f"127.0.0.1:{self.ports['web']}", "--no-control-socket"),
            *("--worker-tmp-dir", str(self.folders.run), "--graceful-timeout", "5"),
        ]

    def answers(self, process: Process) -> bool:
        if self.role is Role.WEB:
            return get(self.ports["web"], "/readyz")[0] == HTTPStatus.OK
        if self.role is Role.FLOWER:
            return get(self.ports["flower"], "/healthcheck")[0] == HTTPStatus.OK
        if self.role is Role.BEAT:
            # Beat writes its schedule anew when it begins to keep it.
            files = self.folders.beat.glob("schedule*")
            return any(file.stat().st_mtime >= process.started for file in files)
        return self.ready_file.exists()

    def complaint(self) -> str:
        """What it says itself about not being ready."""
        if self.role is not Role.WEB:
            return "it is not ready."
        status, body = get(self.ports["web"], "/readyz")
        return f"/readyz says {status or 'nothing'} {body[:300]!r}."


def get(port: int, path: str) -> tuple[int, str]:
    """A status and a body from this machine, or 0 where nothing answers; no proxy is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(2000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
