"""Periods begin by the wall clock, and a message keeps the one in which it was sent."""

import copy
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from privacy.models import Period
from workers import periods, tasks
from workers.app import app
from workers.schedule import BEAT, PERIODS, OnTheClock, lives_for, slot_at

TEN = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    Period.objects.all().delete()
    yield
    Period.objects.all().delete()


def clock(at: datetime, seconds: float = 10) -> OnTheClock:
    return OnTheClock(seconds, nowfun=lambda: at, app=app)


def test_a_period_is_due_once_and_as_soon_as_it_begins() -> None:
    assert clock(TEN + timedelta(seconds=3)).is_due(TEN) == (False, 7)
    assert clock(TEN + timedelta(seconds=10)).is_due(TEN) == (True, 10)
    assert clock(TEN + timedelta(seconds=12)).is_due(TEN + timedelta(seconds=9)) == (True, 8)
    assert clock(TEN + timedelta(seconds=19)).is_due(TEN + timedelta(seconds=12)) == (False, 1)


def test_what_was_missed_is_made_up_for_once() -> None:
    late = TEN + timedelta(hours=5)
    assert clock(late).is_due(TEN).is_due
    assert not clock(late + timedelta(seconds=1)).is_due(late).is_due


def test_a_clock_that_was_set_back_does_not_silence_beat() -> None:
    assert clock(TEN - timedelta(hours=1)).is_due(TEN).is_due


def test_two_beats_that_were_started_at_different_times_mean_the_same_period() -> None:
    starts = (TEN + timedelta(seconds=1.2), TEN + timedelta(seconds=7.9))
    due = {start + timedelta(seconds=clock(start).is_due(start).next) for start in starts}
    assert due == {TEN + timedelta(seconds=10)}


def test_a_schedule_survives_the_file_of_beat() -> None:
    assert copy.copy(OnTheClock(30)) == OnTheClock(30)  # by what beat's file keeps
    assert OnTheClock(30) != OnTheClock(31)


def test_every_task_of_the_table_is_run_once_a_period() -> None:
    for name, (task, queue, seconds) in PERIODS.items():
        assert hasattr(app.tasks[task].run, "__wrapped__"), name
        assert BEAT[name]["schedule"].seconds == seconds
        assert BEAT[name]["options"]["queue"] == queue


# --- The message ----------------------------------------------------------------------------------


class Delivered:
    """A periodic task that a message asks for, and how often it has run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = 0
        self.request = SimpleNamespace(expires=None, called_directly=False)
        self.name = "upkeep.requeue"
        monkeypatch.setattr(periods, "current_task", self)
        self.task = periods.once(self._body)

    def _body(self) -> None:
        self.runs += 1

    def __bool__(self) -> bool:
        return True

    def arrive(self, sent: datetime) -> bool:
        _, _, seconds = PERIODS["requeue"]
        self.request.expires = (sent + timedelta(seconds=lives_for(seconds))).isoformat()
        before = self.runs
        self.task()
        return self.runs > before


def test_the_same_period_from_two_beats_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered = Delivered(monkeypatch)
    begin = datetime.fromtimestamp(time.time() // 5 * 5, UTC)
    sent = [begin, begin + timedelta(seconds=0.3), begin + timedelta(seconds=4.9)]
    assert [delivered.arrive(at) for at in sent] == [True, False, False]


def test_what_comes_late_does_not_take_the_turn_of_the_period_in_which_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivered = Delivered(monkeypatch)
    this = datetime.fromtimestamp(time.time() // 5 * 5, UTC)
    assert delivered.arrive(this - timedelta(seconds=5))  # delivered now
    assert delivered.arrive(this)
    assert not delivered.arrive(this - timedelta(seconds=5))
    assert Period.objects.get(name="requeue").slot == slot_at(this.timestamp(), 5)


def test_called_by_hand_it_runs_as_often_as_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered = Delivered(monkeypatch)
    delivered.request.called_directly = True
    for _ in range(3):
        delivered.task()
    delivered.request.called_directly = False
    delivered.task()  # sent by hand: without an end
    assert delivered.runs == 4
    assert not Period.objects.exists()


def test_outside_of_a_worker_it_is_a_function(born: Any) -> None:
    born("upkeep")
    tasks.requeue()
    tasks.requeue()
    assert not Period.objects.exists()
