"""What the doctor finds in PostgreSQL, the broker and the buckets, each thing done to real ones."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from deploy.doctor import database, objects
from deploy.doctor.findings import Finding
from deploy.stack.seaweed import VERSIONED_BUCKET
from privacy import bucket, restore, valkey
from privacy.models import ConsentDocument
from tests.conftest import s3_client
from tests.deploy.doctoring import Admin, broker, examined, wrong
from tests.portraits.making import now

Findings = Callable[..., list[Finding]]
HERE = "sitter_doctor"


@pytest.fixture
def own_setting(admin: Admin) -> Iterator[Callable[..., None]]:
    """Settings of PostgreSQL for the doctor's database alone, which new connections have."""

    def change(name: str, value: str) -> None:
        admin.execute(f"ALTER DATABASE {HERE} SET {name} = {value}".encode())
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]

    yield change
    admin.execute(f"ALTER DATABASE {HERE} RESET ALL".encode())
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


# --- PostgreSQL ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("log_statement", "'all'", "statements reach its log"),
        ("log_min_error_statement", "'error'", "a failed statement's text"),
        ("synchronous_commit", "off", "can come back after a crash"),
    ],
)
def test_a_setting_of_postgresql(
    name: str, value: str, says: str, findings: Findings, own_setting: Callable[..., None]
) -> None:
    own_setting(name, value)
    found = wrong(findings("web"))
    assert found.keys() == {f"database.{name}"}
    assert says in found[f"database.{name}"]


def test_a_server_that_is_old_or_may_lose_what_it_confirmed() -> None:
    fine = {"server_version_num": "180000"}
    assert list(database.judge(fine)) == []
    found = wrong(list(database.judge({"server_version_num": "160004", "fsync": "off"})))
    assert found.keys() == {"database.version", "database.fsync"}


@pytest.mark.parametrize(
    ("done", "undone", "name", "says"),
    [
        (
            "GRANT SELECT ON privacy_fleetkey TO sitter_courier", None,
            "logins.more", "sitter_courier may do more than its role: SELECT privacy_fleetkey.",
        ),
        (
            "GRANT SELECT (wrapped) ON privacy_ownerkey TO sitter_upkeep", None,
            "logins.more", "SELECT privacy_ownerkey.wrapped",
        ),
        (
            "GRANT UPDATE ON privacy_auditevent TO PUBLIC", None,
            "logins.more", "UPDATE privacy_auditevent",
        ),
        (
            "GRANT EXECUTE ON FUNCTION privacy_legal_material(uuid) TO sitter_web", None,
            "logins.more", "sitter_web may do more than its role: EXECUTE privacy_legal_material.",
        ),
        (
            "REVOKE INSERT ON privacy_verdict FROM sitter_gpu", None,
            "logins.less", "sitter_gpu may not do what its role needs: INSERT privacy_verdict.",
        ),
        (
            "ALTER ROLE sitter_gpu CREATEROLE", "ALTER ROLE sitter_gpu NOCREATEROLE",
            "logins.mighty", "sitter_gpu",
        ),
        ("CREATE ROLE sitter_beat LOGIN", "DROP ROLE sitter_beat", "logins.extra", "sitter_beat"),
    ],
)  # fmt: skip
def test_a_login_that_is_not_as_its_role(
    done: str, undone: str | None, name: str, says: str, findings: Findings, admin: Admin
) -> None:
    from deploy import grants

    admin.execute(done.encode())
    try:
        found = wrong(findings("web"))
        assert found.keys() == {name}
        assert says in found[name]
    finally:
        if undone:
            admin.execute(undone.encode())
        admin.execute("REVOKE ALL ON privacy_auditevent FROM PUBLIC")
        grants.apply()


def test_a_role_that_works_with_another_login(healthy: Any) -> None:
    healthy("web")
    assert "logins.own" in wrong(examined("upkeep"))


def test_a_consent_text_that_a_region_lacks(findings: Findings, admin: Admin) -> None:
    row = ConsentDocument.objects.get(
        purpose="portrait-generation", region="us_il", language="de", retired_at=None
    )
    retire = "UPDATE privacy_consentdocument SET retired_at = {} WHERE id = '{}'"
    admin.execute(retire.format("now()", row.pk).encode())
    try:
        found = wrong(findings("web"))
    finally:
        admin.execute(retire.format("NULL", row.pk).encode())
    assert found.keys() == {"consents.missing"}
    assert "portrait-generation/us_il/de" in found["consents.missing"]


def test_beat_that_is_silent_or_was_never_heard(findings: Findings, admin: Admin) -> None:
    admin.execute("UPDATE privacy_period SET ran_at = now() - interval '5 min'")
    assert wrong(findings("web")).keys() == {"beat.silent"}
    admin.execute("DELETE FROM privacy_period")
    assert wrong(findings("web")).keys() == {"beat.never"}


def test_a_database_that_was_restored(
    findings: Findings, monkeypatch: pytest.MonkeyPatch, healthy: Any, admin: Admin
) -> None:
    healthy("upkeep")
    assert restore.pulse(now())
    admin.execute("DELETE FROM privacy_pulse")
    assert wrong(findings("upkeep")).keys() == {"ledger.replay"}


def test_a_clock_that_is_ahead(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(seconds=40))
    found = wrong(findings("web"))
    assert found.keys() == {"clock.database", "clock.bucket"}
    assert "40 s" in found["clock.database"]


# --- The broker ---------------------------------------------------------------------------------


def test_a_broker_that_forgets_evicts_and_lets_everybody_in(
    findings: Findings, tmp_path: Path, settings_of: Any
) -> None:
    with broker(tmp_path, "--maxmemory", "5mb", "--maxmemory-policy", "allkeys-lru") as url:
        settings_of(BROKER_URL=url)
        valkey.client.cache_clear()
        found = wrong(findings("beat"))
    assert found.keys() == {"broker.persistence", "broker.eviction", "broker.open"}
    assert "allkeys-lru" in found["broker.eviction"]


def test_a_broker_that_leaves_its_file_to_the_kernel(
    findings: Findings, tmp_path: Path, settings_of: Any
) -> None:
    with broker(tmp_path, "--appendonly", "yes", "--appendfsync", "no") as url:
        settings_of(BROKER_URL=url)
        valkey.client.cache_clear()
        assert wrong(findings("beat")).keys() == {"broker.sync", "broker.open"}


def test_services_that_are_away_are_one_finding_each(
    findings: Findings, settings_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of(BROKER_URL="redis://127.0.0.1:1/0")
    valkey.client.cache_clear()
    assert wrong(findings("web")).keys() == {"broker.away"}


# --- The buckets --------------------------------------------------------------------------------


def _versions(ours: str) -> None:
    s3_client().delete_bucket_lifecycle(Bucket=ours)
    s3_client().put_bucket_versioning(Bucket=ours, VersioningConfiguration={"Status": "Enabled"})


def _open(ours: str) -> None:
    s3_client().put_bucket_acl(Bucket=ours, ACL="public-read")


def _rules(ours: str) -> None:
    kept = [rule for rule in bucket.rules() if rule["ID"] != "upload"]
    s3_client().put_bucket_lifecycle_configuration(
        Bucket=ours, LifecycleConfiguration={"Rules": kept}
    )


@pytest.mark.parametrize(
    ("do", "names"),
    [
        (_versions, {"bucket.versioning", "bucket.lifecycle"}),
        (_open, {"bucket.acl", "bucket.listing"}),
        (_rules, {"bucket.lifecycle"}),
    ],
)
def test_a_bucket_that_is_not_as_it_must_be(
    do: Callable[[str], None], names: set[str], findings: Findings, settings_of: Any
) -> None:
    settings_of(PRODUCTION=True)
    usual = wrong(findings("intake")).keys()
    do(bucket._client()[1])
    assert wrong(findings("intake")).keys() - usual == names


def test_bodies_and_ledger_in_one_bucket(findings: Findings, settings_of: Any) -> None:
    from django.conf import settings

    stores = {**settings.STORAGES, "ledger": settings.STORAGES["sealed"]}
    settings_of(STORAGES=stores)
    assert "ledger.shared" in wrong(findings("web"))


def test_keys_in_a_bucket_that_keeps_versions_or_that_bodies_lie_in(
    healthy: Any, settings_of: Any
) -> None:
    """As under KMS: the addresses are its, the buckets are real."""
    bodies = bucket._client()[1]
    healthy("keeper")
    settings_of(
        ROOT_KEYS=f"kms://{bodies}/root?key=alias/sitter-root",
        EVIDENCE_KEYS=f"kms://{VERSIONED_BUCKET}/evidence?key=alias/sitter-evidence",
    )
    s3_client().create_bucket(Bucket=VERSIONED_BUCKET)
    try:
        s3_client().put_bucket_versioning(
            Bucket=VERSIONED_BUCKET, VersioningConfiguration={"Status": "Enabled"}
        )
        found = wrong(list(objects.kept_keys(now())))
    finally:
        s3_client().delete_bucket(Bucket=VERSIONED_BUCKET)
    assert found.keys() == {"keys.bucket", "keys.versions"}
    assert "root keys" in found["keys.bucket"]
    assert "evidence keys" in found["keys.versions"]
