"""E-04: of what was erased a bucket keeps no version, no delete marker and no unfinished upload."""

import os
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from deploy.stack.seaweed import VERSIONED_BUCKET as VERSIONED
from portraits import gallery
from privacy import erasure, stages, storage
from privacy.errors import NotYetGone, StorageDown
from privacy.models import OwnerKey
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.figures import figure
from tests.portraits.making import consenting, now, owner, written
from tests.privacy.erasing import advance, live_fully, painted_for, proved

PART = bytes(5 * 1024 * 1024)


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.fixture(scope="module", autouse=True)
def _bucket() -> None:
    s3_client().create_bucket(Bucket=VERSIONED)
    s3_client().put_bucket_versioning(
        Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"}
    )


@pytest.fixture(params=["plain", "versioned"])
def bucket(request: pytest.FixtureRequest, settings_of: Any) -> str:
    """The bucket that this process works with."""
    if request.param == "plain":
        return os.environ["SITTER_S3_BUCKET"]
    sealed = settings.STORAGES["sealed"]
    options = {**sealed["OPTIONS"], "bucket_name": VERSIONED}
    settings_of(STORAGES={**settings.STORAGES, "sealed": {**sealed, "OPTIONS": options}})
    return VERSIONED


def litter(bucket: str, folder: str) -> str:
    """An object that was overwritten and deleted, one that lives, and an upload left unfinished."""
    client, dead = s3_client(), f"{folder}/{uuid.uuid4().hex}"
    for body in (b"one", b"two"):
        client.put_object(Bucket=bucket, Key=dead, Body=body)
    client.delete_object(Bucket=bucket, Key=dead)
    client.put_object(Bucket=bucket, Key=f"{folder}/{uuid.uuid4().hex}", Body=b"alive")
    begun = client.create_multipart_upload(Bucket=bucket, Key=dead)
    client.upload_part(Bucket=bucket, Key=dead, UploadId=begun["UploadId"], PartNumber=1, Body=PART)
    return dead


def held(bucket: str, prefix: str) -> tuple[int, int, int]:
    """(versions, markers, uploads), counted without the product."""
    client = s3_client()
    found = client.list_object_versions(Bucket=bucket, Prefix=prefix)
    begun = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    return (
        len(found.get("Versions", [])),
        len(found.get("DeleteMarkers", [])),
        len(begun.get("Uploads", [])),
    )


def test_a_prefix_is_purged_of_all_three(bucket: str) -> None:
    folder, other = f"portrait/{uuid.uuid4().hex}", f"portrait/{uuid.uuid4().hex}"
    litter(bucket, folder)
    litter(bucket, other)
    before = held(bucket, f"{folder}/")
    assert before == ((3, 1, 1) if bucket == VERSIONED else (1, 0, 1))
    assert not storage.purge(f"{folder}/")
    assert held(bucket, f"{folder}/") == (0, 0, 0)
    assert held(bucket, f"{other}/") == before


def test_names_are_purged_and_their_neighbours_are_not(bucket: str) -> None:
    folder = f"rendition/{uuid.uuid4().hex}"
    one, two = litter(bucket, folder), litter(bucket, folder)
    kept = held(bucket, f"{folder}/")
    assert not storage.purge_names([one])
    assert held(bucket, one) == (0, 0, 0)
    assert held(bucket, two) == held(bucket, f"{folder}/{two.rpartition('/')[2]}")
    assert held(bucket, f"{folder}/")[0] > 0
    assert held(bucket, f"{folder}/") != kept
    assert not storage.purge_names([one, two])
    assert held(bucket, two) == (0, 0, 0)


def test_an_erased_account_leaves_nothing_behind(bucket: str, born: Any) -> None:
    who = live_fully()
    prefix = OwnerKey.objects.get(pk=who).prefix
    for kind in Kind:
        litter(bucket, f"{kind.name.lower()}/{prefix}")
    begun = erasure.request(who, now())
    assert advance(born, begun)
    proved(begun)
    left = [held(bucket, f"{kind.name.lower()}/{prefix}/") for kind in Kind]
    assert left == [(0, 0, 0)] * len(Kind)
    if bucket == VERSIONED:
        figure(
            "E-04",
            value="0 / 0 / 0",
            n=len(Kind),
            holds=True,
            conditions="a versioned SeaweedFS bucket; overwritten, deleted and unfinished objects"
            " under every kind's prefix",
        )


def test_a_deleted_portrait_leaves_no_version_either(bucket: str, born: Any) -> None:
    who = consenting()
    begun = gallery.delete(who, painted_for(who).pk, now())
    names = begun.names
    born("upkeep")
    # Deleted as S3 does it, which in a versioned bucket keeps the bytes under a marker.
    storage.delete(names)
    assert any(held(bucket, name) != (0, 0, 0) for name in names) is (bucket == VERSIONED)
    assert advance(born, begun)
    proved(begun)
    assert [held(bucket, name) for name in names] == [(0, 0, 0)] * len(names)


def test_what_is_left_keeps_the_stage_where_it_is(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = gallery.delete(who := consenting(), painted_for(who).pk, now())
    whole = erasure.request(owner(), now())
    body = storage.Traces(versions=[("portrait/a/b", "null")])
    with monkeypatch.context() as broken:
        broken.setattr(storage, "purge", lambda prefix: body)
        with pytest.raises(NotYetGone, match="1 / 0 / 0"):
            advance(born, whole)
        broken.setattr(storage, "purge_names", lambda names: body)
        with pytest.raises(NotYetGone, match="1 / 0 / 0"):
            advance(born, part)
    for erased in (part, whole):
        assert stages._left(erased)
        assert advance(born, erased)


def test_a_deletion_that_the_bucket_refuses_is_not_taken_for_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(**batch: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": batch["Delete"]["Objects"][0]["Key"], "Code": "SlowDown"}]}

    name = written(Kind.PORTRAIT, owner(), b"a portrait").name
    found = storage.traces(name)
    bucket = SimpleNamespace(delete_objects=refusing)
    with monkeypatch.context() as broken:
        broken.setattr(storage, "_bucket_storage", lambda: SimpleNamespace(bucket=bucket))
        with pytest.raises(StorageDown):
            storage._purge(found)
    assert storage.traces(name).versions == found.versions


def test_an_upload_that_somebody_else_ended_is_ended(bucket: str) -> None:
    folder = f"upload/{uuid.uuid4().hex}"
    name = litter(bucket, folder)
    found = storage.traces(name)
    storage._purge(found)
    storage._purge(storage.Traces(uploads=found.uploads))
    assert not storage.traces(name)
