"""How much may wait: beyond it an order is refused, says when to ask again, and loses nothing."""

import time
import uuid
from typing import Any

import pytest

from portraits import caps, jobs, queue
from portraits.endings import LEASE
from portraits.errors import QueueFull, TooManyOpen
from portraits.models import Item, Job, Painter
from privacy.models import Lease
from tests.portraits.making import now, person
from tests.portraits.ordering import finished, order, together, used, words_only


def refused(who: uuid.UUID, error: type[TooManyOpen | QueueFull], count: int) -> None:
    """It says no, when to come back, and nothing has changed."""
    before = Job.objects.count(), Item.objects.count(), Lease.objects.count(), used(who)
    with pytest.raises(error) as said:
        order(who, words_only(), count)
    assert said.value.retry_after
    assert 1 <= said.value.retry_after <= 600
    after = Job.objects.count(), Item.objects.count(), Lease.objects.count(), used(who)
    assert before == after


def test_one_person_has_so_much_open_and_no_more(settings_of: Any) -> None:
    settings_of(OPEN_ITEMS=3)
    who, painted = person(), words_only()
    job = order(who, painted, 2, key="k")
    refused(who, TooManyOpen, 2)
    assert order(who, painted, 2, key="k").pk == job.pk
    assert order(person(), painted, 3)
    finished(who, painted)
    assert order(who, words_only(), 2)


def test_it_says_when_the_first_of_them_will_have_ended(settings_of: Any) -> None:
    settings_of(OPEN_ITEMS=2)
    who, painted = person(), words_only()
    order(who, painted, 2)
    cost = sum(Lease.objects.filter(owner_id=who).values_list("cost", flat=True))
    Painter.objects.create(engine=painted.engine, holder="h", seen_at=now(), rate=cost / 100)
    with pytest.raises(TooManyOpen) as refused:
        order(who, painted)
    assert refused.value.retry_after in (100, 101)
    Painter.objects.filter(engine=painted.engine).update(rate=cost / 1e6)
    time.sleep(queue.FRESH_FOR)
    with pytest.raises(TooManyOpen) as refused:
        order(who, painted)
    assert refused.value.retry_after == caps.LONGEST


def test_many_at_once_do_not_pass_it_together(settings_of: Any) -> None:
    settings_of(OPEN_ITEMS=5)
    who, painted = person(), words_only()
    order(who, painted)

    def post(_: int) -> bool:
        try:
            order(who, painted)
        except TooManyOpen:
            return False
        return True

    assert sum(together(20, post)) == 4
    assert Lease.objects.filter(owner_id=who).count() == 5


def test_the_queue_holds_so_much_and_no_more(settings_of: Any) -> None:
    who, painted = person(), words_only()
    job = order(who, painted, 2, key="k")
    settings_of(QUEUE_LIMIT=Lease.objects.filter(kind=LEASE).count() + 1)
    refused(person(), QueueFull, 2)
    assert order(who, painted, 2, key="k").pk == job.pk
    assert order(person(), painted)
    refused(person(), QueueFull, 1)
    jobs.cancel(who, job.pk, now())
    assert order(person(), words_only())


def test_a_key_that_was_refused_is_still_unused(settings_of: Any) -> None:
    settings_of(OPEN_ITEMS=1)
    who, painted = person(), words_only()
    with pytest.raises(TooManyOpen):
        order(who, painted, 2, key="k")
    settings_of(OPEN_ITEMS=2)
    assert order(who, painted, 1, key="k").items.count() == 1


def test_other_work_does_not_fill_the_queue(settings_of: Any) -> None:
    waiting = Lease.objects.filter(kind=LEASE).count()
    Lease.objects.create(kind="webhook", work_id=uuid.uuid4(), owner_id=uuid.uuid4())
    settings_of(QUEUE_LIMIT=waiting + 1)
    assert order(person(), words_only())
