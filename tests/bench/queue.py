"""What other queue libraries cost for a job that does nothing: CPU, drain rate, delay to the start.

They share the embedded stack's Valkey and PostgreSQL and take turns. What our own job path costs
is R3, of the suite `worker`; these rows say what a change of the library could gain at all.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import redis

from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.bench import report
from tests.bench.peers.contenders import cpu_seconds

HERE = Path(__file__).parent / "queues"
FOLDER = ROOT / "var" / "bench" / "queues"
REQUIREMENTS = (
    "celery[redis]==5.7.0",
    "dramatiq[redis]==2.2.1",
    "taskiq==0.13.0",
    "taskiq-redis==1.2.4",
    "rq==3.0.0",
    "procrastinate==3.10.0",
)
ROUNDS = 5
BURST, PACED, PAUSE = (5000, 200, 0.02) if os.environ.get("FULL") else (600, 100, 0.02)
PATIENCE = 180.0


@dataclass(frozen=True)
class Rival:
    """A library in one way of running it: what its worker's command line is."""

    name: str
    library: str
    worker: tuple[str, ...]


_CELERY = ("-m", "celery", "-A", "noop", "worker", "--without-gossip", "--without-mingle", "-P")
RIVALS = (
    Rival("celery solo", "celery", (*_CELERY, "solo")),
    Rival("celery threads", "celery", (*_CELERY, "threads", "-c", "1")),
    Rival("celery prefork", "celery", (*_CELERY, "prefork", "-c", "1")),
    Rival("dramatiq", "dramatiq", ("-m", "dramatiq", "noop", "-p", "1", "-t", "1")),
    Rival("taskiq", "taskiq", ("-m", "taskiq", "worker", "noop:broker", "-w", "1")),
    Rival("rq", "rq", ("-m", "rq.cli", "worker", "--url", "{url}", "--quiet")),
    Rival(
        "procrastinate",
        "procrastinate",
        ("-m", "procrastinate", "--app", "noop.procrastinating", "worker", "--concurrency", "1"),
    ),
)


def run() -> None:
    """Rounds of all libraries in turn."""
    python = install()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        stack = Stack(Path(folder), roles=(), tests=True, preferred_ports=False)
        try:
            stack.start()
            bench = _Bench(python, broker(stack), _database(stack))
            bench.prepare()
            for _ in range(ROUNDS):
                for rival in RIVALS:
                    found.setdefault(rival.name, []).append(bench.measure(rival))
        finally:
            stack.stop()
    _say(found)


def install() -> Path:
    """An environment with all of the libraries; returns its interpreter."""
    python = FOLDER / "bin" / "python"
    mark = FOLDER / "installed"
    if not mark.exists() or mark.read_text() != repr(REQUIREMENTS):
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        mark.write_text(repr(REQUIREMENTS))
    return python


def broker(stack: Stack) -> str:
    """A Valkey database that nothing of ours uses."""
    own = urlsplit(stack.env(Role.WEB)["SITTER_BROKER_URL"])
    return urlunsplit(own._replace(path="/1"))


def _database(stack: Stack) -> str:
    """The same of PostgreSQL; only a stack without roles lets its migrator make one."""
    own = stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("CREATE DATABASE queues")
    return urlunsplit(urlsplit(own)._replace(path="/queues"))


@dataclass(frozen=True)
class _Bench:
    python: Path
    url: str
    database: str

    def _env(self, rival: Rival) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "QUEUE_URL": self.url,
            "QUEUE_DATABASE": self.database,
            "QUEUE_LIBRARY": rival.library,
        }

    def prepare(self) -> None:
        """procrastinate keeps its jobs in tables."""
        schema = ("-m", "procrastinate", "--app", "noop.procrastinating", "schema", "--apply")
        command = [str(self.python), *schema]
        subprocess.run(command, cwd=HERE, env=self._env(RIVALS[-1]), check=True)

    def measure(self, rival: Rival) -> dict[str, float]:
        """A burst, then jobs one by one."""
        with redis.Redis.from_url(self.url) as broker, self._working(rival) as worker:
            broker.delete("began")
            self._submit(rival, 5, 0.0)
            self._wait(broker, 5)
            broker.delete("began")
            burnt, began = cpu_seconds([worker.pid]), time.monotonic()
            self._submit(rival, BURST, 0.0)
            sent = time.monotonic() - began
            self._wait(broker, BURST)
            drained = time.monotonic() - began
            burnt = cpu_seconds([worker.pid]) - burnt
            broker.delete("began")
            self._submit(rival, PACED, PAUSE)
            delays = sorted(self._wait(broker, PACED))
        return {
            "cpu_us": burnt / BURST * 1e6,
            "sent_s": BURST / sent,
            "drained_s": BURST / drained,
            "p50_ms": statistics.median(delays) * 1000,
            "p95_ms": report.p95(delays) * 1000,
        }

    def _submit(self, rival: Rival, count: int, pause: float) -> None:
        submit = [str(self.python), "-c", "import noop; noop.main()", str(count), str(pause)]
        subprocess.run(submit, cwd=HERE, env=self._env(rival), check=True)

    def _wait(self, broker: Any, count: int) -> list[float]:
        deadline = time.monotonic() + PATIENCE
        while broker.llen("began") < count:
            assert time.monotonic() < deadline, f"{broker.llen('began')} of {count} began"
            time.sleep(0.02)
        return [float(value) for value in broker.lrange("began", 0, -1)]

    @contextmanager
    def _working(self, rival: Rival) -> Iterator[psutil.Process]:
        with redis.Redis.from_url(self.url) as broker:
            broker.flushdb()
        arguments = [text.format(url=self.url) for text in rival.worker]
        with (FOLDER / f"{rival.library}.log").open("wb") as log:
            worker = psutil.Popen(
                [str(self.python), *arguments],
                cwd=HERE, env=self._env(rival), stdout=log, stderr=log,
            )  # fmt: skip
            try:
                yield worker
            finally:
                family = [*worker.children(recursive=True), worker]
                for member in family:
                    member.kill()
                psutil.wait_procs(family, timeout=10)


def _say(found: dict[str, list[dict[str, float]]]) -> None:
    print("| library | CPU µs a job | sent/s | drained/s | start p50 ms | p95 ms |")
    print("|---|---|---|---|---|---|")
    for name, rows in found.items():
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"| {name} | {middle['cpu_us']:.0f} | {middle['sent_s']:.0f}"
            f" | {middle['drained_s']:.0f} | {middle['p50_ms']:.1f} | {middle['p95_ms']:.1f} |"
        )
    burnt = {name: statistics.median(row["cpu_us"] for row in rows) for name, rows in found.items()}
    title = "A job that does nothing: CPU of the worker"
    drawn = report.bars(title, "µs a job", burnt)
    conditions = {"bars": drawn, "burst": BURST, "paced": PACED, "requirements": REQUIREMENTS}
    report.keep("queue", {**conditions, "rounds": found})
