"""A worker whose broker resets connections goes on, or ends so that another is started (R-10).

A real worker behind a proxy; its watch is the product's. With FULL=1 a hundred resets, otherwise
six.
"""

import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from celery import Celery

from privacy import leases
from privacy.models import Lease
from tests.chaos.proxy import Proxy
from tests.figures import figure

FULL = os.environ.get("FULL") == "1"
RESETS = 100 if FULL else 6
LIMIT = 30.0


@dataclass
class Workplace:
    """One worker behind a proxy, its queue, and whoever sends to it directly."""

    folder: Path
    proxy: Proxy
    queue: str = field(default_factory=lambda: f"w{uuid.uuid4().hex[:9]}")
    process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> subprocess.Popen[bytes]:
        broker = self.proxy.url(os.environ["SITTER_BROKER_URL"])
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.periods.working", "worker"),
                    *("-Q", self.queue, "-n", f"{self.queue}@%h", "-P", "threads", "-c", "2"),
                    *("--without-gossip", "--without-mingle", "-l", "INFO"),
                ],
                env={
                    **os.environ,
                    "SITTER_BROKER_URL": broker,
                    "WORKING_QUEUE": self.queue,
                    **env,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def log(self) -> str:
        return (self.folder / "worker.log").read_text("utf-8", "replace")

    def wait_ready(self) -> None:
        until = time.monotonic() + 60
        while " ready." not in self.log():
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)

    def open_work(self) -> uuid.UUID:
        work = uuid.uuid4()
        leases.open_work(self.queue, work, uuid.uuid4())
        return work

    def nudge(self, work: uuid.UUID) -> None:
        """Straight to the broker, as another process would."""
        app = Celery(broker=os.environ["SITTER_BROKER_URL"], set_as_current=False)
        app.send_task("tests.work", args=[str(work)], queue=self.queue)
        app.close()

    def seconds_until_taken(self, work: uuid.UUID) -> float:
        began = time.monotonic()
        while Lease.objects.filter(work_id=work).exists():
            assert time.monotonic() - began < LIMIT, self.log()[-3000:]
            time.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    """The proxy is up, no worker runs; and nothing is left in the end."""
    with Proxy.to(os.environ["SITTER_BROKER_URL"]) as proxy:
        made = Workplace(tmp_path, proxy)
        yield made
        if made.process:
            made.process.kill()
            made.process.wait()
        Lease.objects.filter(kind=made.queue).delete()


@pytest.mark.slow
def test_work_goes_on_after_every_reset_of_the_connection(workplace: Workplace) -> None:
    worker = workplace.start()
    workplace.wait_ready()
    took = []
    for _ in range(RESETS):
        assert workplace.proxy.cut() >= 1
        work = workplace.open_work()
        workplace.nudge(work)
        took.append(workplace.seconds_until_taken(work))
        assert worker.poll() is None, workplace.log()[-3000:]
    figure(
        "R-10",
        value={
            "resumed": len(took),
            "median_s": round(statistics.median(took), 2),
            "longest_s": round(max(took), 2),
        },
        unit="resets",
        n=RESETS,
        holds=True if FULL else None,
        conditions="a real worker behind a proxy that resets; work is opened and nudged after each",
    )


@pytest.mark.slow
def test_work_goes_on_without_a_broker(workplace: Workplace) -> None:
    workplace.start(WORKING_QUICKLY="1")
    workplace.wait_ready()
    with workplace.proxy.down():
        for _ in range(3):
            workplace.seconds_until_taken(workplace.open_work())
    assert workplace.process
    assert workplace.process.poll() is None
    assert "work_not_heard_of" in workplace.log()


@pytest.mark.slow
def test_a_worker_that_takes_nothing_ends_with_1_so_that_another_is_started(
    workplace: Workplace,
) -> None:
    worker = workplace.start(WORKING_QUICKLY="1", WORKING_VAINLY="1")
    workplace.wait_ready()
    workplace.open_work()
    assert worker.wait(LIMIT) == 1
    assert "work_not_taken" in workplace.log()
