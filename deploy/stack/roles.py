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

# One for the gpu: a nudge only wakes its own three threads (workers/hands.py).
# Four for the courier: an endpoint that hangs holds one of them for ten seconds.
CONCURRENCY = {Role.INTAKE: 2, Role.GPU: 1, Role.UPKEEP: 2, Role.KEEPER: 1, Role.COURIER: 4}
# A painter drains within this time, which is less than what stopping it waits for.
DRAIN = {"SITTER_DRAIN_SECONDS": "5"}
# In the order of starting; the gpu takes longest to load, so it begins first.
ALL = (Role.GPU, Role.WEB, Role.KEEPER, Role.INTAKE, Role.UPKEEP, Role.BEAT, Role.FLOWER)
# With a webhook, or with Apple or Google to sign in by, somebody has to go outside.
OUTSIDE = ("SITTER_WEBHOOK_URL", "SITTER_APPLE_CLIENTS", "SITTER_GOOGLE_CLIENTS")
ORDER = (*ALL, Role.COURIER)


def wanted(environ: Mapping[str, str]) -> tuple[Role, ...]:
    """All roles that an installation with these settings has work for."""
    return ORDER if any(environ.get(name, "[]") not in ("", "[]") for name in OUTSIDE) else ALL


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
            # a sweep ran last. Starting anew it begins with the next period of each.
            for file in self._schedule_files():
                file.unlink()
        if self.role in CONCURRENCY:
            env = {**DRAIN, **env, READY_FILE: str(self.ready_file)}
        return Command(
            name=self.name,
            argv=[PYTHON, "-m", *self._arguments()],
            env=env,
            cwd=ROOT,
            log=self.folders.log(self.name),
            stop_signal=signal.SIGTERM,
        )

    def _arguments(self) -> list[str]:
        celery = ["celery", "-A", "workers.app"]
        if self.role is Role.WEB:
            return self._web()
        if self.role is Role.BEAT:
            # Each beat has a file of its own; two in one would be two writers.
            file = self.folders.beat / f"{self.name}.schedule"
            return [*celery, "beat", "-s", str(file), "--pidfile="]
        if self.role is Role.FLOWER:
            # Its password comes by the environment.
            return ["deploy.flower", "--address=127.0.0.1", f"--port={self.ports['flower']}"]
        return [
            *(*celery, "worker", "-Q", str(self.role), "-n", f"{self.name}@%h"),
            *("-P", "threads", "-c", str(CONCURRENCY[self.role])),
            *("--without-gossip", "--without-mingle", "-E"),
            *("--include", "deploy.stack.announce"),
        ]

    def _web(self) -> list[str]:
        return [
            *("gunicorn", "deploy.asgi:application", "-k", "deploy.server.Worker", "-w", "1"),
            *("--bind", f"127.0.0.1:{self.ports['web']}", "--no-control-socket"),
            *("--worker-tmp-dir", str(self.folders.run), "--graceful-timeout", "5"),
        ]

    def _schedule_files(self) -> list[Path]:
        return list(self.folders.beat.glob(f"{self.name}.schedule*"))

    def answers(self, process: Process) -> bool:
        if self.role is Role.WEB:
            return get(self.ports["web"], "/readyz")[0] == HTTPStatus.OK
        if self.role is Role.FLOWER:
            # It serves; to whom is another matter.
            return get(self.ports["flower"], "/admin/flower/")[0] == HTTPStatus.UNAUTHORIZED
        if self.role is Role.BEAT:
            # Beat writes its schedule anew when it begins to keep it.
            return any(file.stat().st_mtime >= process.started for file in self._schedule_files())
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
