"""`manage.py restore_drill`, in its small form: everything that it looks at holds."""

import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from deploy.drill import terminal
from deploy.drill.cast import ActFailed, Player
from deploy.drill.rehearsal import Rehearsal
from deploy.drill.story import Outcome, Story
from deploy.env import ROOT
from tests import styles

PEOPLE = 40
CHECKS = {
    "backup.control", "backup.no_keys", "backup.encrypted", "control.brought_back",
    "replay.before_ready", "prove", "living.open", "ended.stays_dead", "receipts",
    "jobs.cancelled", "deadlines", "signed_out",
}  # fmt: skip
DIVIDE = """
import json, sys
for line in sys.stdin:
    name, told = json.loads(line)
    print(json.dumps({"done": told}))
    print(json.dumps({"answer": 1 / told}), flush=True)
"""
# Nothing of a role: no secret, no address.
BARE = ("PATH", "PYTHONPATH")


@pytest.fixture(scope="module")
def told() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def outcome(told: io.StringIO) -> Outcome:
    """One whole drill; nobody paints in it, so a small engine will do."""
    engines = {"SITTER_ENGINES": json.dumps([styles.PASSTHROUGH])}
    return terminal.rehearse(PEOPLE, Console(file=told, width=200), engines)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nobody_who_left_comes_back_and_everybody_else_does(outcome: Outcome) -> None:
    assert {result.name: result.says for result in outcome.results if not result.holds} == {}
    assert {result.name for result in outcome.results} == CHECKS
    story = outcome.story
    assert len(story.leavers) == 4
    assert len(story.receipts) == len(story.leavers)
    assert outcome.named("backup.no_keys").n >= 4, "roots, seeds, evidence, receipts"
    terminal.record("test", outcome)


@pytest.mark.slow
def test_it_says_how_far_it_is_and_how_long_the_way_back_took(
    outcome: Outcome, told: io.StringIO
) -> None:
    assert "people: 100 %" in told.getvalue()
    assert "portraits opened: 100 %" in told.getvalue()
    assert list(outcome.seconds) == [
        "a fresh cluster", "the backup restored", "the ledger replayed", "every role ready",
        "proved",
    ]  # fmt: skip
    assert 0 < outcome.rto < terminal.RTO_AT_MOST
    page = io.StringIO()
    terminal.show(Console(file=page, width=200), outcome)
    assert f"Back after {outcome.rto:.0f} s: a fresh cluster" in page.getvalue()
    assert "Everything held." in page.getvalue()


def test_what_does_not_hold_is_named_and_no_success() -> None:
    failed = Outcome(PEOPLE)
    assert not failed.holds, "nothing was looked at"
    drill = Rehearsal.__new__(Rehearsal)
    drill.outcome = failed
    drill._note("prove", False, "failed: orphan_rows", 22)
    assert not failed.holds
    page = io.StringIO()
    terminal.show(Console(file=page, width=200), failed)
    assert "Does not hold: prove." in page.getvalue()


def test_a_player_does_one_act_after_another_until_one_fails() -> None:
    player, heard = Player({}, DIVIDE), list[int]()
    assert [player.play("divide", told, heard.append) for told in (2, 4)] == [0.5, 0.25]
    assert heard == [2, 4]
    with pytest.raises(ActFailed, match=r"(?s)divide ended with 1: .*ZeroDivisionError"):
        player.play("divide", 0)
    player.rest()


def test_everybody_has_a_part() -> None:
    story = Story()
    story.divide([(str(number), "") for number in range(10_000)])
    parts = (story.leavers, story.shorteners, story.withdrawers, story.stayers)
    assert [len(part) for part in parts] == [1000, 100, 100, 8800]
    assert len(story.waiters()) == 88


def test_too_few_people_are_refused_in_a_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "restore_drill", "--people", "3"],
        cwd=ROOT,
        env={name: os.environ[name] for name in BARE if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "needs 12 people or more" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_extra_it_says_which_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("deploy.drill")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(CommandError, match=r"pyrage is not installed.*extra `stack`"):
        call_command("restore_drill")
