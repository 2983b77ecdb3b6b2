"""One real stack for the whole run, made before anything is collected.

`tests/` proper runs in this process, against a database and a bucket of its own, where no worker
interferes and time can be moved. `live` starts every role on the stack's own database, for tests
that talk to it from outside as a client would.
"""

import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import pytest

from deploy.env import Role
from deploy.stack.seaweed import TEST_BUCKET, TEST_LEDGER
from deploy.stack.supervisor import Stack
from tests import breaches, styles
from tests.spent import Spent

ENGINES = [styles.PASSTHROUGH, "pocket"]
UNIT = "sitter_unit"
_stack: Stack | None = None
_spent = Spent()
_data = Path(tempfile.mkdtemp(prefix="sitter-"))


def pytest_configure(config: pytest.Config) -> None:
    """Start the services, then Django: test modules import models while they are collected."""
    global _stack
    breaches.write(_data / "breaches.txt", breaches.PASSWORD)
    _stack = Stack(
        _data,
        roles=(),
        tests=True,
        preferred_ports=False,
        restart=False,
        # Everything is logged, so that what must not be in the logs has every chance to be.
        extra_env={
            "SITTER_ENGINES": json.dumps(ENGINES),
            "SITTER_LOG_LEVEL": "DEBUG",
            # Storms ask as often as they can; what refuses them has tests of its own.
            "SITTER_REQUESTS_A_MINUTE": "100000",
            "SITTER_METRICS_TOKEN": "a-token-of-the-tests",
            "SITTER_BREACHED_PASSWORDS": str(_data / "breaches.txt"),
        },
    )
    _stack.start()
    try:
        _set_up_django(_stack)
    except BaseException:
        _stack.stop()
        raise


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The last test of a file ends."""
    if nextitem is None or nextitem.path != item.path:
        _spent.note(item.path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How long each room took: what the table in deploy/docs/contributing.md is made from."""
    waited: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                waited[report.nodeid.split("/")[1]] += report.duration
    for line in _spent.lines(waited):
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running and nothing lying about."""
    if _stack is not None:
        _stack.stop()
    shutil.rmtree(_data, ignore_errors=True)


def _set_up_django(stack: Stack) -> None:
    """This process is the migrator of a database of its own; tests dress it as a role."""
    env = stack.env(Role.MIGRATOR)
    web = stack.env(Role.WEB)
    own = urlsplit(env["SITTER_DATABASE_URL"])
    os.environ.update({name: web[name] for name in web if name.startswith("SITTER_S3_")})
    os.environ.update(
        SITTER_S3_BUCKET=TEST_BUCKET,
        SITTER_LEDGER_BUCKET=TEST_LEDGER,
        SITTER_ROLE="migrator",
        SITTER_SECRET_KEY=env["SITTER_SECRET_KEY"],
        SITTER_DATABASE_URL=urlunsplit(own._replace(path=f"/{UNIT}")),
        SITTER_BROKER_URL=web["SITTER_BROKER_URL"],
        SITTER_MAIL_FOLDER=str(_data / "unit-mail"),
        SITTER_LOG_LEVEL="WARNING",
        DJANGO_SETTINGS_MODULE="deploy.settings",
    )
    for bucket in (TEST_BUCKET, TEST_LEDGER):
        s3_client().create_bucket(Bucket=bucket)
    import django

    django.setup()
    from django.conf import settings

    from tests.doors import read_files_once  # they read the settings
    from tests.privacy.alone import fresh

    # In this process a password costs next to nothing; the running stack hashes as ever.
    settings.PASSWORD_HASHERS = ["tests.hashing.Quick"]
    read_files_once()
    fresh(UNIT)


@cache
def s3_client() -> Any:
    """A plain client with the credentials of the environment."""
    return boto3.client(
        "s3",
        endpoint_url=os.environ["SITTER_S3_ENDPOINT_URL"],
        aws_access_key_id=os.environ["SITTER_S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["SITTER_S3_SECRET_KEY"],
        region_name="us-east-1",
    )


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The services; `live` is the same with every role running."""
    assert _stack is not None
    return _stack


@pytest.fixture(scope="session")
def live(stack: Stack) -> Stack:
    """Every role runs; styles of the pass-through engine exist."""
    from deploy.stack import roles

    stack.migrate()
    for role in roles.ALL:
        stack.start_role(role)
    stack.wait_ready()
    styles.publish(stack, "passthrough", styles.PASSTHROUGH, width=1024, height=1024)
    return stack


@pytest.fixture(scope="session")
def key_folders() -> dict[str, Path]:
    """Folders of keys for this process; `role` hands out those that a role may have."""
    folders = {}
    for name in ("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS", "RECEIPT_KEYS", "GRANT_KEYS"):
        folders[name] = _data / "unit-keys" / name.lower()
        folders[name].mkdir(parents=True, mode=0o700)
    return folders


@pytest.fixture
def role(key_folders: dict[str, Path], settings_of: Any) -> Any:
    """`role("web")`: dress this process as a role, with its key folders and no other."""
    from privacy.checks import HELD

    def dress(name: str) -> None:
        held = HELD.get(name, set())
        settings_of(
            ROLE=Role(name),
            **{key: path if key in held else None for key, path in key_folders.items()},
        )

    return dress


@pytest.fixture
def settings_of() -> Iterator[Any]:
    """Change settings for one test."""
    from django.test.utils import override_settings

    changes: list[override_settings] = []

    def change(**values: Any) -> None:
        override = override_settings(**values)
        override.enable()
        changes.append(override)

    yield change
    for override in reversed(changes):
        override.disable()


@pytest.fixture
def born(role: Any) -> Any:
    """Keys of every role exist, as after a start of the stack; returns `role`."""
    from datetime import UTC, datetime

    from privacy import keys

    now = datetime.now(UTC)
    today = now.date()
    role("keeper")
    keys.make_root_key(now)
    keys.publish_evidence_key(today)
    role("intake")
    keys.publish_fleet_keys(today)
    role("upkeep")
    keys.publish_receipt_key(today)
    role("web")
    return role
