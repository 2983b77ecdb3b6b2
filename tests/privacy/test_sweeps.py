"""Blobs and time: what is due is shredded and reaped, whoever else is at it, however late."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from portraits import endings, painting, references
from portraits.models import Photo, Portrait, ReferenceSet, Rendition
from privacy import bucket, leases, retention, storage, sweeps, vault
from privacy.audit import Reason, Verb
from privacy.errors import StorageDown
from privacy.models import AuditEvent, Blob, Capsule, Erasure, Lease, OwnerKey
from privacy.retention import Kind
from tests.conftest import s3_client
from tests.portraits.making import (
    claimed,
    consenting,
    now,
    owner,
    set_with_photo,
    sizes,
    style,
    submitted,
    written,
)
from tests.privacy.alone import alone
from tests.privacy.buckets import fresh_bucket

STATES = [Blob.State.REGISTERED, Blob.State.STORED, Blob.State.SHREDDED]


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_sweeps"):
        yield


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


def rows(who: Any, ends: list[datetime], state: str = Blob.State.STORED) -> list[Blob]:
    """Blobs without bodies."""
    return Blob.objects.bulk_create(
        Blob(
            owner_id=who,
            kind=Kind.PORTRAIT,
            recipient=1,
            name=f"portrait/{OwnerKey.objects.get(pk=who).prefix}/{number}",
            state=state,
            length=1,
            sha256=b"x",
            created_at=min(ends) - timedelta(days=1),
            expires_at=end,
        )
        for number, end in enumerate(ends)
    )


def events(verb: Verb) -> list[tuple[int, int]]:
    found = AuditEvent.objects.filter(verb=verb).order_by("pk")
    return list(found.values_list("count", "reason"))


# --- Expiry -------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1000, 1000), st.sampled_from(STATES)), min_size=1, max_size=30),
    st.integers(1, 7),
)
def test_exactly_what_is_due_is_shredded_whatever_the_batch(
    lives: list[tuple[int, str]], limit: int
) -> None:
    at, who = now(), owner()
    made = rows(who, [at + timedelta(seconds=seconds) for seconds, _ in lives])
    for blob, (_, state) in zip(made, lives, strict=True):
        blob.state = state
    Blob.objects.bulk_update(made, ["state"])
    Capsule.objects.bulk_create(
        Capsule(blob=row, enc=b"c") for row in made if row.state == "stored"
    )
    while sweeps.expire_batch(at, limit)[0]:
        pass
    for blob, (seconds, state) in zip(made, lives, strict=True):
        blob.refresh_from_db()
        due = seconds <= 0 or state == Blob.State.SHREDDED
        assert blob.state == (Blob.State.SHREDDED if due else state)
        assert Capsule.objects.filter(blob=blob).exists() == (state == "stored" and not due)
    assert sweeps.expire_batch(at)[0] == 0
    Blob.objects.filter(owner_id=who).delete()


def test_a_batch_leaves_one_event_with_its_count_and_reason() -> None:
    at = now()
    rows(owner(), [at] * 5)
    before = events(Verb.BLOBS_EXPIRED)
    assert [sweeps.expire_batch(at, 3)[0] for _ in range(3)] == [3, 2, 0]
    new = events(Verb.BLOBS_EXPIRED)[len(before) :]
    assert new == [(3, Reason.DEADLINE), (2, Reason.DEADLINE)]
    sweeps.reap()


def test_what_somebody_holds_is_left_to_the_next_run() -> None:
    at = now()
    held, free = rows(owner(), [at, at])
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Blob.objects.select_for_update().get(pk=held.pk)
            locked.set()
            release.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(20)
        assert sweeps.expire(at) == 1
        assert not Blob.objects.filter(pk=free.pk).exists()
    finally:
        release.set()
        holder.join()
    assert sweeps.expire(at) == 1


def test_two_sweeps_at_once_share_the_work_and_count_nothing_twice() -> None:
    at = now()
    made = rows(owner(), [at] * 400)
    totals: list[int] = []

    def sweep() -> None:
        count = 0
        while found := sweeps.expire_batch(at, 10)[0]:
            count += found
        totals.append(count)
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = Blob.objects.filter(pk__in=[row.pk for row in made]).exclude(state="shredded")
    assert left.count() == 0
    assert sum(totals) == 400
    sweeps.reap()


# --- Reaping ------------------------------------------------------------------------------------


def test_reaping_takes_along_what_hangs_on_a_blob_and_empties_what_points_at_it() -> None:
    who, painted = consenting(), style()
    submitted(who, painted, keep_hours=24)
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    portrait = Portrait.objects.get(owner_id=who)
    photo = Photo.objects.get(set__owner_id=who)
    vault.destroy(Blob.objects.filter(owner_id=who))
    with CaptureQueriesContext(connection) as asked:
        sweeps.reap()
    assert not Blob.objects.filter(owner_id=who).exists()
    assert not Rendition.objects.filter(portrait_id=portrait.pk).exists()
    assert not Portrait.objects.filter(pk=portrait.pk).exists()
    photo.refresh_from_db()
    assert photo.reference_id is None
    assert len(asked) < 30
    ReferenceSet.objects.filter(owner_id=who).delete()


def test_the_statements_of_a_reaping_do_not_grow_with_the_rows() -> None:
    counts = []
    for number in (3, 300):
        rows(owner(), [now()] * number, Blob.State.SHREDDED)
        with CaptureQueriesContext(connection) as asked:
            assert sweeps.reap() == number
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_bucket_that_is_down_stops_the_reaping_and_not_the_shredding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at, who = now(), owner()
    blob = written(Kind.UPLOAD, who, b"a photo", at)

    def down(names: Any) -> None:
        raise StorageDown

    later = at + timedelta(minutes=10)
    with monkeypatch.context() as broken:
        broken.setattr(storage, "delete", down)
        assert sweeps.expire(later) == 1
        assert Blob.objects.get(pk=blob.pk).state == Blob.State.SHREDDED
        assert not Capsule.objects.filter(blob=blob).exists()
        late = later + retention.ROW_GRACE
        assert sweeps.backlog(late)["bodies_not_deleted"] == 1
    sweeps.reap()
    assert sweeps.backlog(late)["bodies_not_deleted"] == 0


def test_on_a_bucket_with_versions_no_version_and_no_marker_is_left() -> None:
    name, client = bucket._client()[1], s3_client()
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    try:
        blob = written(Kind.PORTRAIT, owner(), b"a portrait")
        client.put_object(Bucket=name, Key=blob.name, Body=b"noise")
        vault.destroy(Blob.objects.filter(pk=blob.pk))
        assert len(storage.traces(blob.name).versions) == 2
        sweeps.reap()
        assert not storage.traces(blob.name)
    finally:
        fresh_bucket(name)


# --- The backlog --------------------------------------------------------------------------------


def test_an_empty_backlog_is_all_zeros_and_is_logged_as_such(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sweeps.reap()
    Lease.objects.all().delete()
    with caplog.at_level(logging.INFO):
        counts = sweeps.watch(now())
    assert set(counts.values()) == {0}
    record = caplog.records[-1]
    assert (record.msg, record.levelno) == ("backlog", logging.INFO)


def test_each_thing_that_is_late_is_counted_under_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at, who = now(), owner()
    Lease.objects.all().delete()
    long_ago = at - timedelta(days=2)
    rows(who, [at - retention.BLOB_GRACE, at - retention.BLOB_GRACE + timedelta(seconds=9)])
    rows_of_another = rows(owner(), [at - retention.ROW_GRACE], Blob.State.SHREDDED)
    leases.open_work("item", who, who)
    Lease.objects.update(ready_at=long_ago, nudged_at=long_ago, attempts=9)
    Erasure.objects.create(id=who, subject_id=who, requested_at=long_ago)
    with caplog.at_level(logging.INFO):
        counts = sweeps.watch(at)
    found = {name: count for name, count in counts.items() if count}
    assert found == {
        "past_deadline": 1,
        "bodies_not_deleted": len(rows_of_another),
        "work_unattended": 1,
        "work_waiting_too_long": 1,
        "attempts_exhausted": 1,
        "erasures_late": 1,
    }
    assert caplog.records[-1].levelno == logging.WARNING
    assert getattr(caplog.records[-1], "backlog", None) == counts
    Lease.objects.all().delete()
    Erasure.objects.all().delete()
    sweeps.expire(at + timedelta(minutes=1))


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_command_prints_the_backlog_and_fails_while_there_is_one(form: str) -> None:
    arguments = ["--json"] if form == "json" else []
    sweeps.expire(now())
    Lease.objects.all().delete()
    said = StringIO()
    call_command("backlog", *arguments, stdout=said)
    if form == "json":
        assert set(json.loads(said.getvalue()).values()) == {0}
    rows(owner(), [now() - timedelta(hours=1)])
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("backlog", *arguments, stdout=said)
    assert ended.value.code == 1
    if form == "json":
        assert json.loads(said.getvalue())["past_deadline"] == 1
    else:
        assert "1  past_deadline" in said.getvalue()
    sweeps.expire(now())


# --- L13 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [timedelta(days=365), timedelta(days=3 * 365 - 1)])
def test_no_selfie_is_left_after_one_run_behind_a_long_pause(pause: timedelta) -> None:
    at, painted = now(), style()
    upload = written(Kind.UPLOAD, consenting(), b"just sent", at)
    once = set_with_photo(consenting(), at=at)
    kept = set_with_photo(consenting(), keep_hours=7 * 24, at=at)
    job = submitted(consenting(), painted, at=at)
    kinds = [Kind.UPLOAD, Kind.REFERENCE, Kind.SOURCE]
    selfies = Blob.objects.filter(kind__in=kinds)
    assert selfies.count() >= 4
    then = at + pause
    sweeps.expire(then)
    references.expire(then)
    endings.expire(then)
    assert not selfies.exists()
    assert not Blob.objects.filter(pk=upload.pk).exists()
    assert not ReferenceSet.objects.filter(pk__in=[once.pk, kept.pk, job.references_id]).exists()
    assert all(not storage.names(f"{kind.name.lower()}/") for kind in kinds)
