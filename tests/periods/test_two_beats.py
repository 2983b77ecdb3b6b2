"""Two beats may run: every period is run exactly once, and one that dies is hardly missed (R-09).

Real beats and real workers, with a period of one second. With FULL=1 they run for a thousand
periods, otherwise for twenty.
"""

import itertools
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection

from privacy.models import Period
from tests.figures import figure

FULL = os.environ.get("FULL") == "1"
PERIODS = 1000 if FULL else 20
BEFORE = 5
CELERY = [sys.executable, "-m", "celery", "-A", "tests.periods.ticking"]


@dataclass
class Clockwork:
    """Processes of this test, and what they ran."""

    queue: str
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        number = len(self.running)
        with (self.folder / f"{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [*CELERY, *arguments],
                env={**os.environ, "TICKING_QUEUE": self.queue},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.running.append(process)
        return process

    def beat(self) -> subprocess.Popen[bytes]:
        file = self.folder / f"schedule-{len(self.running)}"
        return self.start("beat", "-s", str(file), "--pidfile=", "-l", "INFO")

    def worker(self) -> subprocess.Popen[bytes]:
        name = f"tick{len(self.running)}@%h"
        options = ("-P", "threads", "-c", "2", "--without-gossip", "--without-mingle")
        return self.start("worker", "-Q", self.queue, "-n", name, *options)

    def slots(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT slot FROM tests_tick WHERE name = %s ORDER BY at", [self.queue])
            return [slot for (slot,) in cursor.fetchall()]

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < until, self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(file.read_text("utf-8")[-1500:] for file in self.folder.glob("*.log"))

    def sent(self) -> list[int]:
        """How many messages each process has sent."""
        texts = (file.read_text("utf-8") for file in self.folder.glob("*.log"))
        return sorted(count for text in texts if (count := text.count("Sending due task")))


@pytest.fixture
def clockwork(tmp_path: Path) -> Iterator[Clockwork]:
    """A queue, a table for what ran, and the end of all that was started."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS tests_tick"
            " (name text, slot bigint, at timestamptz, worker bigint)"
        )
    made = Clockwork(f"tick{uuid.uuid4().hex[:8]}", tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.wait()
    Period.objects.filter(name=made.queue).delete()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tests_tick")


def holes(slots: list[int]) -> list[int]:
    """How many periods are missing, at each place where some are."""
    return [after - before - 1 for before, after in itertools.pairwise(slots)]


@pytest.mark.slow
def test_two_beats_run_each_period_once_and_one_that_dies_is_hardly_missed(
    clockwork: Clockwork,
) -> None:
    for _ in range(2):
        clockwork.worker()
    beats = [clockwork.beat(), clockwork.beat()]
    clockwork.wait(lambda: len(clockwork.slots()) >= BEFORE, 60)
    clockwork.wait(lambda: len(clockwork.sent()) == 2, 60)
    # The workers were started first, but which came to its senses last is chance: begin here.
    begin = clockwork.slots()[-1]

    def counted() -> list[int]:
        return [slot for slot in clockwork.slots() if slot > begin]

    clockwork.wait(lambda: len(counted()) >= PERIODS, 3 * PERIODS + 30)
    both = counted()
    assert len(set(both)) == len(both)
    assert sorted(both) == list(range(both[0], both[0] + len(both))), holes(both)
    assert min(clockwork.sent()) >= PERIODS  # both have asked for all of it

    beats[0].kill()
    killed = clockwork.slots()[-1]
    clockwork.wait(lambda: clockwork.slots()[-1] >= killed + 5, 30)
    after = [slot for slot in clockwork.slots() if slot >= killed]
    assert max(holes(after)) <= 1

    beats[1].kill()
    beats[1].wait()
    time.sleep(4)
    silent = clockwork.slots()
    started, before = time.time(), len(silent)
    clockwork.beat()
    clockwork.beat()
    clockwork.wait(lambda: len(clockwork.slots()) >= before + 3, 60)
    slots = clockwork.slots()
    assert len(set(slots)) == len(slots)
    # One for each period since the beats are back, and none for those in which there was none.
    assert len(slots) - before <= time.time() - started + 1
    assert slots[before] - silent[-1] >= 4
    figure(
        "R-09",
        value={"periods": len(both), "twice": 0, "missing": 0, "longest_gap": max(holes(after))},
        unit="periods",
        n=len(both),
        holds=True if FULL else None,
        conditions="two beats and two workers as processes, period 1 s, one beat killed, then both",
    )
