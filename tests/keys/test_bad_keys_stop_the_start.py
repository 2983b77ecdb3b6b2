"""Processes with a bad key file do not start, and say in one sentence which file it is.

Each sort of damage stops a real process of one role; what that process does first is done here for
every role and sort.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy import start
from deploy.env import ROOT
from privacy import keys
from privacy.errors import KeyFileRefused
from tests.keys.conftest import NAME, keeper_env, own_url

WORKER = ("celery", "-A", "workers.app", "worker", "-P", "threads", "--without-mingle", "-n")
WEB = (
    "gunicorn",
    "deploy.asgi:application",
    "-k",
    "deploy.server.Worker",
    "-w",
    "1",
    "--bind",
    "127.0.0.1:0",
)
COMMANDS = {
    "web": (*WEB, "--no-control-socket"),
    "keeper": (*WORKER, "broken-keeper@%h", "-Q", "keeper"),
}
STATUS = {"web": start.APP_LOAD_ERROR, "keeper": 1}
# What a key file may suffer, and whose real process it stops here.
DAMAGES = {
    "is missing": "web",
    "has not 32 bytes": "keeper",
    "is readable by others": "keeper",
    "is not the one of this epoch": "web",
}


def started(
    name: str, folders: dict[str, Path], **changes: str
) -> subprocess.CompletedProcess[str]:
    env = keeper_env(folders, SITTER_ROLE=name, **changes)
    if name == "web":
        del env["SITTER_EVIDENCE_KEYS"]
    return subprocess.run(
        [sys.executable, "-m", *COMMANDS[name]],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def damage(file: Path, how: str) -> None:
    match how:
        case "is missing":
            file.unlink()
        case "has not 32 bytes":
            file.write_bytes(b"\0" * 31)
        case "is readable by others":
            file.chmod(0o644)
        case "is not the one of this epoch":
            file.write_bytes(os.urandom(32))


@pytest.mark.parametrize(("how", "name"), DAMAGES.items())
def test_it_names_the_file_and_does_not_start(
    born: Any, folders: dict[str, Path], name: str, how: str
) -> None:
    file = folders["ROOT_KEYS"] / f"{keys.root_epoch()}.key"
    damage(file, how)
    ended = started(name, folders)
    assert ended.returncode == STATUS[name]
    assert f"{name} cannot start: The root key {file.stem}" in ended.stderr
    assert how in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["web", "keeper"])
@pytest.mark.parametrize("how", DAMAGES)
def test_each_role_looks_at_each_key_that_it_holds(
    born: Any, folders: dict[str, Path], name: str, how: str
) -> None:
    file = folders["ROOT_KEYS"] / f"{keys.root_epoch()}.key"
    born(name)
    keys.check_held(datetime.now(UTC))
    damage(file, how)
    with pytest.raises(KeyFileRefused, match=f"The root key {file.stem}.*{how}"):
        keys.check_held(datetime.now(UTC))


def test_a_keeper_without_its_evidence_key_does_not_start(
    born: Any, folders: dict[str, Path]
) -> None:
    year = str(datetime.now(UTC).year)
    (folders["EVIDENCE_KEYS"] / f"{year}.key").unlink()
    ended = started("keeper", folders)
    assert ended.returncode == 1
    assert f"The evidence key {year}.key is missing." in ended.stderr


def test_an_address_of_kms_that_is_half_an_address_is_named_with_its_form(
    born: Any, folders: dict[str, Path]
) -> None:
    ended = started("keeper", folders, SITTER_ROOT_KEYS="kms://bucket?key=alias/sitter")
    assert ended.returncode == 1
    assert "root keys must be kms://<bucket>/<prefix>" in ended.stderr


def test_a_web_whose_kms_does_not_answer_blames_no_key(
    as_role: Any, folders: dict[str, Path], address: Any, settings_of: Any
) -> None:
    place = address("root")
    as_role("keeper")
    settings_of(ROOT_KEYS=place)
    keys.make_root_key(datetime.now(UTC))
    ended = started(
        "web", folders, SITTER_ROOT_KEYS=place, SITTER_KMS_ENDPOINT_URL="http://127.0.0.1:1"
    )
    assert ended.returncode == STATUS["web"]
    assert "web cannot start: The key service does not answer" in ended.stderr


# --- In this process ----------------------------------------------------------------------------


def test_a_web_with_good_keys_starts(born: Any) -> None:
    born("web")
    start.with_keys()


def test_a_web_without_its_database_says_so(
    born: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.db import OperationalError

    def down(now: datetime) -> None:
        raise OperationalError

    born("web")
    monkeypatch.setattr(keys, "check_held", down)
    with pytest.raises(SystemExit) as ended:
        start.with_keys()
    assert ended.value.code == start.APP_LOAD_ERROR
    assert "PostgreSQL does not answer (SITTER_DATABASE_URL)" in capsys.readouterr().err


def test_this_package_works_in_a_database_of_its_own(empty: None) -> None:
    from django.db import connection

    with psycopg.connect(own_url()) as own:
        assert own.info.dbname == NAME == connection.settings_dict["NAME"]
