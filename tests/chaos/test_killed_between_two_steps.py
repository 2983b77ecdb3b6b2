"""R-05: a process is killed before every single thing that it does for a job, on every path.

At once after the kill nothing is half; once another process has gone on, everything is as if nobody
had died: no portrait twice, no photo left, no lease, no place in the allowance, no orphan.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.chaos import scenes
from tests.chaos.invariants import broken
from tests.chaos.rows import row
from tests.chaos.size import pick

# Every act, or every so many; each run begins at another one.
STRIDE = pick(24, 8, 1)
DONE = 0
HOOK = "https://example.org/hook"


class Faller:
    """Walks in a process of its own, which may be killed at any act."""

    def __init__(self, folders: dict[str, Path], told: Path) -> None:
        given = json.dumps({name: str(folder) for name, folder in folders.items()})
        argv = [sys.executable, "-m", "tests.chaos.falling", given, str(told)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)

    def walk(self, walk: scenes.Walk, kill_before: int = 0) -> tuple[int, int]:
        """(how it ended, how many acts it came to)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        name, args = walk
        order = {"path": name, "args": args, "kill_before": kill_before}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        status, acts = self.process.stdout.readline().split()
        return int(status), int(acts)


@pytest.fixture(scope="module")
def faller(
    key_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Faller]:
    made = Faller(key_folders, tmp_path_factory.mktemp("falling") / "acts")
    with made.process:
        yield made
    assert made.process.returncode == 0


@pytest.fixture(autouse=True)
def _told(settings_of: Any) -> None:
    settings_of(WEBHOOK_URL=HOOK)


_POINTS: dict[str, int] = {}
_KILLS: dict[str, int] = {}


@pytest.mark.parametrize("name", scenes.ALL)
def test_a_kill_before_any_act_costs_nothing_but_time(born: Any, faller: Faller, name: str) -> None:
    """Each act of an undisturbed walk is once the last that its process came to."""
    born("web")
    people, kills, place = [], 0, 1 + uuid.uuid4().int % STRIDE
    while True:
        born("web")
        scene = scenes.ALL[name]()
        people.append(scene.who)
        status, acts = faller.walk(scene.walk, place)
        if status != DONE:
            assert status == -SIGKILL
            kills += 1
        assert broken(scene.who) == [], f"at once after a kill before act {place}"
        if status != DONE or scene.after:
            for walk in scene.again:
                scenes.lapse(scene.who)
                assert faller.walk(walk)[0] == DONE
        assert broken(scene.who) == [], f"after the recovery from a kill before act {place}"
        assert scene.ends(), f"killed before act {place}"
        if status == DONE:
            break
        place += STRIDE
    born("upkeep")
    assert scenes.orphans(people) == []
    assert acts > 2
    _POINTS[name], _KILLS[name] = acts, kills


def test_the_points_are_counted() -> None:
    """The row; only of a run of every path."""
    if set(_POINTS) != set(scenes.ALL):
        pytest.skip("Not every path was walked in this run.")
    points, kills = sum(_POINTS.values()), sum(_KILLS.values())
    whole = STRIDE == 1
    each = ", ".join(f"{name} {count}" for name, count in _POINTS.items())
    row(
        "R-05",
        value=f"hold at {kills} of {points}",
        n=kills,
        holds=True if whole else None,
        full=whole,
        conditions=(
            f"SIGKILL of a real process before {'every' if whole else f'every {STRIDE}.'}"
            f" statement, commit, S3 request and nudge of {len(_POINTS)} paths ({each})"
        ),
        raw={"points": _POINTS, "kills": _KILLS, "stride": STRIDE},
    )


def test_the_points_lie_in_real_work(born: Any, faller: Faller) -> None:
    """A counter that saw only statements would leave holes: all four sorts are seen."""
    born("web")
    scene = scenes.submit()
    status, acts = faller.walk(scene.walk)
    assert (status, scene.ends()) == (DONE, True)
    assert acts > 10
    assert os.getpid() != faller.process.pid
