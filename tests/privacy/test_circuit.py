"""A bucket that fails again and again is left alone, and asked now and then whether it is back."""

import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from django.conf import settings
from storages.backends.s3 import S3Storage

from privacy import copies, export, leases, storage, vault
from privacy.circuit import PATIENCE, Circuit
from privacy.errors import BlobGone, StorageDown
from privacy.models import Blob, Lease
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits.making import consenting, now, owner, written
from tests.privacy.exporting import Sort, sitter


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The bucket's circuit, new, with a clock of ours."""
    made = Clock()
    monkeypatch.setattr(storage, "circuit", Circuit(clock=made))
    return made


def broken() -> None:
    with pytest.raises(StorageDown), storage._answers():
        raise EndpointConnectionError(endpoint_url="http://localhost")


def asked() -> bool:
    """Whether a call goes through to the bucket."""
    try:
        with storage._answers():
            return True
    except StorageDown:
        return False


def test_it_is_asked_until_it_has_failed_so_often_in_a_row(clock: Clock) -> None:
    for _ in range(PATIENCE - 1):
        broken()
    assert not storage.resting()
    assert asked()
    for _ in range(PATIENCE - 1):
        broken()
    assert not storage.resting()
    broken()
    assert storage.resting()
    assert not asked()


def test_behind_the_rest_one_looks_and_the_others_wait_for_it(clock: Clock) -> None:
    for _ in range(PATIENCE):
        broken()
    clock.now += storage.circuit.first_rest
    assert not storage.resting()
    with storage._answers():
        assert storage.resting()
        assert not asked()
    assert not storage.resting()
    assert asked()
    broken()
    assert not storage.resting()


def test_each_vain_look_makes_the_rest_longer_up_to_an_end(clock: Clock) -> None:
    for _ in range(PATIENCE):
        broken()
    rests = []
    for _ in range(8):
        rests.append(storage.circuit.until - clock.now)
        clock.now = storage.circuit.until
        broken()
    assert rests == [1, 2, 4, 8, 16, 30, 30, 30]


def test_what_fails_together_counts_once(clock: Clock) -> None:
    for _ in range(PATIENCE):
        storage.circuit.failed()
    before = storage.circuit.failures
    storage.circuit.failed()
    assert storage.circuit.failures == before


def test_a_wish_to_be_left_alone_is_kept_after_one_failure() -> None:
    clock = Clock()
    circuit = Circuit(clock=clock)
    circuit.failed(wish=60)
    assert not circuit.enter()
    assert circuit.rest() == 60
    clock.now += 60
    assert circuit.enter()
    assert circuit.rest() == 0


def test_it_says_whether_they_had_been_left_alone_and_are_back() -> None:
    circuit = Circuit()
    circuit.failed()
    assert not circuit.succeeded()
    for _ in range(PATIENCE):
        circuit.failed()
    assert circuit.succeeded()


def test_an_answer_is_an_answer_even_if_the_body_is_gone(clock: Clock) -> None:
    for error in (FileNotFoundError(), ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")):
        for _ in range(PATIENCE - 1):
            broken()
        with pytest.raises(BlobGone), storage._answers():
            raise error
    assert storage.circuit.failures == 0


def test_whoever_looks_and_leaves_does_not_keep_the_others_out(clock: Clock) -> None:
    for _ in range(PATIENCE):
        broken()
    clock.now += storage.circuit.first_rest
    with pytest.raises(ZeroDivisionError), storage._answers():
        _ = 1 / 0
    assert not storage.resting()
    assert asked()


def test_many_threads_send_one_to_look(clock: Clock) -> None:
    for _ in range(PATIENCE):
        broken()
    clock.now += storage.circuit.first_rest
    entered: list[bool] = []
    threads = [
        threading.Thread(target=lambda: entered.append(storage.circuit.enter())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered) == [False] * 7 + [True]


def test_an_upload_is_refused_at_once_and_leaves_nothing_readable(born: Any, clock: Clock) -> None:
    born("web")
    who = owner()
    for _ in range(PATIENCE):
        broken()
    with pytest.raises(StorageDown):
        vault.draft(Kind.UPLOAD, who, Plain(b"a photo"), now())
    assert not Blob.objects.filter(owner_id=who, state=Blob.State.STORED).exists()


def test_workers_take_no_work_that_they_could_only_put_off(born: Any, clock: Clock) -> None:
    from workers import intake

    born("web")
    Lease.objects.all().delete()
    wanted = export.request(sitter(), now())
    leases.open_work("reference", wanted.pk, consenting())
    for _ in range(PATIENCE):
        broken()
    born("intake")
    assert copies.prepare(Sort.PHOTO, now) == 0
    assert intake.run() == 0
    assert set(Lease.objects.filter(work_id=wanted.pk).values_list("attempts", flat=True)) == {0}
    clock.now += storage.circuit.first_rest
    assert copies.prepare(Sort.PHOTO, now) == 1
    Lease.objects.all().delete()


def test_a_bucket_that_is_away_answers_within_its_timeouts(settings_of: Any, clock: Clock) -> None:
    """A real endpoint that takes connections and says nothing."""
    bounds = settings.STORAGES["sealed"]["OPTIONS"]["client_config"]
    assert bounds.connect_timeout * bounds.retries["total_max_attempts"] <= 15
    assert bounds.read_timeout * bounds.retries["total_max_attempts"] <= 45
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = dict(settings.STORAGES["sealed"]["OPTIONS"])
        options["endpoint_url"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options["client_config"] = bounds.merge(Config(read_timeout=0.3))
        stuck = S3Storage(**options)
        with pytest.MonkeyPatch.context() as changing:
            changing.setattr(storage, "_bucket_storage", lambda: stuck)
            began = time.monotonic()
            with pytest.raises(StorageDown):
                storage.get("reference/nothing")
            assert time.monotonic() - began < 10


def test_a_bucket_that_fails_now_and_then_is_tried_again_unseen(born: Any, clock: Clock) -> None:
    """Two 503s before each answer: the client library's own retries are enough."""
    born("web")
    blob = written(Kind.REFERENCE, consenting(), b"a clean photo")
    client = storage._bucket_storage().bucket.meta.client
    tries: list[int] = []

    def fail_twice(**_: Any) -> Any:
        tries.append(1)
        if len(tries) % 3:
            nothing = SimpleNamespace(stream=lambda: [b""])
            return AWSResponse("http://localhost", 503, HTTPHeaders(), nothing)
        return None

    client.meta.events.register("before-send.s3", fail_twice, unique_id="fail-twice")
    try:
        assert storage.get(blob.name)
    finally:
        client.meta.events.unregister("before-send.s3", unique_id="fail-twice")
    assert len(tries) >= 3
    assert storage.circuit.failures == 0


def test_a_client_is_made_before_it_is_needed_and_nothing_is_sent() -> None:
    sent: list[int] = []
    storage.warm()
    client = storage._client()[0]
    client.meta.events.register("before-send.s3", lambda **_: sent.append(1), unique_id="count")
    try:
        storage.warm()
    finally:
        client.meta.events.unregister("before-send.s3", unique_id="count")
    assert sent == []
    assert storage._clients[storage._bucket_storage()] is client
