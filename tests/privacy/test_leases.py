"""Leases: one holder at a time, and who was taken for dead commits nothing."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from privacy import heartbeats, leases
from privacy.models import Lease


@pytest.fixture
def kind() -> Iterator[str]:
    """A kind of work of this test's own."""
    name = uuid.uuid4().hex[:12]
    yield name
    Lease.objects.filter(kind=name).delete()


def opened(kind: str) -> uuid.UUID:
    work = uuid.uuid4()
    leases.open_work(kind, work, uuid.uuid4())
    return work


def taken(kind: str) -> leases.Claim:
    held = leases.claim(kind)
    assert held is not None
    return held


def lapse(kind: str) -> None:
    Lease.objects.filter(kind=kind).update(held_until=Now() - timedelta(seconds=1))


def held(claim: leases.Claim) -> bool:
    with transaction.atomic():
        return leases.still_held(claim)


def test_two_claimants_never_get_the_same_work(kind: str) -> None:
    wanted = {opened(kind) for _ in range(24)}

    def take_all(_: int) -> list[uuid.UUID]:
        got = []
        try:
            while (claim := leases.claim(kind)) is not None:
                got.append(claim.work_id)
        finally:
            connection.close()
        return got

    with ThreadPoolExecutor(6) as pool:
        got = [work for part in pool.map(take_all, range(6)) for work in part]
    assert len(got) == len(wanted)
    assert set(got) == wanted


def test_work_that_is_held_is_not_given_to_anybody_else(kind: str) -> None:
    opened(kind)
    taken(kind)
    assert leases.claim(kind) is None


def test_the_one_that_waits_longest_comes_first(kind: str) -> None:
    first, second = opened(kind), opened(kind)
    Lease.objects.filter(work_id=second).update(ready_at=Now() - timedelta(minutes=1))
    assert [taken(kind).work_id, taken(kind).work_id] == [second, first]


def test_the_token_and_the_attempts_move_on(kind: str) -> None:
    opened(kind)
    first = taken(kind)
    lapse(kind)
    second = taken(kind)
    assert (second.token, second.attempts) == (first.token + 1, first.attempts + 1)


def test_a_stale_token_can_do_nothing(kind: str) -> None:
    opened(kind)
    stale = taken(kind)
    lapse(kind)
    fresh = taken(kind)
    assert not leases.renew(stale)
    assert not held(stale)
    assert not leases.close(stale)
    leases.give_back(stale)
    assert held(fresh)
    assert leases.renew(fresh)
    assert leases.close(fresh)


def test_a_lease_that_ran_out_commits_nothing_even_if_nobody_took_it(kind: str) -> None:
    opened(kind)
    claim = taken(kind)
    lapse(kind)
    assert not held(claim)


def test_renewing_in_time_keeps_it(kind: str) -> None:
    opened(kind)
    claim = taken(kind)
    Lease.objects.filter(kind=kind).update(held_until=Now() + timedelta(seconds=1))
    assert leases.renew(claim)
    time.sleep(1.1)
    assert held(claim)


def test_closed_work_is_gone(kind: str) -> None:
    opened(kind)
    assert leases.close(taken(kind))
    assert not Lease.objects.filter(kind=kind).exists()


def test_revoked_work_is_taken_from_its_holder(kind: str) -> None:
    work = opened(kind)
    claim = taken(kind)
    assert leases.revoke(kind, [work]) == 1
    assert not leases.renew(claim)
    assert not held(claim)
    assert leases.claim(kind) is None


def test_work_given_back_waits_its_time(kind: str) -> None:
    opened(kind)
    leases.give_back(taken(kind), after=timedelta(seconds=1))
    assert leases.claim(kind) is None
    time.sleep(1.1)
    assert leases.claim(kind) is not None


def test_work_is_announced_once(kind: str) -> None:
    work = opened(kind)
    with pytest.raises(IntegrityError):
        leases.open_work(kind, work, uuid.uuid4())


def test_work_that_waits_unnoticed_is_nudged_once(kind: str) -> None:
    work = opened(kind)
    assert (kind, work) not in leases.stalled()
    Lease.objects.filter(kind=kind).update(nudged_at=Now() - leases.NUDGE_AGAIN_AFTER)
    assert (kind, work) in leases.stalled()
    assert (kind, work) not in leases.stalled()


def test_work_that_somebody_holds_is_not_nudged(kind: str) -> None:
    work = opened(kind)
    taken(kind)
    Lease.objects.filter(kind=kind).update(nudged_at=Now() - timedelta(minutes=1))
    assert (kind, work) not in leases.stalled()
    lapse(kind)
    assert (kind, work) in leases.stalled()


def test_a_heartbeat_tells_that_the_lease_was_lost(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.1))
    work = opened(kind)
    with heartbeats.during(taken(kind)) as lost:
        time.sleep(0.4)
        assert not lost.is_set()
        leases.revoke(kind, [work])
        assert lost.wait(5)


def test_a_heartbeat_ends_with_its_block(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.1))
    opened(kind)
    with heartbeats.during(taken(kind)):
        pass
    lapse(kind)
    time.sleep(0.4)
    assert leases.claim(kind) is not None


@pytest.mark.slow
def test_a_heartbeat_keeps_long_work_alive(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a third of the usual times."""
    for name in ("HELD_FOR", "RENEW_EVERY"):
        monkeypatch.setattr(leases, name, getattr(leases, name) / 3)
    opened(kind)
    claim = taken(kind)
    with heartbeats.during(claim) as lost:
        time.sleep(leases.HELD_FOR.total_seconds() + 2)
        assert leases.claim(kind) is None
        assert not lost.is_set()
        assert held(claim)
