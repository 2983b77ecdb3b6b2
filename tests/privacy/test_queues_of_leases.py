"""Work that stands in queues: the smallest turn first, each queue for itself."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from privacy import leases
from privacy.leases import Place
from privacy.models import Lease


@pytest.fixture
def kind() -> Iterator[str]:
    """A kind of work of this test's own."""
    name = uuid.uuid4().hex[:12]
    yield name
    Lease.objects.filter(kind=name).delete()


def opened(kind: str, queue: str, turn: float, cost: float = 1.0) -> uuid.UUID:
    work = uuid.uuid4()
    leases.open_all(kind, uuid.uuid4(), {work: Place(queue, "interactive", turn, cost)})
    return work


def test_the_smallest_turn_comes_first_however_long_others_wait(kind: str) -> None:
    late, soon = opened(kind, "a", 2.0), opened(kind, "a", 1.0)
    Lease.objects.filter(work_id=late).update(ready_at=Now() - timedelta(hours=1))
    taken = [leases.claim(kind, queues=["a"]) for _ in range(3)]
    assert [claim and claim.work_id for claim in taken] == [soon, late, None]


def test_of_equal_turns_the_one_that_waits_longer_comes_first(kind: str) -> None:
    first, second = opened(kind, "a", 1.0), opened(kind, "a", 1.0)
    Lease.objects.filter(work_id=second).update(ready_at=Now() - timedelta(hours=1))
    taken = [leases.claim(kind, queues=["a"]) for _ in range(2)]
    assert [claim and claim.work_id for claim in taken] == [second, first]


def test_a_queue_that_was_not_asked_for_is_left_alone(kind: str) -> None:
    opened(kind, "a", 1.0)
    wanted = opened(kind, "b", 9.0)
    claim = leases.claim(kind, queues=["b", "c"])
    assert claim is not None
    assert claim.work_id == wanted
    assert leases.claim(kind, queues=["b", "c"]) is None


def test_a_claim_says_what_the_work_costs(kind: str) -> None:
    opened(kind, "a", 1.0, cost=7.5)
    claim = leases.claim(kind, queues=["a"])
    assert claim is not None
    assert claim.cost == 7.5


def test_the_heads_are_what_could_be_claimed_now(kind: str) -> None:
    opened(kind, "a", 2.0, cost=20)
    opened(kind, "a", 1.0, cost=10)
    opened(kind, "b", 1.0, cost=30)
    paused = opened(kind, "c", 1.0)
    Lease.objects.filter(work_id=paused).update(ready_at=Now() + timedelta(hours=1))
    assert leases.heads(kind, ["a", "b", "c", "d"]) == {"a": 10, "b": 30}
    leases.claim(kind, queues=["a"])
    leases.claim(kind, queues=["b"])
    assert leases.heads(kind, ["a", "b"]) == {"a": 20}
    Lease.objects.filter(kind=kind, queue="b").update(held_until=Now() - timedelta(seconds=1))
    assert leases.heads(kind, ["b"]) == {"b": 30}


def test_of_no_queues_there_are_no_heads(kind: str) -> None:
    opened(kind, "a", 1.0)
    assert leases.heads(kind, []) == {}
