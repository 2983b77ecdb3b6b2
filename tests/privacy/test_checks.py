"""The checks that keep a process from starting, and that they name what is wrong."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from deploy.env import ROOT, Role
from privacy import checks
from privacy.apps import PrivacyConfig
from privacy.inventory import TABLES
from privacy.retention import DEADLINES


def messages(check: Any) -> list[str]:
    return [str(found.msg) for found in check(None)]


def starts(**changes: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that does what each of ours does first."""
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_is_in_order_here() -> None:
    for check in checks.ALL:
        assert messages(check) == []


def test_a_model_that_the_inventory_does_not_know_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = TABLES[3].model
    monkeypatch.setattr(checks, "TABLES", TABLES[:3] + TABLES[4:])
    assert checks.unlisted_models() == [missing]
    assert messages(checks.check_inventory) == [f"{missing} is missing in privacy/inventory.py."]


def test_a_process_with_an_unlisted_model_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "TABLES", TABLES[1:])
    config = apps.get_app_config("privacy")
    assert isinstance(config, PrivacyConfig)
    with pytest.raises(ImproperlyConfigured, match=TABLES[0].model):
        config.ready()


def test_tables_of_other_packages_are_listed_too() -> None:
    labels = {table.model for table in TABLES}
    assert {"account.EmailAddress", "admin.LogEntry", "auth.Group"} <= labels


def test_no_entry_is_without_a_table() -> None:
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert {table.model for table in TABLES} <= known


def test_a_kind_without_a_deadline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = dict(list(DEADLINES.items())[1:])
    monkeypatch.setattr(checks, "DEADLINES", fewer)
    assert messages(checks.check_inventory) == ["A kind of blob has no deadline in retention.py."]


@pytest.mark.parametrize(
    "handlers",
    [
        [],
        ["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
        [checks.MEMORY_HANDLER, "django.core.files.uploadhandler.TemporaryFileUploadHandler"],
    ],
)
def test_an_upload_handler_that_writes_to_disk_is_refused(
    settings_of: Any, handlers: list[str]
) -> None:
    settings_of(FILE_UPLOAD_HANDLERS=handlers)
    assert "FILE_UPLOAD_HANDLERS" in messages(checks.check_uploads)[0]


def test_a_body_that_django_would_spool_is_refused(settings_of: Any) -> None:
    settings_of(FILE_UPLOAD_MAX_MEMORY_SIZE=16_000_000, BODY_MAX_BYTES=16_000_000)
    assert "FILE_UPLOAD_MAX_MEMORY_SIZE" in messages(checks.check_uploads)[0]


@pytest.mark.parametrize("name", [str(role) for role in Role])
def test_a_role_may_hold_the_keys_of_its_compartment_and_no_other(
    role: Any, settings_of: Any, name: str
) -> None:
    role(name)
    assert messages(checks.check_compartments) == []
    held = checks.HELD.get(name, set())
    for folder in ("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS", "RECEIPT_KEYS"):
        role(name)
        settings_of(**{folder: None if folder in held else Path("/keys")})
        verb = "needs" if folder in held else "may not be given"
        assert messages(checks.check_compartments) == [f"The role {name} {verb} SITTER_{folder}."]


@pytest.mark.parametrize(
    ("production", "c2pa", "said"),
    [
        (True, True, ["The role gpu needs SITTER_C2PA_KEYS."]),
        (True, False, []),
        (False, True, []),
    ],
)
def test_unsigned_portraits_in_production_must_be_meant(
    role: Any, settings_of: Any, production: bool, c2pa: bool, said: list[str]
) -> None:
    role("gpu")
    settings_of(PRODUCTION=production, C2PA=c2pa, C2PA_KEYS=None)
    assert messages(checks.check_compartments) == said


@pytest.mark.parametrize("name", ["web", "intake", "upkeep", "keeper", "courier"])
def test_the_certificate_of_portraits_is_the_painters_alone(
    role: Any, settings_of: Any, name: str
) -> None:
    role(name)
    settings_of(C2PA_KEYS=Path("/keys"))
    assert messages(checks.check_compartments) == [
        f"The role {name} may not be given SITTER_C2PA_KEYS."
    ]


def test_no_role_holds_both_halves_of_the_promise() -> None:
    for name, held in checks.HELD.items():
        assert not {"ROOT_KEYS", "FLEET_KEYS"} <= held, name
    assert "RECEIPT_KEYS" not in checks.HELD["web"]


def test_a_process_with_somebody_elses_keys_does_not_start() -> None:
    ended = starts(SITTER_ROLE="gpu", SITTER_FLEET_KEYS="/keys", SITTER_ROOT_KEYS="/keys")
    assert ended.returncode != 0
    assert "The role gpu may not be given SITTER_ROOT_KEYS." in ended.stderr


def test_a_process_without_its_keys_does_not_start() -> None:
    ended = starts(SITTER_ROLE="web")
    assert ended.returncode != 0
    assert "The role web needs SITTER_ROOT_KEYS." in ended.stderr


def test_production_refuses_debug_by_name() -> None:
    ended = starts(SITTER_PRODUCTION="1", SITTER_DEBUG="1", SITTER_SECRET_KEY="x" * 40)
    assert ended.returncode != 0
    assert "SITTER_DEBUG must be false in production." in ended.stderr


def test_apples_key_is_the_couriers_alone_and_needs_a_place_for_grants(settings_of: Any) -> None:
    settings_of(APPLE_KEY="pem", ROLE=Role.WEB)
    assert [error.id for error in checks.check_apple(None)] == ["privacy.E008"]
    settings_of(ROLE=Role.COURIER)
    assert checks.check_apple(None) == []
    told = [str(error.msg) for error in checks.check_compartments(None)]
    assert told == ["The role courier needs SITTER_GRANT_KEYS."]
    settings_of(APPLE_KEY="")
    assert checks.check_compartments(None) == []
