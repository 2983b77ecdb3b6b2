"""The database's queue takes turns as scheduling.py says, whoever asks and whatever happens."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from django.db import connection

from portraits import jobs, painting, scheduling
from portraits.models import Item, Job, Style
from portraits.scheduling import Affinity
from privacy import leases
from privacy.models import Lease
from tests.portraits.making import claimed, consenting, lapse, now, ready, style, submitted

PACK = 8


def owners(painted: Style, count: int) -> list[uuid.UUID]:
    """Whose portraits are claimed, one after the other, by a worker that holds one at a time."""
    taken = []
    for _ in range(count):
        work = claimed(painted)
        taken.append(work.held.owner_id)
        assert painting.fail(work.held, "tried", now())
    return taken


def turns(job: Job) -> list[float]:
    """In the order of the items."""
    rows = dict(Lease.objects.values_list("work_id", "turn"))
    return [rows[item.pk] for item in job.items.order_by("position")]


def test_one_portrait_goes_before_the_next_of_somebody_with_many() -> None:
    painted, many, one = style(), consenting(), consenting()
    submitted(many, painted, 4)
    first = claimed(painted)
    submitted(one, painted)
    assert [claimed(painted).held.owner_id for _ in range(2)] == [one, many]
    assert first.held.owner_id == many


def test_two_with_many_take_turns() -> None:
    painted, first, second = style(), consenting(), consenting()
    submitted(first, painted, 3)
    submitted(second, painted, 3)
    assert owners(painted, 6) == [first, second] * 3


def test_a_persons_one_portrait_does_not_wait_behind_their_own_pack() -> None:
    painted, who = style(), consenting()
    pack = submitted(who, painted, PACK)
    assert pack.lane == Job.Lane.PACK
    claimed(painted)
    single = submitted(who, painted)
    assert claimed(painted).held.work_id == single.items.get().pk


def test_beside_single_portraits_a_pack_gets_its_smaller_share() -> None:
    painted, packer, other = style(), consenting(), consenting()
    submitted(packer, painted, PACK)
    for _ in range(4):
        submitted(other, painted, 2)
    assert owners(painted, 10).count(packer) == 2


def test_the_items_of_a_job_are_painted_in_their_order() -> None:
    painted = style()
    job = submitted(consenting(), painted, 5)
    order = [claimed(painted).held.work_id for _ in range(5)]
    assert order == list(job.items.order_by("position").values_list("pk", flat=True))


def test_what_is_given_back_keeps_its_turn() -> None:
    painted, first, second = style(), consenting(), consenting()
    job = submitted(first, painted, 3)
    submitted(second, painted, 3)
    before = turns(job)
    work = claimed(painted)
    assert painting.again(work.held, "engine_failed", now())
    ready(work)
    assert turns(job) == before
    assert claimed(painted).held.work_id == work.held.work_id


def test_what_a_dead_worker_held_comes_first() -> None:
    painted = style()
    submitted(consenting(), painted, 2)
    work = claimed(painted)
    lapse(work.held)
    assert claimed(painted).held.work_id == work.held.work_id


def test_what_is_cancelled_no_longer_stands_before_the_rest() -> None:
    painted, who = style(), consenting()
    submitted(consenting(), painted)
    serving = Lease.objects.get(work_id=claimed(painted).held.work_id)
    pack = submitted(who, painted, PACK)
    wanted = submitted(who, painted, PACK)
    late = turns(wanted)
    jobs.cancel(who, pack.pk, now())
    # As if it had just come: behind what is being served, at the distances of before.
    stretch = serving.cost * scheduling.WEIGHTS[Job.Lane.PACK]
    soon = [serving.turn + stretch * (number + 0.5) for number in range(PACK)]
    assert turns(wanted) == pytest.approx(soon)
    assert late == pytest.approx([turn + PACK * stretch for turn in soon])


def test_cancelling_one_thing_moves_nobody_back() -> None:
    painted, who = style(), consenting()
    kept = submitted(who, painted, 2)
    other = submitted(who, painted, 2)
    before = turns(kept)
    jobs.cancel(who, other.pk, now())
    assert turns(kept) == before


def test_sending_many_at_once_gets_nobody_ahead() -> None:
    painted, who = style(), consenting()
    painted.recipe = {**painted.recipe, "references": 0}
    painted.save()
    together = Barrier(8)

    def post(_: int) -> None:
        try:
            together.wait(30)
            jobs.submit(who, None, [jobs.Order(painted.slug)], uuid.uuid4().hex, now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(8)))
    rows = sorted(Lease.objects.filter(owner_id=who).values_list("turn", "cost"))
    cost = rows[0][1]
    assert [turn for turn, _ in rows] == pytest.approx([cost / 2 + cost * n for n in range(8)])


def test_six_workers_take_everything_once_and_in_fair_order() -> None:
    painted = style()
    people = [consenting() for _ in range(3)]
    for who in people:
        submitted(who, painted, 4)
        submitted(who, painted, 4)

    def work(_: int) -> list[tuple[uuid.UUID, float]]:
        taken = []
        try:
            while got := painting.claim((painted.engine,), now()):
                taken.append((got.held.work_id, Lease.objects.get(work_id=got.held.work_id).turn))
        finally:
            connection.close()
        return taken

    with ThreadPoolExecutor(6) as pool:
        parts = list(pool.map(work, range(6)))
    assert sorted(pk for part in parts for pk, _ in part) == sorted(
        Item.objects.filter(style=painted).values_list("pk", flat=True)
    )
    for part in parts:
        assert [turn for _, turn in part] == sorted(turn for _, turn in part)


def test_a_style_that_was_retired_meanwhile_is_still_painted() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    Style.objects.filter(pk=painted.pk).update(retired_at=now())
    work = claimed(painted)
    assert work.held.work_id == job.items.get().pk
    assert work.engine == painted.engine


def test_a_lease_whose_item_has_ended_is_dropped() -> None:
    painted = style()
    first = submitted(consenting(), painted)
    second = submitted(consenting(), painted)
    Item.objects.filter(job=first).update(state=Item.State.FAILED)
    assert claimed(painted).held.work_id == second.items.get().pk
    assert not Lease.objects.filter(work_id=first.items.get().pk).exists()


def test_a_worker_of_two_engines_stays_with_the_one_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(painting, "affinity", Affinity())
    present, absent = style(), style()
    submitted(consenting(), absent)
    submitted(consenting(), present, 2)
    both = (absent.engine, present.engine)
    got = [painting.claim(both, now(), loaded={present.engine}) for _ in range(4)]
    assert [work and work.engine for work in got] == [
        present.engine,
        present.engine,
        absent.engine,
        None,
    ]


def test_a_worker_of_two_engines_in_memory_serves_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "affinity", Affinity())
    first, second = style(), style()
    submitted(consenting(), first, 3)
    submitted(consenting(), second, 3)
    both = (first.engine, second.engine)
    got = [painting.claim(both, now()) for _ in range(4)]
    assert {work.engine for work in got[:2] if work} == set(both)
    assert {work.engine for work in got[2:] if work} == set(both)


def test_when_another_worker_was_faster_the_next_engine_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(painting, "affinity", Affinity())
    gone, left = style(), style()
    submitted(consenting(), left)
    asked = leases.heads
    # As if its only item were claimed between the look and the claim.
    monkeypatch.setattr(
        leases,
        "heads",
        lambda kind, queues: (
            {name: 1.0 for name in queues if name == gone.engine} | asked(kind, queues)
        ),
    )
    work = painting.claim((gone.engine, left.engine), now(), loaded={gone.engine})
    assert work is not None
    assert work.engine == left.engine


def test_a_claim_reads_a_few_rows_of_a_long_queue() -> None:
    engine = style().engine
    Lease.objects.bulk_create(
        Lease(
            kind="item",
            work_id=uuid.uuid4(),
            owner_id=uuid.uuid4(),
            queue=engine,
            lane="pack",
            turn=number,
            cost=1,
        )
        for number in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE privacy_lease")
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM privacy_lease WHERE (held_until IS NULL"
            " OR held_until < statement_timestamp()) AND kind = 'item' AND queue IN (%s)"
            " AND ready_at <= statement_timestamp() ORDER BY turn, ready_at, id LIMIT 1"
            " FOR UPDATE SKIP LOCKED",
            [engine],
        )
        plan = str(cursor.fetchone())
    assert "lease_turn" in plan
    Lease.objects.filter(queue=engine).delete()


def test_the_weights_name_every_lane() -> None:
    assert set(scheduling.WEIGHTS) == set(Job.Lane.values)


def test_a_claim_says_what_it_costs() -> None:
    painted = style()
    submitted(consenting(), painted)
    work = claimed(painted)
    assert work.held.cost > 0
    assert replace(work.held, cost=0) != work.held
