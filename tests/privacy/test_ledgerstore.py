"""The ledger's bucket: statements by name, sorted by time, and a soon answer or none."""

import os
import socket
import time
import uuid
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from privacy import ledgerstore
from privacy.errors import BlobGone, StorageDown
from tests.conftest import s3_client
from tests.privacy.restoring import NOWHERE, ledger_at


def fresh() -> str:
    return f"tests/{uuid.uuid4().hex}/"


def test_a_statement_comes_back_as_it_was_written() -> None:
    name = fresh() + "one"
    ledgerstore.put(name, {"b": 1, "a": ["ü"]})
    assert ledgerstore.get(name) == {"a": ["ü"], "b": 1}


def test_names_are_sorted_and_can_be_taken_in_part() -> None:
    prefix = fresh()
    for letter in "cabed":
        ledgerstore.put(prefix + letter, {})
    assert ledgerstore.names(prefix) == [prefix + letter for letter in "abcde"]
    assert ledgerstore.names(prefix, limit=2) == [prefix + "a", prefix + "b"]
    assert ledgerstore.names(prefix, after=prefix + "b") == [prefix + x for x in "cde"]
    assert ledgerstore.names(prefix, after=prefix + "b", limit=1) == [prefix + "c"]


def test_what_is_deleted_is_gone_and_may_be_deleted_again() -> None:
    name = fresh() + "one"
    ledgerstore.put(name, {})
    ledgerstore.delete([name])
    ledgerstore.delete([name])
    with pytest.raises(BlobGone):
        ledgerstore.get(name)


def test_a_torn_statement_is_no_statement() -> None:
    name = fresh() + "torn"
    bucket = ledgerstore._bucket().name
    s3_client().put_object(Bucket=bucket, Key=name, Body=b'{"id": "0')
    with pytest.raises(ValueError, match="Unterminated"):
        ledgerstore.get(name)


def test_a_bucket_that_is_down_is_named_by_every_verb() -> None:
    with ledger_at(NOWHERE):
        for act in (
            lambda: ledgerstore.put("tests/x", {}),
            lambda: ledgerstore.get("tests/x"),
            lambda: ledgerstore.names("tests/"),
            lambda: ledgerstore.delete(["tests/x"]),
        ):
            with pytest.raises(StorageDown):
                act()


def test_a_bucket_that_refuses_us_is_down_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger_at(NOWHERE), monkeypatch.context() as patched:
        patched.setattr(ledgerstore, "_bucket", lambda: _nobody().Bucket("sitter-unit-ledger"))
        with pytest.raises(StorageDown):
            ledgerstore.get("tests/x")


def _nobody() -> Any:
    return boto3.resource(
        "s3",
        endpoint_url=os.environ["SITTER_S3_ENDPOINT_URL"],
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
        region_name="us-east-1",
    )


def test_a_refused_deletion_is_not_taken_for_a_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = SimpleNamespace(delete_objects=lambda **_: {"Errors": [{"Key": "tests/x"}]})
    monkeypatch.setattr(ledgerstore, "_bucket", lambda: refusing)
    with pytest.raises(StorageDown):
        ledgerstore.delete(["tests/x"])


def test_a_bucket_that_hangs_is_given_up_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with ledger_at(f"http://127.0.0.1:{silent.getsockname()[1]}"), pytest.raises(StorageDown):
            ledgerstore.put("tests/x", {})
        assert time.monotonic() - began < 10
