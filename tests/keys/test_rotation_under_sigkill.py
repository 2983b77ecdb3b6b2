"""A keeper that is killed again and again while it rewraps loses no key, leaves nothing half.

`make bench SUITE=keys` does it to a hundred thousand owners, and kills until all of them are moved.
"""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.env import ROOT
from privacy import keys, rotation
from privacy.errors import SealBroken
from privacy.keyfiles import KeyFolder
from privacy.models import OwnerKey, RootEpoch
from privacy.retention import ROOT_WAIT
from tests.figures import figure
from tests.keys.conftest import keeper_env
from tests.keys.people import many, unreadable

OWNERS = 10_000
KILLS = 4
GOAL = 2000


def left(label: str) -> int:
    return OwnerKey.objects.filter(root_epoch=label).count()


def keeper(folders: dict[str, Path], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "rotate_root", *arguments],
        cwd=ROOT,
        env=keeper_env(folders),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_while_rewrapping(folders: dict[str, Path], first: str, *arguments: str) -> bool:
    """Start a keeper, kill it once it has moved some; False when it ended before."""
    before = left(first)
    process = keeper(folders, *arguments)
    deadline = time.monotonic() + 60
    while process.poll() is None and left(first) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return not ended


@pytest.mark.slow
def test_a_killed_turn_is_taken_up_where_it_was(as_role: Any, folders: dict[str, Path]) -> None:
    now = datetime.now(UTC)
    as_role("keeper")
    keys.make_root_key(now)
    roots = KeyFolder(folders["ROOT_KEYS"], "root")
    first = keys.root_epoch()
    old = roots.read(first)
    seeds = many(OWNERS, old, first, now)
    kills = int(killed_while_rewrapping(folders, first, "--now"))
    second = keys.root_epoch()
    while kills < KILLS and killed_while_rewrapping(folders, first):
        kills += 1
        both = {first: old, second: roots.read(second)}
        assert unreadable(seeds, both) == 0, "each row names the root that opens it"
    assert kills >= 3
    process = keeper(folders)
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    assert "Rewrapped:" in said
    assert keys.root_epoch() == second, "the killed turn's root is the root"
    assert left(first) == 0
    assert unreadable(seeds, {second: roots.read(second)}) == 0
    with pytest.raises(SealBroken):
        unreadable(seeds, {second: old})
    rotation.turn(now + ROOT_WAIT + timedelta(hours=1))
    assert not roots.has(first)
    assert RootEpoch.objects.get(pk=first).destroyed_at is not None
    assert os.path.exists(folders["ROOT_KEYS"] / f"{second}.key")


@pytest.mark.slow
def test_two_thousand_keys_are_rewrapped_a_second(as_role: Any, folders: dict[str, Path]) -> None:
    now = datetime.now(UTC)
    as_role("keeper")
    keys.make_root_key(now)
    roots = KeyFolder(folders["ROOT_KEYS"], "root")
    first = keys.root_epoch()
    seeds = many(OWNERS, roots.read(first), first, now)
    started = time.monotonic()
    done = rotation.turn(now, force=True)
    rate = OWNERS / (time.monotonic() - started)
    assert done.rewrapped == OWNERS
    wrong = unreadable(seeds, {str(done.made): roots.read(str(done.made))})
    assert wrong == 0
    figure(
        "C-06",
        value=f"{rate:,.0f}",
        unit="keys/s",
        n=OWNERS,
        holds=rate >= GOAL and wrong == 0,
        conditions=f"local root file, one keeper, batches of {rotation.BATCH}; beside it a turn of"
        f" as many keys under up to {KILLS} SIGKILLs: 0 unreadable, the old root destroyed",
    )
    assert rate >= GOAL / 4, "far below the goal even for a busy machine"
