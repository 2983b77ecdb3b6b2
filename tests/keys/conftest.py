"""Keys need an installation of their own: turning its roots would turn everybody's."""

import functools
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import pytest
from botocore.config import Config
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.server import ThreadedMotoServer

from deploy.env import Role
from deploy.stack.seaweed import TEST_BUCKET
from privacy import kms
from tests.conftest import s3_client

NAME = "sitter_unit_keys"
TABLES = ("ownerkey", "rootepoch", "fleetkey", "evidencekey", "receiptkey")


def own_url() -> str:
    """The address of the database of this package."""
    return urlunsplit(urlsplit(os.environ["SITTER_DATABASE_URL"])._replace(path=f"/{NAME}"))


@pytest.fixture(scope="session")
def own_database() -> None:
    """A second database with the same tables and nothing in them."""
    from tests.privacy.alone import fresh

    fresh(NAME)


@pytest.fixture
def empty(own_database: None) -> Iterator[None]:
    """No key, no owner, no root: an installation before its first start."""
    from django.db import connection

    from tests.privacy.alone import work_on

    before = connection.settings_dict["NAME"]
    work_on(NAME)
    try:
        with connection.cursor() as cursor:
            tables = ", ".join(f"privacy_{table}" for table in TABLES)
            cursor.execute(f"TRUNCATE {tables} CASCADE")
        yield
    finally:
        work_on(before)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Folders of keys of this installation, still to be made."""
    return {name: tmp_path / name.lower() for name in ("ROOT_KEYS", "FLEET_KEYS", "EVIDENCE_KEYS")}


@pytest.fixture
def as_role(empty: None, folders: dict[str, Path], settings_of: Any) -> Any:
    """Dress this process as a role of that installation."""
    from privacy.checks import HELD

    def dress(name: str) -> None:
        held = HELD[name]
        given = {key: str(path) if key in held else None for key, path in folders.items()}
        settings_of(ROLE=Role(name), RECEIPT_KEYS=None, **given)

    return dress


@pytest.fixture
def born(as_role: Any) -> Any:
    """The installation has its first root, fleet and evidence keys; returns `as_role`."""
    from privacy import keys

    now = datetime.now(UTC)
    as_role("intake")
    keys.publish_fleet_keys(now.date())
    as_role("keeper")
    keys.make_root_key(now)
    keys.publish_evidence_key(now.date())
    return as_role


def keeper_env(folders: dict[str, Path], **changes: str) -> dict[str, str]:
    """The environment of a real keeper of that installation."""
    given = {f"SITTER_{name}": str(folders[name]) for name in ("ROOT_KEYS", "EVIDENCE_KEYS")}
    own = {"SITTER_ROLE": "keeper", "SITTER_DATABASE_URL": own_url()}
    return {**os.environ, **own, **given, **changes}


# --- KMS ----------------------------------------------------------------------------------------


def _refuse_dead_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS opens and seals nothing with a key that is disabled or awaits deletion; moto would."""
    answers = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}
    for verb in ("encrypt", "decrypt"):
        real = getattr(KmsBackend, verb)

        def refuse(self: Any, *, _real: Any = real, **given: Any) -> Any:
            key = given.get("key_id")
            state = self.keys[self.any_id_to_key_id(key)].key_state if key else ""
            if state in answers:
                raise JsonRESTError(answers[state], f"The key is {state}.")
            return _real(self, **given)

        monkeypatch.setattr(KmsBackend, verb, refuse)


@pytest.fixture(scope="session")
def kms_server() -> Iterator[str]:
    """The address of moto's KMS."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms_client(kms_server: str, settings_of: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A plain client of that KMS, which the product uses too; no key is open in memory."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    _refuse_dead_keys(monkeypatch)
    settings_of(KMS_ENDPOINT_URL=kms_server)
    kms._opened.clear()
    return _kms_at(kms_server)


@functools.cache
def _kms_at(address: str) -> Any:
    """Made once: putting a client together takes longer than all that a test asks of it."""
    quick = Config(retries={"total_max_attempts": 1})
    return boto3.client("kms", endpoint_url=address, region_name="us-east-1", config=quick)


@pytest.fixture
def address(kms_client: Any) -> Any:
    """`address("fleet")`: a fresh place for keys of a sort, in the real bucket of the tests."""

    def fresh(sort: str) -> str:
        key = f"alias/t-{uuid.uuid4().hex}"
        if sort != "root":
            made = kms_client.create_key()["KeyMetadata"]["KeyId"]
            kms_client.create_alias(AliasName=key, TargetKeyId=made)
        return f"kms://{TEST_BUCKET}/keys-{uuid.uuid4().hex}?key={key}"

    return fresh


@pytest.fixture
def bucket() -> Any:
    """A plain client of the real bucket."""
    return s3_client()
