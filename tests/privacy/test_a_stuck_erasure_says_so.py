"""An erasure that cannot be proved is tried for ever, and grows louder; it is never given up."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from privacy import erasure, receipts, stages, storage
from privacy.errors import StorageDown
from privacy.models import Erasure, Lease
from tests.portraits.making import now, owner
from tests.privacy.erasing import claim, proved


@pytest.fixture(autouse=True)
def _upkeep(born: Any) -> Iterator[None]:
    # `stages.work` takes whatever waits: nothing of other tests may.
    Lease.objects.filter(kind=erasure.LEASE).delete()
    yield
    Lease.objects.filter(kind=erasure.LEASE).delete()


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The bucket does not answer, until it is undone."""

    def refuse(*_: Any) -> Any:
        raise StorageDown

    monkeypatch.setattr(storage, "traces", refuse)
    return monkeypatch


def wait_over(row: Erasure) -> None:
    Lease.objects.filter(work_id=row.pk).update(ready_at=now())


def stuck(born: Any, since: datetime) -> Erasure:
    born("web")
    begun = erasure.request(owner(), now())
    Erasure.objects.filter(pk=begun.pk).update(requested_at=since)
    born("upkeep")
    return begun


def test_it_is_tried_again_later_and_goes_on_by_itself(born: Any, down: pytest.MonkeyPatch) -> None:
    begun = stuck(born, now())
    stages.work(timezone.now)
    lease = Lease.objects.get(work_id=begun.pk)
    assert (lease.attempts, lease.held_until) == (1, None)
    assert timedelta(0) < lease.ready_at - now() <= stages.RETRY_AFTER
    down.undo()
    wait_over(begun)
    stages.work(timezone.now)
    proved(begun)


def test_a_fault_of_any_sort_is_no_end(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = stuck(born, now())

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as changed:
        changed.setattr(receipts, "sign", broken)
        stages.work(timezone.now)
    assert Erasure.objects.get(pk=begun.pk).stage == Erasure.Stage.ROWS
    wait_over(begun)
    stages.work(timezone.now)
    proved(begun)


@pytest.mark.parametrize(("hours", "level"), [(0, logging.WARNING), (2, logging.ERROR)])
def test_it_says_where_it_is_how_old_and_why_and_nothing_else(
    born: Any,
    down: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    hours: int,
    level: int,
) -> None:
    begun = stuck(born, now() - timedelta(hours=hours))
    with caplog.at_level(logging.WARNING):
        stages.work(timezone.now)
    (line,) = [row for row in caplog.records if row.getMessage() == "erasure_not_proved"]
    said = vars(line)
    assert line.levelno == level
    assert (said["erasure_id"], said["state"], said["kind"]) == (
        str(begun.pk),
        "shredded",
        "account",
    )
    assert (said["error"], said["attempts"]) == ("StorageDown", 1)
    assert 3600 * hours <= said["seconds"] < 3600 * hours + 60
    assert str(begun.subject_id) not in str(said)


def test_the_pauses_grow_to_a_minute_and_the_attempts_have_no_end(
    born: Any, down: pytest.MonkeyPatch
) -> None:
    begun = stuck(born, now())
    pauses = []
    for _ in range(8):
        wait_over(begun)
        before = now()
        stages.work(timezone.now)
        pauses.append(Lease.objects.get(work_id=begun.pk).ready_at - before)
    assert pauses[0] < timedelta(seconds=4)
    assert timedelta(seconds=59) < pauses[-1] < timedelta(seconds=75)
    # As many as the column holds would come after three weeks; then it still goes on.
    Lease.objects.filter(work_id=begun.pk).update(attempts=stages.COUNTED_UP_TO)
    for _ in range(2):
        wait_over(begun)
        stages.work(timezone.now)
        assert Lease.objects.get(work_id=begun.pk).attempts == stages.COUNTED_UP_TO
    down.undo()
    wait_over(begun)
    stages.work(timezone.now)
    proved(begun)


def test_one_that_is_stuck_holds_no_other_up(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stuck(born, now()), stuck(born, now())
    real = storage.purge

    def refuse(prefix: str) -> storage.Traces:
        if first.prefix in prefix:
            raise StorageDown
        return real(prefix)

    monkeypatch.setattr(storage, "purge", refuse)
    stages.work(timezone.now)
    proved(second)
    assert Erasure.objects.get(pk=first.pk).stage == Erasure.Stage.SHREDDED


def test_those_that_are_late_are_counted(born: Any) -> None:
    before = erasure.late(now())
    begun = stuck(born, now() - timedelta(minutes=59))
    assert erasure.late(now()) == before
    assert erasure.late(now() + timedelta(minutes=2)) >= before + 1
    assert stages.advance(claim(begun), now)
    Erasure.objects.filter(pk=begun.pk).update(requested_at=now() - timedelta(days=1))
    assert erasure.late(now()) == before


def test_a_lease_that_was_lost_meanwhile_is_left_to_its_new_holder(born: Any) -> None:
    begun = stuck(born, now())
    old = claim(begun)
    new = claim(begun)
    assert new.token > old.token
    assert stages.advance(new, now)
    found = proved(begun)
    assert not stages.advance(old, now)
    assert proved(begun).receipt == found.receipt


def test_a_proof_that_did_not_count_is_no_end(born: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker, which found something late, sent the erasure back in the same moment."""
    begun = stuck(born, now())
    monkeypatch.setattr(stages, "_prove", lambda erasure, moment: None)
    assert not stages.advance(claim(begun), now)
    assert Lease.objects.filter(work_id=begun.pk).exists()
    monkeypatch.undo()
    assert stages.advance(claim(begun), now)
    proved(begun)
