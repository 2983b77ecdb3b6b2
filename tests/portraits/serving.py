"""A web process of the tests' own on the unit database, and somebody at the other end of the line.

It is started as the stack starts its web, so what is tried here is what runs: gunicorn, its
draining, the entrances before Django. The domain is moved by the test itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from accounts.models import User
from accounts.sessions import SessionStore
from deploy.env import ROOT

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def session(owner_id: uuid.UUID) -> str:
    """The token of a new session of somebody."""
    user = User.objects.get(pk=owner_id)
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


@dataclass
class Web:
    """One running process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker(self) -> int:
        """The process that answers; the other one only watches it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        headers = {"X-Session-Token": token} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=40, **options)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, "the web process has ended"
            assert time.monotonic() < deadline, "the web process does not answer"
            try:
                if httpx.get(f"{self.url}/livez", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web(folders: dict[str, Path], log: Path, **extra: str) -> Iterator[Web]:
    """A web process, until the end of the block."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_START"}
    env |= {"SITTER_ROLE": "web", "SITTER_ROOT_KEYS": str(folders["ROOT_KEYS"]), **extra}
    command = [
        *(sys.executable, "-m", "gunicorn", "deploy.asgi:application"),
        *("-k", "deploy.server.Worker", "-w", "1", "--bind", f"127.0.0.1:{port}"),
        *("--no-control-socket", "--graceful-timeout", "5"),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            made = Web(process, port)
            made.wait_ready()
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Event:
    """One event as a client hears it."""

    id: int
    name: str
    data: Any
    at: float


@dataclass
class Listening:
    """Reads a stream, one event after the other."""

    response: httpx.Response
    comments: int = 0
    retry: int | None = None
    _lines: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    def __iter__(self) -> Iterator[Event]:
        parts: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                parts[name] = value
            elif "event" in parts:
                now = time.monotonic()
                yield Event(int(parts["id"]), parts["event"], json.loads(parts["data"]), now)
                parts = {}
            elif "retry" in parts:
                self.retry, parts = int(parts["retry"]), {}

    def next(self) -> Event:
        return next(iter(self))

    def rest(self) -> list[Event]:
        return list(self)


@contextmanager
def stream(client: httpx.Client, job_id: Any, last: int | None = None) -> Iterator[Listening]:
    """An open stream of a job."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as response:
        assert response.status_code == 200, response.read()
        yield Listening(response)
