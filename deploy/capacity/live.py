"""The embedded stack under a known load: what it takes, and when each portrait was asked for.

Two gpu workers serve an engine that sleeps; orders come from a process of their own. What is asked
of whom is read from the rows, what it costs from the kernel's and the services' own counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import redis

from deploy.env import ROOT, Role
from deploy.stack.errors import StackError
from deploy.stack.supervisor import Stack

ROLES: Final = (Role.KEEPER, Role.INTAKE, Role.UPKEEP, Role.BEAT)
WORKERS: Final = 2
STEPS: Final = 10
ORDERING: Final = (sys.executable, "-m", "deploy.capacity.ordering")
# No allowance and no limit is to refuse what one process orders for hundreds.
UNBOUNDED: Final = {
    f"SITTER_{name}": "1000000"
    for name in ("OPEN_ITEMS", "QUEUE_LIMIT", "DAILY_PORTRAITS", "MONTHLY_PORTRAITS")
}
_ITEMS: Final = """
    SELECT job.id, extract(epoch FROM job.created_at), extract(epoch FROM item.started_at),
           extract(epoch FROM item.ended_at), item.state
    FROM portraits_item AS item JOIN portraits_job AS job ON job.id = item.job_id
    WHERE job.created_at > to_timestamp(%s) ORDER BY job.created_at, item.position
"""
_ROWS: Final = """
    SELECT (SELECT count(*) FROM privacy_auditevent), (SELECT count(*) FROM privacy_blob),
           (SELECT coalesce(sum(length), 0) FROM privacy_blob),
           (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
           pg_current_wal_lsn() - '0/0'::pg_lsn
"""


@dataclass(frozen=True)
class Item:
    """One portrait's row: whose job, and when it was asked for, taken and ended, in seconds."""

    job: str
    asked: float
    taken: float
    ended: float
    state: str


@dataclass(frozen=True)
class Render:
    """One picture: when its engine began and ended, in seconds since 1970, and in which process."""

    began: float
    ended: float
    process: str


class Live:
    """A running stack with its workers, and somebody who orders."""

    def __init__(self, stack: Stack, orders: "subprocess.Popen[str]", log: Path) -> None:
        self._stack, self._orders, self._log = stack, orders, log
        self._address = stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
        self._broker = redis.Redis.from_url(stack.env(Role.WEB)["SITTER_BROKER_URL"])

    def order(self, count: int) -> None:
        """Returns when it is taken."""
        assert self._orders.stdin  # noqa: S101 - it was started with pipes
        assert self._orders.stdout  # noqa: S101
        self._orders.stdin.write(f"{count}\n")
        self._orders.stdin.flush()
        if self._orders.stdout.readline() != "taken\n":
            raise StackError("The calibration's orders are not taken any more.")

    def items(self, since: float, *, patience: float = 300.0) -> list[Item]:
        """All that was asked for since then, once all of it has ended. Raises StackError."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with psycopg.connect(self._address) as connection:
                rows = connection.execute(_ITEMS, [since]).fetchall()
            if all(ended is not None for *_, ended, _ in rows):
                return [
                    Item(str(job), float(asked), float(taken), float(ended), state)
                    for job, asked, taken, ended, state in rows
                ]
            time.sleep(0.5)
        raise StackError("The calibration's portraits are not painted.")

    def renders(self, since: float) -> list[Render]:
        """All that were begun since then, in this order."""
        # The engine goes by the machine's other clock.
        ahead = time.time() - time.monotonic()
        lines = [line.split() for line in self._log.read_text().splitlines()]
        found = [
            Render(float(began) + ahead, float(ended) + ahead, process)
            for began, ended, process in lines
        ]
        return sorted((one for one in found if one.began >= since), key=lambda one: one.began)

    def counts(self) -> dict[str, float]:
        """Whatever only grows: processor seconds of services, rows, transactions, commands."""
        # PostgreSQL's own numbers come a second late.
        time.sleep(1.5)
        with psycopg.connect(self._address) as connection:
            row = connection.execute(_ROWS).fetchone()
        assert row  # noqa: S101 - it has no condition
        names = ("audit rows", "blob rows", "bytes", "transactions", "log")
        told: Mapping[str, Any] = self._broker.info()
        return {
            **dict(zip(names, map(float, row), strict=True)),
            "commands": float(told["total_commands_processed"]),
            "database processor": processor_seconds(self._stack.pid("postgres")),
            "broker processor": processor_seconds(self._stack.pid("valkey")),
            "seconds": time.monotonic(),
        }


@contextmanager
def running(engine: str, seconds: float) -> Iterator[Live]:
    """A stack of its own, whose engine takes so long for a picture."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder:
        log = Path(folder) / "renders"
        log.touch()
        extra = {
            "SITTER_TEST_RENDER_LOG": str(log),
            "SITTER_ENGINES": json.dumps([engine]),
            "SITTER_TEST_STEP_SECONDS": str(seconds / STEPS),
            **UNBOUNDED,
        }
        stack = Stack(Path(folder), roles=ROLES, preferred_ports=False, extra_env=extra)
        try:
            stack.start()
            stack.wait_ready()
            # Their keys are born; from here on they would only take part of the machine.
            for role in (Role.KEEPER, Role.INTAKE):
                stack.stop_role(role)
            _publish(stack, engine)
            for index in range(WORKERS):
                stack.start_role(Role.GPU, index=index)
            stack.wait_ready()
            with _orders(stack) as orders:
                yield Live(stack, orders, log)
        finally:
            stack.stop()


def _publish(stack: Stack, engine: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own module
        [*ORDERING, engine], cwd=ROOT, env=stack.env(Role.MIGRATOR), check=False
    )
    if done.returncode:
        raise StackError("The calibration's style cannot be published.")


@contextmanager
def _orders(stack: Stack) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603 - our own module
        ORDERING,
        cwd=ROOT,
        env=stack.env(Role.WEB),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout  # noqa: S101 - it was started with pipes
            if process.stdout.readline() != "ready\n":
                raise StackError("The calibration's orders do not start.")
            yield process
        finally:
            process.terminate()


def processor_seconds(pid: int) -> float:
    """What a process and its children have computed, those that have ended too. Linux alone."""
    tick, total = os.sysconf("SC_CLK_TCK"), 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text()
        except OSError:
            # It has ended meanwhile; its parent counts it from now on.
            continue
        fields = text.rpartition(")")[2].split()
        mine = int(file.parent.name) == pid
        if mine:
            total += sum(map(int, fields[11:15])) / tick
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13])) / tick
    return total
