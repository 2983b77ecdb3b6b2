"""What stands below may fail: the bucket, the broker, the database, a second worker."""

import uuid
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.contrib.admin import site
from django.db import OperationalError
from django.test import RequestFactory

from privacy import dispatch, erasure, heartbeats, leases, stages, storage, sweeps
from privacy.errors import BlobGone, StorageDown
from privacy.models import (
    AuditEvent,
    Blob,
    Capsule,
    Consent,
    ConsentDocument,
    Erasure,
    FleetKey,
    Lease,
)
from privacy.retention import ORPHAN_GRACE, Kind
from tests.conftest import s3_client
from tests.portraits.making import consenting, now, owner, written

BUCKET = "sitter-unit"


@pytest.fixture(autouse=True)
def web(born: Any) -> None:
    """Everything here runs as the web."""


def test_the_bucket_is_there() -> None:
    assert storage.ready()


def test_a_body_that_is_gone_is_told_from_a_bucket_that_is_down() -> None:
    with pytest.raises(BlobGone):
        storage.get(f"upload/{uuid.uuid4().hex}")
    for error, told in (
        (ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject"), BlobGone),
        (ClientError({"Error": {"Code": "InternalError"}}, "GetObject"), StorageDown),
        (EndpointConnectionError(endpoint_url="http://localhost"), StorageDown),
        (FileNotFoundError(), BlobGone),
    ):
        with pytest.raises(told), storage._answers():
            raise error


def test_a_deletion_that_the_bucket_refuses_is_not_taken_for_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(**batch: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": batch["Delete"]["Objects"][0]["Key"], "Code": "SlowDown"}]}

    bucket = SimpleNamespace(delete_objects=refusing)
    monkeypatch.setattr(storage, "_bucket_storage", lambda: SimpleNamespace(bucket=bucket))
    with pytest.raises(StorageDown):
        storage.delete(["upload/x"])


def test_only_sealed_bodies_reach_the_bucket() -> None:
    with pytest.raises(TypeError):
        storage.put("upload/x", b"a clear photo")  # type: ignore[arg-type]


def test_what_no_row_knows_is_deleted_once_it_is_old() -> None:
    lost = f"portrait/{uuid.uuid4().hex}/{uuid.uuid4().hex}"
    s3_client().put_object(Bucket=BUCKET, Key=lost, Body=b"noise")
    kept = written(Kind.PORTRAIT, owner(), b"a portrait")
    begun = erasure.request(consenting(), now())
    Erasure.objects.filter(pk=begun.pk).update(stage="proved", proved_at=now())
    sweeps.reap_orphans(now())
    assert lost in storage.names("portrait/")
    sweeps.reap_orphans(now() + ORPHAN_GRACE + timedelta(minutes=1))
    names = storage.names("portrait/")
    assert lost not in names
    assert kept.name in names
    begun.refresh_from_db()
    assert begun.prefix == ""


def test_work_that_waits_is_nudged_a_few_times_and_not_once_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[uuid.UUID] = []
    monkeypatch.setattr(dispatch, "nudge", lambda kind, work_id: sent.append(work_id))
    Lease.objects.all().delete()
    who = owner()
    for _ in range(10):
        leases.open_work("item", uuid.uuid4(), who)
    old = now() - leases.NUDGE_AGAIN_AFTER - timedelta(seconds=1)
    Lease.objects.filter(owner_id=who).update(nudged_at=old, ready_at=old)
    assert sweeps.requeue() == 10
    assert len(sent) == sweeps.NUDGES_A_KIND
    assert sweeps.requeue() == 0
    Lease.objects.filter(owner_id=who).delete()


def test_a_broker_that_is_down_delays_and_breaks_nothing(settings_of: Any) -> None:
    dispatch._producer.cache_clear()
    settings_of(BROKER_URL="redis://127.0.0.1:1/0")
    dispatch.nudge("item", uuid.uuid4())
    dispatch._producer.cache_clear()


def test_a_heartbeat_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []

    def renew(held: leases.Claim) -> bool:
        beats.append(1)
        if len(beats) == 1:
            raise OperationalError
        return False

    monkeypatch.setattr(leases, "renew", renew)
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(milliseconds=10))
    claim = leases.Claim("item", uuid.uuid4(), uuid.uuid4(), 1, 1)
    with heartbeats.during(claim) as lost:
        assert lost.wait(5)
    assert len(beats) == 2


def test_an_erasure_that_somebody_else_moved_on_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = erasure.request(consenting(), now())
    held = leases.Claim(erasure.LEASE, begun.pk, begun.subject_id, 1, 1)

    def overtaken(row: Erasure, moment: datetime) -> None:
        Erasure.objects.filter(pk=row.pk).update(stage=Erasure.Stage.OBJECTS)

    monkeypatch.setattr(stages, "_delete_objects", overtaken)
    assert stages.advance(held, now) is False


def test_staff_look_and_change_nothing() -> None:
    request = RequestFactory().get("/admin/")
    for model in (ConsentDocument, Consent, Erasure, AuditEvent):
        admin = site.get_model_admin(model)
        assert not admin.has_add_permission(request)
        assert not admin.has_change_permission(request)
        assert not admin.has_delete_permission(request)


def test_rows_of_the_vault_are_printed_by_id() -> None:
    blob = written(Kind.PORTRAIT, owner(), b"a portrait")
    capsule, event = Capsule.objects.get(pk=blob.pk), AuditEvent.objects.latest("at")
    lease = Lease(kind="item", work_id=blob.pk)
    assert [str(Blob.objects.get(pk=blob.pk)), str(capsule)] == [
        f"blob {blob.pk}",
        f"capsule of {blob.pk}",
    ]
    assert str(lease) == f"item {blob.pk}"
    assert str(event).startswith("Blob Written")
    assert str(FleetKey.objects.first()) == FleetKey.objects.values_list("label", flat=True).first()
