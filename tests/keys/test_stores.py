"""A folder and KMS are one to those who keep keys in them: the same suite runs on both."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy.stack.seaweed import TEST_BUCKET
from privacy import keystores, kms
from privacy.errors import KeyFileRefused, KeysUnavailable
from privacy.keyfiles import KeyFolder, KeyStore
from tests.figures import figure

SORTS = ("root", "fleet", "evidence", "receipt")
Make = Callable[[str], KeyStore]


@pytest.fixture(params=["folder", "kms"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "folder":
        return lambda sort: keystores.at(tmp_path / sort, sort)
    address = request.getfixturevalue("address")
    return lambda sort: keystores.at(address(sort), sort)


@pytest.fixture(params=SORTS)
def store(request: pytest.FixtureRequest, make: Make) -> KeyStore:
    return make(request.param)


def test_what_is_kept_is_read_back_as_it_was(store: KeyStore) -> None:
    secret = os.urandom(32)
    assert store.held
    assert store.create("2031-03-01", secret) == secret
    kms._opened.clear()
    assert store.read("2031-03-01") == secret
    figure(
        "C-07",
        value="pass",
        n=8,
        holds=True,
        conditions="one suite on folders and on KMS (moto's server, the bucket real), each of four"
        " sorts; a portrait opens behind the move from one to the other (test_moving.py)",
    )


def test_labels_come_in_order_and_only_those_that_are_there(store: KeyStore) -> None:
    assert store.labels() == []
    for label in ("2031-03-02", "2031-03-01-002", "2031-03-01"):
        store.create(label, os.urandom(32))
    assert store.labels() == ["2031-03-01", "2031-03-01-002", "2031-03-02"]
    assert store.has("2031-03-01")
    assert not store.has("2031-03-03")


def test_a_key_that_is_missing_is_named(store: KeyStore) -> None:
    with pytest.raises(KeyFileRefused, match=rf"{store.sort} key gone.* is missing"):
        store.read("gone")


def test_the_first_of_twenty_is_kept_and_the_others_get_it(store: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: store.create("same", os.urandom(32)), range(20)))
    kms._opened.clear()
    assert set(got) == {store.read("same")}
    assert store.labels() == ["same"]


def test_a_key_that_was_removed_is_gone_and_removing_again_is_fine(store: KeyStore) -> None:
    store.create("one", os.urandom(32))
    store.create("two", os.urandom(32))
    store.remove("one")
    store.remove("one")
    assert store.labels() == ["two"]
    with pytest.raises(KeyFileRefused, match="is missing"):
        store.read("one")


def test_a_key_of_another_length_is_named(store: KeyStore) -> None:
    store.create("odd", os.urandom(31))
    kms._opened.clear()
    with pytest.raises(KeyFileRefused, match=rf"{store.sort} key odd.* has not 32 bytes"):
        store.read("odd")


# --- What only KMS has --------------------------------------------------------------------------


def named(store: KeyStore, label: str) -> str:
    assert isinstance(store, kms.KmsKeys)
    return f"{store.place.prefix}/{label}.key"


def test_no_secret_lies_in_the_bucket(address: Any, bucket: Any) -> None:
    store = keystores.at(address("fleet"), "fleet")
    secret = store.create("day", os.urandom(32))
    body = bucket.get_object(Bucket=TEST_BUCKET, Key=named(store, "day"))["Body"].read()
    assert set(json.loads(body)) == {"version", "key", "wrapped"}
    assert secret not in body
    assert secret.hex().encode() not in body


def test_an_object_cannot_stand_in_for_another(address: Any, bucket: Any) -> None:
    place = address("fleet")
    store = keystores.at(place, "fleet")
    for label in ("one", "two"):
        store.create(label, os.urandom(32))
    bucket.copy_object(
        Bucket=TEST_BUCKET,
        Key=named(store, "two"),
        CopySource={"Bucket": TEST_BUCKET, "Key": named(store, "one")},
    )
    kms._opened.clear()
    with pytest.raises(KeyFileRefused, match=r"two.*InvalidCiphertextException"):
        store.read("two")
    with pytest.raises(KeyFileRefused, match=r"one.*InvalidCiphertextException"):
        keystores.at(place, "evidence").read("one")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"key": "k", "wrapped": "?"}'])
def test_a_damaged_object_is_named(address: Any, bucket: Any, body: bytes) -> None:
    store = keystores.at(address("fleet"), "fleet")
    bucket.put_object(Bucket=TEST_BUCKET, Key=named(store, "day"), Body=body)
    with pytest.raises(KeyFileRefused, match=r"fleet key day .* is damaged"):
        store.read("day")


def test_a_key_that_was_disabled_is_refused_by_name(address: Any, kms_client: Any) -> None:
    place = address("fleet")
    store = keystores.at(place, "fleet")
    store.create("day", os.urandom(32))
    kms._opened.clear()
    alias = kms.parsed(place, "fleet").key
    kms_client.disable_key(KeyId=kms_client.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
    with pytest.raises(KeyFileRefused, match=r"fleet key day.*DisabledException"):
        store.read("day")
    with pytest.raises(KeyFileRefused, match=r"fleet key new.*DisabledException"):
        store.create("new", os.urandom(32))


def test_each_root_has_a_kms_key_of_its_own_that_dies_with_it(
    address: Any, kms_client: Any, bucket: Any
) -> None:
    place = address("root")
    store = keystores.at(place, "root")
    for label in ("2031-03-01", "2031-03-15"):
        store.create(label, os.urandom(32))
    alias = kms.parsed(place, "root").key
    first, second = (
        kms_client.describe_key(KeyId=f"{alias}-{label}")["KeyMetadata"] for label in store.labels()
    )
    assert first["KeyId"] != second["KeyId"]
    backup = bucket.get_object(Bucket=TEST_BUCKET, Key=named(store, "2031-03-01"))["Body"].read()
    store.remove("2031-03-01")
    dying = kms_client.describe_key(KeyId=first["KeyId"])["KeyMetadata"]
    assert dying["KeyState"] == "PendingDeletion"
    # Even with the object back, the root stays closed from here.
    bucket.put_object(Bucket=TEST_BUCKET, Key=named(store, "2031-03-01"), Body=backup)
    with pytest.raises(KeyFileRefused, match=r"2031-03-01.*KMSInvalidStateException"):
        store.read("2031-03-01")
    store.remove("2031-03-01")
    kms._opened.clear()
    assert len(store.read("2031-03-15")) == 32


def test_a_removal_that_was_cut_off_is_finished_by_the_next(address: Any, kms_client: Any) -> None:
    place = address("root")
    store = keystores.at(place, "root")
    store.create("day", os.urandom(32))
    alias = f"{kms.parsed(place, 'root').key}-day"
    key = kms_client.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
    kms_client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    store.remove("day")
    assert store.labels() == []
    with pytest.raises(kms_client.exceptions.NotFoundException):
        kms_client.describe_key(KeyId=alias)


def test_who_loses_the_race_for_an_alias_leaves_no_kms_key_behind(
    address: Any, kms_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = address("root")
    store = keystores.at(place, "root")
    client = kms._client()
    real, ours = client.create_key, []

    def late(**given: Any) -> Any:
        """Somebody else makes the same root between our question and our alias."""
        ours.append(real(**given)["KeyMetadata"])
        monkeypatch.setattr(client, "create_key", real)
        keystores.at(place, "root").create("day", b"f" * 32)
        return {"KeyMetadata": ours[0]}

    monkeypatch.setattr(client, "create_key", late)
    assert store.create("day", b"s" * 32) == b"f" * 32
    state = kms_client.describe_key(KeyId=ours[0]["KeyId"])["KeyMetadata"]["KeyState"]
    assert state == "PendingDeletion"


def test_a_kms_that_is_down_costs_an_answer_and_no_key(address: Any, settings_of: Any) -> None:
    store = keystores.at(address("fleet"), "fleet")
    secret = store.create("day", os.urandom(32))
    settings_of(KMS_ENDPOINT_URL="http://127.0.0.1:1")
    assert store.read("day") == secret, "for a minute it is still in memory"
    kms._opened.clear()
    with pytest.raises(KeysUnavailable) as refused:
        store.read("day")
    assert refused.value.status == 503


def test_a_kms_that_fails_is_not_a_key_that_is_refused(
    address: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.core.exceptions import JsonRESTError
    from moto.kms.models import KmsBackend

    store = keystores.at(address("fleet"), "fleet")
    store.create("day", os.urandom(32))
    kms._opened.clear()

    def throttled(self: Any, **_: Any) -> Any:
        raise JsonRESTError("ThrottlingException", "Slower.")

    monkeypatch.setattr(KmsBackend, "decrypt", throttled)
    with pytest.raises(KeysUnavailable):
        store.read("day")


def test_a_bucket_that_is_not_there_is_named(address: Any) -> None:
    place = address("fleet").replace(TEST_BUCKET, f"{TEST_BUCKET}-none")
    with pytest.raises(KeyFileRefused, match=r"AccessDenied|NoSuchBucket"):
        keystores.at(place, "fleet").create("day", os.urandom(32))


def test_an_opened_secret_leaves_the_memory_by_itself(
    address: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(kms, "SECONDS_OPEN", 0.2)
    store = keystores.at(address("fleet"), "fleet")
    store.create("day", os.urandom(32))
    assert kms._opened
    deadline = time.monotonic() + 10
    while kms._opened and time.monotonic() < deadline:
        time.sleep(0.05)
    assert kms._opened == {}


def test_reading_again_asks_kms_once(address: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = keystores.at(address("fleet"), "fleet")
    store.create("day", os.urandom(32))
    kms._opened.clear()
    client = kms._client()
    asked: list[str] = []
    real = client.decrypt

    def counted(**given: Any) -> Any:
        asked.append(given["KeyId"])
        return real(**given)

    monkeypatch.setattr(client, "decrypt", counted)
    for _ in range(50):
        store.read("day")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "address",
    ["kms://", "kms:///prefix?key=k", "kms://bucket?key=k", "kms://bucket/p", "kms:/b/p?key=k"],
)
def test_an_address_that_names_too_little_is_refused_with_its_form(address: str) -> None:
    with pytest.raises(KeyFileRefused, match=r"fleet keys must be kms://<bucket>/<prefix>"):
        keystores.at(address, "fleet")


def test_roots_need_an_alias_to_begin_with() -> None:
    with pytest.raises(KeyFileRefused, match="alias/sitter-root"):
        keystores.at("kms://bucket/prefix?key=1234", "root")


def test_a_role_without_a_setting_holds_nothing() -> None:
    store = keystores.at(None, "fleet")
    assert isinstance(store, KeyFolder)
    assert not store.held
