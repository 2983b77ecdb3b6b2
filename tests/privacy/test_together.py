"""Many accounts at once: the same end for each as one by one, in few questions for all."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection

from accounts import limits
from privacy import erasure, leases, receipts, recipients, signing, stages, storage, together
from privacy.audit import Verb
from privacy.errors import StorageDown
from privacy.models import AuditEvent, Erasure, Lease, OwnerKey
from privacy.recipients import Recipient
from tests.portraits.making import now, owner, person
from tests.privacy.erasing import left, live_fully, proved

FEW, MANY = 3, 9


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> Iterator[None]:
    born("web")
    kept = dict(recipients.recipients)
    # `work` takes whatever waits: nothing of other tests may.
    Lease.objects.filter(kind=erasure.LEASE).delete()
    yield
    Lease.objects.filter(kind=erasure.LEASE).delete()
    recipients.recipients.clear()
    recipients.recipients.update(kept)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What the batch leaves is left, so that a test sees what it did."""
    monkeypatch.setattr(stages, "work", lambda clock: None)
    return monkeypatch


def asked(people: list[uuid.UUID]) -> list[Erasure]:
    """As a replay does it: all in one transaction, and each again changes nothing."""
    wanted = [erasure.Asked(uuid.uuid4(), who, now()) for who in people]
    erasure.request_all(wanted, now())
    erasure.request_all(wanted, now())
    return [Erasure.objects.get(pk=one.id) for one in wanted]


def leave(count: int) -> list[Erasure]:
    return asked([owner() for _ in range(count)])


def still_open(row: Erasure) -> bool:
    return Lease.objects.filter(work_id=row.pk).exists()


def attempts(row: Erasure) -> int:
    return int(Lease.objects.values_list("attempts", flat=True).get(work_id=row.pk))


def check(row: Erasure) -> None:
    """Proved, once, with a receipt that verifies, and nothing is left."""
    receipt = proved(row).receipt
    assert receipt is not None
    assert signing.verified(receipt)
    proofs = AuditEvent.objects.filter(object_id=row.pk, verb=Verb.ERASURE_PROVED)
    assert proofs.count() == 1
    assert not still_open(row)
    assert left(row.subject_id) == []
    assert not any(storage.traces(folder) for folder in stages.folders(row))


# --- What it does ---------------------------------------------------------------------------------


def test_each_of_many_is_proved_with_a_receipt_and_nobody_else_is_touched(
    born: Any, alone: pytest.MonkeyPatch
) -> None:
    leavers = [live_fully() for _ in range(3)]
    stayer, never_had_a_key = live_fully(), person()
    before = left(stayer)
    rows = asked([*leavers, never_had_a_key])
    for who in (*leavers, never_had_a_key):
        assert OwnerKey.objects.get(pk=who).destroyed_at
    born("upkeep")
    together.work(now)
    for row in rows:
        check(row)
    assert [row.counts for row in rows] == [{"reference": 1, "portrait": 1, "rendition": 1}] * 3 + [
        {}
    ]
    assert left(stayer) == before


def counted(call: Callable[[], Any]) -> tuple[int, int]:
    """(statements, requests to the bucket)."""
    statements = requests = 0

    def query(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    def request(**_: Any) -> None:
        nonlocal requests
        requests += 1

    client = storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
    client.meta.events.register("before-send.s3", request, unique_id="counted")
    try:
        with connection.execute_wrapper(query):
            call()
    finally:
        client.meta.events.unregister("before-send.s3", unique_id="counted")
    return statements, requests


def test_what_is_asked_of_the_bucket_does_not_grow_with_the_people(
    born: Any, alone: pytest.MonkeyPatch
) -> None:
    taken = {}
    for count in (FEW, MANY):
        born("web")
        rows = leave(count)
        born("upkeep")
        taken[count] = counted(lambda: together.work(now))
        for row in rows:
            check(row)
    more = MANY - FEW
    assert taken[MANY][1] - taken[FEW][1] <= 2, "a page more, where others have written meanwhile"
    assert (taken[MANY][0] - taken[FEW][0]) / more < 20


def test_a_batch_holds_so_many_people_and_so_many_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "AT_ONCE", 2)
    monkeypatch.setattr(together, "BODIES_AT_ONCE", 10)
    ids = [uuid.uuid4() for _ in range(6)]
    sizes = (1, 1, 1, 50, 4, 5)
    waiting = [(pk, {"portrait": size}) for pk, size in zip(ids, sizes, strict=True)]
    found = list(together._batches(waiting))
    assert found == [ids[:2], [ids[2]], [ids[3]], ids[4:]]
    assert list(together._batches([])) == []


# --- Who does not get through with the others -----------------------------------------------------


def test_of_whom_something_is_left_is_not_proved_and_the_others_are(
    born: Any, alone: pytest.MonkeyPatch
) -> None:
    rows = leave(4)
    in_table, in_bucket, counted_still, gone = rows
    real = together._delete_rows

    def late(erasures: list[Erasure], moment: Any) -> None:
        real(erasures, moment)
        OwnerKey.objects.create(owner_id=in_table.subject_id, public=b"", prefix=uuid.uuid4().hex)
        client = storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
        name = f"portrait/{in_bucket.prefix}/{uuid.uuid4().hex}"
        client.put_object(Bucket=storages["sealed"].bucket_name, Key=name, Body=b"noise")  # type: ignore[attr-defined]

    steps = tuple((one, two, late if act is real else act) for one, two, act in together.STEPS)
    alone.setattr(together, "STEPS", steps)
    alone.setattr(limits, "remembers", lambda who: who == counted_still.subject_id)
    born("upkeep")
    together.work(now)
    check(gone)
    for row in (in_table, in_bucket, counted_still):
        assert Erasure.objects.get(pk=row.pk).stage == Erasure.Stage.ROWS
        assert attempts(row) == 0, "it was no fault of theirs, and they are ready at once"
    alone.undo()
    for _ in range(2):
        # The first attempt finds it and begins again, the second deletes it.
        Lease.objects.filter(kind=erasure.LEASE).update(ready_at=now())
        together.work(now)
    for row in rows:
        check(row)


def test_a_bucket_that_is_down_holds_everybody_up_until_it_is_back(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = leave(3)
    born("upkeep")

    def down(*_: Any, **__: Any) -> Any:
        raise StorageDown

    with monkeypatch.context() as broken:
        for name in ("traces", "traces_among"):
            broken.setattr(storage, name, down)
        together.work(now)
    for row in rows:
        assert Erasure.objects.get(pk=row.pk).stage == Erasure.Stage.SHREDDED
        assert attempts(row) == 1, "of the single machine"
    Lease.objects.filter(kind=erasure.LEASE).update(ready_at=now())
    together.work(now)
    for row in rows:
        check(row)


def test_objects_that_do_not_go_keep_the_stage_where_it_is(
    born: Any, alone: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = leave(2)
    born("upkeep")
    body = storage.Traces(versions=[("portrait/a/b", "null")])
    alone.setattr(storage, "purge_among", lambda folders, versioned: body)
    together.work(now)
    assert {Erasure.objects.get(pk=row.pk).stage for row in rows} == {Erasure.Stage.SHREDDED}
    (line,) = [row for row in caplog.records if "proved_together" in row.getMessage()]
    assert (vars(line)["count"], vars(line)["error"]) == (2, "NotYetGone")


def test_who_was_taken_away_meanwhile_is_left_to_whoever_has_them(
    born: Any, alone: pytest.MonkeyPatch
) -> None:
    taken, kept = leave(2)
    new: list[leases.Claim | None] = []

    def take(row: Erasure, moment: Any) -> None:
        if row.pk == taken.pk:
            leases.take_from(erasure.LEASE, taken.pk)
            new.append(leases.claim(erasure.LEASE, among=[taken.pk]))

    alone.setattr(recipients, "tell", take)
    born("upkeep")
    together.work(now)
    check(kept)
    assert Erasure.objects.get(pk=taken.pk).stage == Erasure.Stage.RECIPIENTS
    (claim,) = new
    assert claim is not None
    assert leases.still_held(claim)
    alone.undo()
    assert stages.advance(claim, now)
    check(taken)


def test_a_batch_that_was_lost_whole_ends_there(born: Any, alone: pytest.MonkeyPatch) -> None:
    (row,) = leave(1)
    alone.setattr(recipients, "tell", lambda row, moment: leases.take_from(erasure.LEASE, row.pk))
    born("upkeep")
    together.work(now)
    assert Erasure.objects.get(pk=row.pk).stage == Erasure.Stage.RECIPIENTS


def test_a_fault_in_a_receipt_is_no_end(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = leave(2)
    born("upkeep")

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as changed:
        changed.setattr(receipts, "sign", broken)
        together.work(now)
    assert {Erasure.objects.get(pk=row.pk).stage for row in rows} == {Erasure.Stage.ROWS}
    Lease.objects.filter(kind=erasure.LEASE).update(ready_at=now())
    together.work(now)
    for row in rows:
        check(row)


def test_somebody_outside_who_has_not_confirmed_is_asked_again(
    born: Any, alone: pytest.MonkeyPatch
) -> None:
    answers = {True: 0}
    recipients.recipients["stub"] = Recipient(lambda row: bool(answers[True]))
    rows = leave(2)
    born("upkeep")
    together.work(now)
    for row in rows:
        receipt = proved(row).receipt
        assert receipt is not None
        assert receipt["statement"]["recipients_pending"] == ["stub"]
        assert Lease.objects.get(work_id=row.pk).ready_at > now()


# --- The bucket's listing -------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_one_listing_finds_what_a_look_at_each_folder_finds(
    page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
    real, name = client.list_objects_v2, storages["sealed"].bucket_name  # type: ignore[attr-defined]
    folders = sorted(f"portrait/{uuid.uuid4().hex}/" for _ in range(12))
    for number, folder in enumerate(folders):
        for _ in range(number % 4):
            client.put_object(Bucket=name, Key=f"{folder}{uuid.uuid4().hex}", Body=b"x")
    wanted = [*folders[::2], f"upload/{uuid.uuid4().hex}/"]
    monkeypatch.setattr(client, "list_objects_v2", lambda **said: real(**said, MaxKeys=page))
    found = storage.traces_among(wanted, versioned=False)
    one_by_one = [key for folder in wanted for key in storage.names(folder)]
    assert sorted(found.names()) == sorted(one_by_one)
    assert len(one_by_one) == 0 + 2 + 0 + 2 + 0 + 2
    assert sorted(storage.traces_among(wanted, versioned=True).names()) == sorted(one_by_one)
    assert not storage.purge_among(wanted, versioned=False)
    assert not any(storage.names(folder) for folder in wanted)
    assert sum(len(storage.names(folder)) for folder in folders) == 3 * (1 + 3)
