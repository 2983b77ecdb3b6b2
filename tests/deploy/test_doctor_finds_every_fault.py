"""Faults injected one by one into a healthy installation: the doctor names each (its figure).

What exactly it says of each, and of many more, is tried in the files beside this one.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from deploy import grants
from deploy.doctor.findings import Finding
from privacy import bucket, restore, valkey
from tests.conftest import s3_client
from tests.deploy.doctoring import Admin, broker, examined, wrong
from tests.figures import figure
from tests.portraits.making import now

SMTP = {
    "EMAIL_FILE_PATH": None,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": 1,
}
DATABASE = "ALTER DATABASE sitter_doctor"


@dataclass(frozen=True)
class Fault:
    """What is done, as whom the doctor looks, and which finding must be new."""

    name: str
    role: str = "web"
    settings: dict[str, Any] = field(default_factory=dict)
    sql: str = ""
    undo: str = ""
    do: Callable[[], object] = lambda: None


def versions() -> None:
    name = bucket._client()[1]
    s3_client().delete_bucket_lifecycle(Bucket=name)
    s3_client().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def public() -> None:
    s3_client().put_bucket_acl(Bucket=bucket._client()[1], ACL="public-read")


def rules() -> None:
    s3_client().delete_bucket_lifecycle(Bucket=bucket._client()[1])


def pulse() -> None:
    assert restore.pulse(now())


FAULTS = [
    Fault("settings.debug", settings={"DEBUG": True}),
    Fault("settings.secret_key", settings={"SECRET_KEY": "short"}),
    Fault("settings.hosts", settings={"ALLOWED_HOSTS": ["*"]}),
    Fault("settings.check", settings={"FLEET_KEYS": "somewhere"}),
    Fault("settings.watermark", settings={"PRODUCTION": True, "WATERMARK_KEY": "sitter"}),
    Fault("settings.reports", settings={"SENTRY_DSN": "https://public@sentry.example.org/1"}),
    Fault("mail.folder", "upkeep", settings={"PRODUCTION": True}),
    Fault("mail.away", "upkeep", settings=SMTP),
    Fault("keys.folder", "upkeep", settings={"RECEIPT_KEYS": Path("/nowhere/receipt")}),
    Fault("weights.missing", "gpu", settings={"WEIGHTS": Path("/nowhere/weights")}),
    Fault("broker.away", settings={"BROKER_URL": "redis://127.0.0.1:1/0"}),
    Fault("keys.fleet_ahead", sql="DELETE FROM privacy_fleetkey WHERE label > now()::date::text"),
    Fault(
        "keys.root_late",
        sql="UPDATE privacy_rootepoch SET created_at = now() - '20d'::interval",
    ),
    Fault("keys.no_evidence", sql="DELETE FROM privacy_evidencekey"),
    Fault("beat.silent", sql="UPDATE privacy_period SET ran_at = now() - '5 min'::interval"),
    Fault(
        "consents.missing",
        sql="UPDATE privacy_consentdocument SET retired_at = now() WHERE region = 'us_il'",
        undo="UPDATE privacy_consentdocument SET retired_at = NULL WHERE region = 'us_il'",
    ),
    Fault("logins.more", sql="GRANT SELECT ON privacy_capsule TO sitter_courier"),
    Fault("logins.mighty", sql="ALTER ROLE sitter_gpu CREATEROLE",
          undo="ALTER ROLE sitter_gpu NOCREATEROLE"),
    Fault("database.log_statement", sql=f"{DATABASE} SET log_statement = 'all'",
          undo=f"{DATABASE} RESET ALL"),
    Fault("database.synchronous_commit", sql=f"{DATABASE} SET synchronous_commit = off",
          undo=f"{DATABASE} RESET ALL"),
    Fault("ledger.replay", "upkeep", do=pulse, sql="DELETE FROM privacy_pulse"),
    Fault("bucket.versioning", "intake", do=versions),
    Fault("bucket.acl", "intake", do=public),
    Fault("bucket.lifecycle", "intake", settings={"PRODUCTION": True}, do=rules),
]  # fmt: skip


@contextmanager
def injected(fault: Fault, admin: Admin) -> Iterator[None]:
    """Inside, it is so."""
    with override_settings(**fault.settings):
        valkey.client.cache_clear()
        fault.do()
        if fault.sql:
            admin.execute(fault.sql.encode())
            afresh()
        try:
            yield
        finally:
            if fault.undo:
                admin.execute(fault.undo.encode())
            if fault.sql:
                grants.apply()
                afresh()
    valkey.client.cache_clear()


def afresh() -> None:
    """New connections, which have what was set for them."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_injected_fault_is_named(
    settle: Callable[[str], None],
    admin: Admin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual: dict[str, set[str]] = {}

    def newly(fault: Fault) -> bool:
        settle(fault.role)
        # Settled it is the same each time, so a role looks once before anything is wrong.
        if fault.role not in usual:
            usual[fault.role] = set(wrong(examined(fault.role)))
        with injected(fault, admin):
            return fault.name in wrong(examined(fault.role)).keys() - usual[fault.role]

    found = {fault.name: newly(fault) for fault in FAULTS}
    settle("beat")
    with broker(tmp_path, "--maxmemory", "5mb", "--maxmemory-policy", "allkeys-lru") as url:
        for name in ("broker.persistence", "broker.eviction", "broker.open"):
            found[name] = newly(Fault(name, "beat", settings={"BROKER_URL": url}))
    found |= of_the_machine(settle, monkeypatch)
    figure(
        "doctor-finds",
        value=f"{sum(found.values())} of {len(found)}",
        n=len(found),
        holds=all(found.values()) and len(found) >= 15,
        conditions="each done for real to a healthy installation on PostgreSQL, Valkey and S3, and"
        " looked at as the role that it concerns; clock, disk and card are stood in for",
    )
    assert [name for name, seen in found.items() if not seen] == []


def of_the_machine(
    settle: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> dict[str, bool]:
    """What a test cannot do to this machine: a wrong clock, a full disk, a card that is gone."""
    settle("web")
    with monkeypatch.context() as patched:
        real = timezone.now
        patched.setattr(timezone, "now", lambda: real() + timedelta(seconds=40))
        late = "clock.database" in wrong(examined("web"))
    with monkeypatch.context() as patched:
        usage = shutil.disk_usage("/")._replace(free=10**6)
        patched.setattr(shutil, "disk_usage", lambda folder: usage)
        full = "machine.disk" in wrong(examined("web"))
    settle("gpu")
    with monkeypatch.context() as patched, override_settings(ENGINES=["z-image"]):
        patched.setenv("PATH", os.devnull)
        bare = "machine.gpu" in wrong(examined("gpu"))
    return {"clock.database": late, "machine.disk": full, "machine.gpu": bare}


@pytest.fixture
def settle(healthy: Any, stack: Any) -> Callable[[str], None]:
    """`settle("web")`: as after a first start, and in that role's dress."""
    from tests.deploy.doctoring import settle as settled
    from tests.privacy.alone import wipe

    def anew(role: str) -> None:
        wipe(stack.admin_database_url)
        settled(healthy)
        healthy(role)

    return anew


def test_a_fault_that_is_none_is_not_counted(settle: Callable[[str], None], admin: Admin) -> None:
    settle("web")
    harmless = replace(FAULTS[0], settings={"DEBUG": settings.DEBUG})
    with injected(harmless, admin):
        found: list[Finding] = examined("web")
    assert harmless.name not in wrong(found)
