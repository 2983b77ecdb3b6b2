"""R-04: holders are stopped past their lease, others finish, they wake: each commit is refused."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from portraits import painting
from portraits.models import Portrait
from privacy.models import Blob, Lease
from tests.chaos.invariants import broken
from tests.chaos.rows import row
from tests.chaos.scenes import orphans
from tests.chaos.size import FULL, pick
from tests.portraits.making import claimed, now, person, sizes
from tests.portraits.ordering import order, words_only

BATCHES, AT_ONCE = pick((1, 10), (2, 25), (4, 25))
PEOPLE = 5
HOOK = "https://example.org/hook"


@pytest.fixture
def holders(key_folders: dict[str, Path], born: Any) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-m", "tests.chaos.stale", str(key_folders["FLEET_KEYS"])]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
    assert process.returncode == 0


def say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> list[int]:
    assert process.stdout
    return [int(word) for word in process.stdout.readline().split()]


def test_every_stale_commit_is_refused(
    born: Any, settings_of: Any, holders: "subprocess.Popen[str]"
) -> None:
    settings_of(WEBHOOK_URL=HOOK)
    refused = committed = 0
    everybody: list[uuid.UUID] = []
    for _ in range(BATCHES):
        born("web")
        style, people = words_only(), [person() for _ in range(PEOPLE)]
        everybody += people
        for who in people:
            order(who, style, AT_ONCE // PEOPLE)
        say(holders, json.dumps({"engine": style.engine, "count": AT_ONCE}))
        assert hear(holders) == [AT_ONCE]
        mine = Lease.objects.filter(kind="item", owner_id__in=people)
        began = time.monotonic()
        # By the database's clock, as every lease; nothing is moved by hand.
        while mine.filter(held_until__gte=Now()).exists():
            assert time.monotonic() - began < 60
            time.sleep(0.2)
        born("gpu")
        for _ in range(AT_ONCE):
            work = claimed(style)
            assert painting.finish(work.held, sizes(work.held.owner_id), now())
        say(holders, "go on")
        no, yes = hear(holders)
        refused, committed = refused + no, committed + yes
        counts = [Portrait.objects.filter(owner_id=who).count() for who in people]
        assert counts == [AT_ONCE // PEOPLE] * PEOPLE
        assert [fault for who in people for fault in broken(who)] == []
    left = Blob.objects.filter(owner_id__in=everybody, state=Blob.State.REGISTERED).count()
    born("upkeep")
    noise = orphans(everybody)
    whole = refused == BATCHES * AT_ONCE and not committed and not noise
    row(
        "R-04",
        value=f"{refused} of {BATCHES * AT_ONCE}",
        n=refused,
        holds=(True if FULL else None) if whole else False,
        full=FULL,
        conditions=(
            "real processes, SIGSTOP before or behind the sealing, 15 s of real lease, another"
            f" process finishes, SIGCONT; {left} bodies left behind by holders that then died, gone"
            " after the orphan sweep"
        ),
        raw={"refused": refused, "committed": committed, "left": left, "orphans": noise},
    )
    assert left
    assert whole
