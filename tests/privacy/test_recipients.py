"""Who outside must be told: they are asked until they confirm, and the receipt says who has not."""

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from portraits import gallery
from privacy import erasure, receipts, recipients, signing, stages
from privacy.audit import Verb
from privacy.models import AuditEvent, Erasure, ErasureRecipient, Lease
from privacy.recipients import Recipient
from tests.portraits.making import consenting, now, owner
from tests.privacy.erasing import advance, painted_for, proved


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> Iterator[None]:
    born("web")
    kept = dict(recipients.recipients)
    yield
    recipients.recipients.clear()
    recipients.recipients.update(kept)


class Stub:
    """A recipient that fails twice: once by an error, once by saying no."""

    def __init__(self) -> None:
        self.asked: list[uuid.UUID] = []

    def __call__(self, row: Erasure) -> bool:
        self.asked.append(row.pk)
        if len(self.asked) == 1:
            raise ConnectionError
        return len(self.asked) > 2


def pass_time(row: Erasure) -> None:
    ErasureRecipient.objects.filter(erasure=row).update(next_at=now())


def statement(row: Erasure) -> dict[str, Any]:
    receipt = proved(row).receipt
    assert receipt is not None
    assert signing.verified(receipt)
    return dict(receipt["statement"])


def test_one_that_fails_twice_is_asked_a_third_time(born: Any) -> None:
    stub = Stub()
    recipients.recipients["stub"] = Recipient(stub)
    begun = erasure.request(owner(), now())
    assert not advance(born, begun)
    first = statement(begun)
    assert (first["revision"], first["recipients_pending"]) == (1, ["stub"])
    assert stub.asked == [begun.pk]
    pass_time(begun)
    assert not advance(born, begun)
    assert statement(begun) == first
    pass_time(begun)
    assert advance(born, begun)
    last = statement(begun)
    assert (last["revision"], last["recipients_pending"]) == (2, [])
    assert last["recipients_told"] == ["stub"]
    same = ("erasure", "subject", "destroyed", "unreadable_at", "proved_at")
    assert [last[name] for name in same] == [first[name] for name in same]
    assert len(stub.asked) == 3
    assert not Lease.objects.filter(work_id=begun.pk).exists()
    told = AuditEvent.objects.filter(object_id=begun.pk, verb=Verb.RECIPIENT_CONFIRMED)
    assert told.count() == 1


def test_who_confirms_at_once_is_never_listed_as_pending(born: Any) -> None:
    recipients.recipients["stub"] = Recipient(lambda row: True)
    begun = erasure.request(owner(), now())
    assert advance(born, begun)
    found = statement(begun)
    assert (found["revision"], found["recipients_told"]) == (1, ["stub"])


def test_all_of_them_must_have_confirmed(born: Any) -> None:
    recipients.recipients.update(a=Recipient(lambda row: True), b=Recipient(lambda row: False))
    begun = erasure.request(owner(), now())
    assert not advance(born, begun)
    pass_time(begun)
    assert not advance(born, begun)
    found = statement(begun)
    assert (found["recipients_told"], found["recipients_pending"]) == (["a"], ["b"])


def test_nobody_is_asked_before_it_is_time_again(born: Any) -> None:
    stub = Stub()
    recipients.recipients["stub"] = Recipient(stub)
    begun = erasure.request(owner(), now())
    for _ in range(3):
        assert not advance(born, begun)
    assert len(stub.asked) == 1
    waiting = Lease.objects.get(work_id=begun.pk)
    assert waiting.ready_at > now() + timedelta(seconds=20)


def test_the_pauses_grow_up_to_an_hour() -> None:
    recipients.recipients["stub"] = Recipient(lambda row: False)
    begun, moment = erasure.request(owner(), now()), now()
    pauses = []
    for _ in range(12):
        recipients.tell(begun, moment)
        pauses.append(recipients.next_at(begun, moment) - moment)
        moment += pauses[-1]
    assert pauses[0] == timedelta(seconds=30)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)


def test_one_that_nobody_knows_any_more_stays_pending(
    born: Any, caplog: pytest.LogCaptureFixture
) -> None:
    recipients.recipients["stub"] = Recipient(Stub())
    begun = erasure.request(owner(), now())
    assert not advance(born, begun)
    del recipients.recipients["stub"]
    pass_time(begun)
    with caplog.at_level(logging.WARNING):
        assert not advance(born, begun)
    assert recipients.pending(begun) == ["stub"]
    assert "recipient_has_not_confirmed" in caplog.text


def test_a_recipient_is_told_of_its_own_scopes_only(born: Any) -> None:
    stub = Stub()
    recipients.recipients["stub"] = Recipient(stub)
    who = consenting()
    begun = gallery.delete(who, painted_for(who).pk, now())
    assert advance(born, begun)
    assert stub.asked == []
    recipients.recipients["stub"] = Recipient(lambda row: True, frozenset({"portrait"}))
    born("web")
    second = gallery.delete(who, painted_for(who).pk, now())
    assert advance(born, second)
    assert statement(second)["recipients_told"] == ["stub"]


def test_the_machine_comes_back_for_them_by_itself(born: Any) -> None:
    answers = iter([False, True])
    recipients.recipients["stub"] = Recipient(lambda row: next(answers))
    begun = erasure.request(owner(), now())
    assert not advance(born, begun)
    pass_time(begun)
    assert not Lease.objects.filter(work_id=begun.pk, held_until__isnull=False).exists()
    Lease.objects.filter(work_id=begun.pk).update(ready_at=now())
    Lease.objects.filter(kind=erasure.LEASE).exclude(work_id=begun.pk).delete()
    stages.work(now)
    assert statement(begun)["recipients_pending"] == []


def test_a_worker_that_died_behind_the_last_answer_signs_anew_later(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])
    recipients.recipients["stub"] = Recipient(lambda row: next(answers))
    begun = erasure.request(owner(), now())
    assert not advance(born, begun)
    pass_time(begun)

    def died(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(receipts, "sign", died)
        with pytest.raises(KeyboardInterrupt):
            advance(born, begun)
    assert statement(begun)["recipients_pending"] == ["stub"]
    assert advance(born, begun)
    assert statement(begun)["revision"] == 2


def test_it_is_printed_by_id() -> None:
    begun = erasure.request(owner(), now())
    row = ErasureRecipient(erasure=begun, name="stub", next_at=now())
    assert str(row) == f"stub of {begun.pk}"
