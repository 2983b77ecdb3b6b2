"""The doctor finds nothing where nothing is wrong, and says what it did not look at."""

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from deploy.doctor.findings import Finding, Severity
from deploy.env import ROOT, Env, Role
from deploy.stack.supervisor import Stack
from tests.deploy.doctoring import doctor, wrong

ROLES = ("web", "intake", "gpu", "upkeep", "keeper", "courier", "migrator")


@pytest.mark.parametrize("who", ROLES)
def test_a_healthy_installation_gives_no_finding(
    who: str, findings: Callable[..., list[Finding]]
) -> None:
    assert wrong(findings(who)) == {}


def test_what_keeps_a_role_from_starting_is_a_finding_and_no_traceback(stack: Stack) -> None:
    stack.migrate()
    env = stack.env(Role.WEB) | {"SITTER_FLEET_KEYS": str(stack.folders.keys("fleet"))}
    crossed = doctor(env)
    refused = doctor(env | {"SITTER_PRODUCTION": "true", "SITTER_DEBUG": "true"})
    for process, named in ((crossed, "SITTER_FLEET_KEYS"), (refused, "SITTER_DEBUG")):
        said, complaints = process.communicate(timeout=60)
        assert process.returncode == 2
        (finding,) = json.loads(said)["findings"]
        assert finding["name"] == "start.refused"
        assert named in finding["wrong"]
        assert "Traceback" not in complaints


def test_it_says_what_this_role_did_not_look_at(findings: Callable[..., list[Finding]]) -> None:
    (unseen,) = [each for each in findings("courier") if each.name == "doctor.unseen"]
    assert unseen.severity is Severity.NOTE
    assert "consent texts" in unseen.wrong
    assert "broker" not in unseen.wrong


def test_without_a_card_it_says_so_plainly(
    findings: Callable[..., list[Finding]], monkeypatch: pytest.MonkeyPatch, settings_of: Any
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    (card,) = [each for each in findings("gpu") if each.name == "machine.gpu"]
    assert card.severity is Severity.NOTE
    assert card.wrong == "There is no GPU here, or no driver for it."


def test_each_finding_is_a_sentence_on_what_is_wrong_and_one_on_what_to_do(
    findings: Callable[..., list[Finding]], settings_of: Any
) -> None:
    settings_of(DEBUG=True, SECRET_KEY="short", ALLOWED_HOSTS=["*"])
    found = findings("web")
    assert len(found) >= 4
    for each in found:
        assert each.wrong.endswith(".")
        assert each.do.endswith(".")
        assert "short" not in each.wrong.replace("unset or short", "")


def test_every_setting_that_it_names_exists() -> None:
    folder = ROOT / "deploy" / "doctor"
    said = " ".join(file.read_text() for file in folder.glob("*.py"))
    named = set(re.findall(r"SITTER_([A-Z0-9_]*[A-Z0-9])", said))
    assert len(named) > 15
    assert {name.lower() for name in named} <= set(Env.model_fields)
