"""The servers of the `api` suite: ours as the stack runs it, ours on plain malloc, and stock."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.env import ROOT

WEB = "BENCH_WEB"
PLAIN_MEMORY = ("PYTHONMALLOC", "GLIBC_TUNABLES")
OURS, STOCK, PLAIN = "ours", "stock DRF", "ours, plain malloc"
# What the name of an unsealed body ends with, beside the sealed one.
UNSEALED = "-plain"
UNBOUNDED = {
    f"SITTER_{name}": "1000000"
    for name in (
        "OPEN_ITEMS",
        "QUEUE_LIMIT",
        "DAILY_PORTRAITS",
        "MONTHLY_PORTRAITS",
        "REQUESTS_A_MINUTE",
    )
}


@dataclass
class Server:
    """A gunicorn that is measured."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def cpu(self) -> float:
        """Seconds that all its processes have computed."""
        root = psutil.Process(self.process.pid)
        times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


@contextmanager
def served(name: str, folder: Path) -> Iterator[Server]:
    """One of the three, until the end of the block."""
    from tests.portraits.serving import free_port

    port = free_port()
    env = json.loads(os.environ[WEB]) | {"SITTER_ROOT_KEYS": str(folder / "ROOT_KEYS"), **UNBOUNDED}
    if name != OURS:
        env = {key: value for key, value in env.items() if key not in PLAIN_MEMORY}
    what = ["deploy.asgi:application", "-k", "deploy.server.Worker"]
    if name == STOCK:
        what = ["tests.bench.stock.wsgi:application", "-k", "gthread", "--threads", "4"]
    with gunicorn(name, what, port, env, folder) as made:
        yield made


@contextmanager
def gunicorn(
    name: str, what: list[str], port: int, env: dict[str, str], folder: Path
) -> Iterator[Server]:
    """A gunicorn of one worker, until the end of the block."""
    argv = [sys.executable, "-m", "gunicorn", *what, "-w", "1", "--bind", f"127.0.0.1:{port}"]
    argv += ["--no-control-socket", "--keep-alive", "30", "--log-level", "warning"]
    path = folder / f"{name}.log"
    log = path.open("wb")
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=log, stderr=log)
    try:
        made = Server(name, port, process, path)
        _wait(made)
        yield made
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 60
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            ask(server.line(), "GET", "/v1/jobs", {})
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{server.name} does not answer; its log is in the folder of the stack")


def ask(
    line: http.client.HTTPConnection,
    verb: str,
    path: str,
    headers: dict[str, str],
    body: Any = None,
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """One request and its whole answer."""
    sent = json.dumps(body) if body is not None else None
    if sent:
        headers = {**headers, "Content-Type": "application/json"}
    line.request(verb, path, sent, headers)
    answer = line.getresponse()
    return answer.status, answer.read(), answer.headers


def block(server: Server, count: int, call: Callable[[], Any]) -> float:
    """Microseconds of CPU a call, over so many."""
    began = server.cpu()
    for _ in range(count):
        call()
    return (server.cpu() - began) / count * 1e6
