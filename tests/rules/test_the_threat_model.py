"""The threat model names controls that are tested, and the auditor's page commands that exist."""

import re
from itertools import groupby
from typing import NamedTuple

import pytest
from django.core.management import get_commands

from deploy.env import ROOT
from tests.rules.test_the_asvs_table import defined

DOCS = ROOT / "deploy" / "docs"
ROW = re.compile(r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| `(tests/[^`]+)` \|$", re.MULTILINE)


class Threat(NamedTuple):
    """One row, and the boundary that it stands under."""

    boundary: str
    letter: str
    what: str
    control: str
    shown_by: str


def threats(page: str) -> list[Threat]:
    """Every row of every boundary."""
    found = []
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    for part in parts:
        boundary = part.partition("\n")[0]
        found += [Threat(boundary, *match) for match in ROW.findall(part)]
    return found


def fault(threat: Threat) -> str | None:
    """What is the matter with its proof."""
    file, _, test = threat.shown_by.partition("::")
    if not (ROOT / file).is_file():
        return f"{file} is no file"
    if test and test not in defined(file):
        return f"{threat.shown_by} is no test"
    return None


def test_every_threat_names_a_test_that_is_there() -> None:
    page = (DOCS / "threat-model.md").read_text()
    listed = threats(page)
    assert len(listed) > 50
    # No row escapes the pattern.
    assert len(listed) == len(re.findall(r"^\| [A-Z] \|", page, re.MULTILINE))
    assert {threat.what: told for threat in listed if (told := fault(threat))} == {}


def test_every_boundary_is_looked_at_by_every_letter() -> None:
    listed = threats((DOCS / "threat-model.md").read_text())
    by_boundary = {
        boundary: {threat.letter for threat in rows}
        for boundary, rows in groupby(listed, lambda threat: threat.boundary)
    }
    assert len(by_boundary) == 9
    assert {name: set("STRIDE") - seen for name, seen in by_boundary.items()} == {
        name: set() for name in by_boundary
    }


@pytest.mark.parametrize(
    "shown_by", ["tests/rules/nowhere.py", "tests/rules/test_locks.py::test_x"]
)
def test_a_proof_that_nobody_wrote_is_noticed(shown_by: str) -> None:
    assert fault(Threat("", "S", "", "", shown_by)) is not None


def test_the_auditors_commands_exist_and_each_is_answered() -> None:
    page = (DOCS / "auditor.md").read_text()
    named = set(re.findall(r"manage\.py (\w+)", page))
    assert {"backlog", "who_opened", "prove", "restore_drill", "verify_ledger"} <= named
    assert named <= get_commands().keys()
    files = re.findall(r"tests/[\w/]+\.py", page)
    assert len(files) > 4
    assert [name for name in files if not (ROOT / name).is_file()] == []
    # Behind each question a command, and behind each command what it prints.
    questions = re.split(r"^## \d\. ", page, flags=re.MULTILINE)[1:]
    assert len(questions) == 4
    answered = re.compile(r"^```sh\n.+?^```\n```\n.+?^```$", re.MULTILINE | re.DOTALL)
    for question in questions:
        assert question.count("```sh\n") == len(answered.findall(question)) > 0
    assert not re.findall(r"^@\w+@$", page, re.MULTILINE)
