"""`manage.py prove` on the running stack: it passes, and a crossed compartment fails it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from deploy.env import ROOT, Role
from deploy.prove import look
from deploy.stack.supervisor import Stack
from tests.chaos.person import Person
from tests.resting import resting


def prove(live: Stack, *options: str, status: int = 0) -> Any:
    """As upkeep would: its login, its keys, its broker."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "prove", "--json", *options],
        cwd=ROOT,
        env=live.env(Role.UPKEEP),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert ran.returncode == status, (ran.stdout, ran.stderr)
    return json.loads(ran.stdout)


@pytest.fixture
def busy(live: Stack) -> Iterator[None]:
    """Somebody has photos, a portrait and a job under way while it is proved."""
    person = Person(live.urls.web)
    assert person.ended(person.submit(person.ready_set()))["state"] == "done"
    person.submit(person.ready_set(keep=False), 3)
    yield
    person.close()


def test_the_running_stack_proves_its_promises(live: Stack, busy: None) -> None:
    report = prove(live, "--all", "--wait", "60")
    assert report["failed"] == []
    looked = {check["name"]: check["n"] for check in report["checks"]}
    assert looked["consent_of_inputs"] >= 2
    assert looked["bodies_match"] >= 2
    assert all(looked[f"compartment.{role}"] == 3 for role in ("web", "intake", "gpu", "keeper"))

    shown = httpx.get(f"{live.urls.web}/v1/transparency").json()
    assert shown[0]["statement"]["holds"] is True
    keys = httpx.get(f"{live.urls.web}/.well-known/sitter-keys.json").json()
    assert shown[0]["statement"]["key"] in keys["ed25519"]


def test_a_crossed_compartment_fails_the_proof_by_name(live: Stack) -> None:
    """The keeper holds the roots; with one grant too many it opens what belongs to an owner."""
    with psycopg.connect(live.env(Role.MIGRATOR)["SITTER_DATABASE_URL"], autocommit=True) as admin:
        admin.execute("GRANT SELECT ON privacy_capsule TO sitter_keeper")
        try:
            report = prove(live, "--wait", "60", status=1)
        finally:
            # Taking it back takes along what the keeper may read of single columns.
            look.manage(live, Role.MIGRATOR, "grants")
    assert report["failed"] == ["compartment.keeper"]


def test_a_role_that_is_away_is_believed_from_before_and_then_named(live: Stack) -> None:
    prove(live, "--wait", "60")
    with resting(live, Role.KEEPER):
        assert prove(live, "--wait", "2")["failed"] == []
        with psycopg.connect(live.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]) as admin:
            admin.execute("UPDATE privacy_verdict SET at = at - interval '26 hours'")
        report = prove(live, "--wait", "2", status=1)
    assert report["failed"] == ["compartment.keeper"]


def test_a_stranger_cannot_ask_the_web_to_try(live: Stack) -> None:
    for body in ({}, {"statement": {"kind": "probe"}, "signature": "AA=="}):
        answer = httpx.post(f"{live.urls.web}/internal/probe", json=body)
        assert answer.status_code == 403, answer.text
        assert answer.json()["errors"][0]["code"] == "probe_refused"
