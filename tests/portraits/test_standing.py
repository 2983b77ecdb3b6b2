"""Where a job stands: a position and an estimate that are true, or the reason why there is none."""

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection

from portraits import painting, queue, scheduling
from portraits.models import Job, Painter, Style
from portraits.painters import ALIVE_FOR
from privacy.models import Lease
from tests.portraits.making import claimed, consenting, now, style, submitted

# A test of true estimates on a busy machine: off by so much at most, both ways.
FACTOR = 2.0


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is remembered from a second ago, and no worker of another test is alive."""
    monkeypatch.setattr(queue, "FRESH_FOR", 0.0)
    Painter.objects.all().delete()
    yield
    Painter.objects.all().delete()


def served_by(painted: Style, rate: float | None, **options: object) -> None:
    """A worker that is ready."""
    options = {"holder": uuid.uuid4().hex, "seen_at": now()} | options
    Painter.objects.create(engine=painted.engine, rate=rate, **options)


def stands(job: Job) -> queue.Standing:
    found = queue.standing(job.pk, now())
    assert found is not None
    return found


def cost_of(job: Job) -> float:
    """Of one of its items; they cost the same."""
    return float(Lease.objects.filter(work_id__in=job.items.values("pk"))[0].cost)


def test_without_a_worker_it_says_so_at_once_and_gives_no_time() -> None:
    painted = style()
    found = stands(submitted(consenting(), painted))
    assert found.position == 0
    assert found.eta_seconds is None
    assert found.notice is not None
    assert painted.engine in found.notice


@pytest.mark.parametrize(
    "gone",
    [
        {"seen_at": now() - 2 * ALIVE_FOR},
        {"state": Painter.State.LOADING},
        {"state": Painter.State.DRAINING},
        {"state": Painter.State.UNFIT},
    ],
)
def test_a_worker_that_takes_no_work_is_none(gone: dict[str, object]) -> None:
    painted = style()
    served_by(painted, 1.0, **gone)
    assert stands(submitted(consenting(), painted)).notice is not None


def test_before_any_worker_has_painted_there_is_no_time_and_nothing_is_wrong() -> None:
    painted = style()
    served_by(painted, None)
    assert stands(submitted(consenting(), painted)) == queue.Standing(0, None, None)


def test_the_estimate_is_the_work_before_it_and_its_own() -> None:
    painted, first = style(), consenting()
    submitted(first, painted, 3)
    job = submitted(consenting(), painted)
    served_by(painted, cost_of(job) / 10)
    # It goes before the second of the first one's three.
    assert stands(job) == queue.Standing(1, 20.0, None)


def test_a_job_is_done_when_its_last_portrait_is() -> None:
    painted = style()
    job = submitted(consenting(), painted, 3)
    served_by(painted, cost_of(job) / 10)
    assert stands(job) == queue.Standing(0, 30.0, None)


def test_two_workers_are_twice_as_fast_but_for_the_portrait_itself() -> None:
    painted = style()
    submitted(consenting(), painted, 2)
    job = submitted(consenting(), painted, 2)
    served_by(painted, cost_of(job) / 10)
    # One that has not painted yet is taken to be like the other.
    served_by(painted, None)
    assert stands(job).eta_seconds == pytest.approx(3 * 10 / 2 + 10)


def test_a_worker_shares_its_time_among_the_engines_that_have_work() -> None:
    painted, other = style(), style()
    job = submitted(consenting(), painted)
    for each in (painted, other):
        served_by(each, cost_of(job) / 10, holder=f"both {painted.slug}")
    assert stands(job).eta_seconds == pytest.approx(10)
    submitted(consenting(), other)
    assert stands(job).eta_seconds == pytest.approx(20)


def test_an_engine_that_nobody_has_in_memory_is_waited_for() -> None:
    """As long as the quickest worker's swaps took; without a swap so far, ten seconds."""
    painted = style()
    job = submitted(consenting(), painted)
    served_by(painted, cost_of(job) / 10, loaded=False)
    assert stands(job).eta_seconds == pytest.approx(10 + scheduling.SWAP_SECONDS)
    served_by(painted, cost_of(job) / 10, loaded=False, swap_seconds=4.0)
    assert stands(job).eta_seconds == pytest.approx(10 + 4)
    served_by(painted, cost_of(job) / 10, swap_seconds=4.0)
    assert stands(job).eta_seconds == pytest.approx(10)


def test_what_is_being_painted_is_half_done() -> None:
    painted = style()
    first = submitted(consenting(), painted)
    claimed(painted)
    job = submitted(consenting(), painted)
    served_by(painted, cost_of(job) / 10)
    assert stands(job) == queue.Standing(0, 15.0, None)
    assert stands(first) == queue.Standing(0, 5.0, None)


def test_a_job_of_two_engines_is_done_with_the_slower() -> None:
    quick, slow = style(), style()
    who = consenting()
    job = submitted(who, quick)
    Lease.objects.filter(work_id=job.items.get().pk).update(queue=slow.engine)
    extra = submitted(who, quick)
    extra.items.update(job=job, position=1)
    served_by(quick, cost_of(job))
    served_by(slow, cost_of(job) / 60)
    assert stands(job).eta_seconds == pytest.approx(60)


def test_where_one_of_two_engines_is_missing_there_is_no_time() -> None:
    there, missing = style(), style()
    who = consenting()
    job = submitted(who, there, 2)
    Lease.objects.filter(work_id=job.items.order_by("position")[0].pk).update(queue=missing.engine)
    served_by(there, 1.0)
    found = stands(job)
    assert found.eta_seconds is None
    assert missing.engine in (found.notice or "")
    assert there.engine not in (found.notice or "")


def test_a_job_that_has_ended_stands_nowhere() -> None:
    painted = style()
    job = submitted(consenting(), painted)
    painting.fail(claimed(painted).held, "tried", now())
    assert queue.standing(job.pk, now()) is None


def test_who_asks_again_within_a_second_costs_one_small_query(
    monkeypatch: pytest.MonkeyPatch, django_queries: list[str]
) -> None:
    monkeypatch.setattr(queue, "FRESH_FOR", 60.0)
    painted = style()
    job = submitted(consenting(), painted)
    served_by(painted, 1.0)
    first = stands(job)
    django_queries.clear()
    assert stands(job) == first
    assert len(django_queries) == 1


@pytest.fixture
def django_queries() -> Iterator[list[str]]:
    """The statements of this thread."""
    seen: list[str] = []

    def note(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        seen.append(sql)
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(note):
        yield seen


def test_estimates_come_true() -> None:
    """Two workers, a pack, and people with one portrait: each waits about as long as was said."""
    painted, seconds = style(), 0.2
    pack = submitted(consenting(), painted, 16)
    singles = [submitted(consenting(), painted) for _ in range(4)]
    stop = threading.Event()
    ended: dict[uuid.UUID, float] = {}

    def work() -> None:
        try:
            while not stop.is_set() and (got := painting.claim((painted.engine,), now())):
                time.sleep(seconds)
                painting.fail(got.held, "tried", now())
                ended[got.held.work_id] = time.monotonic()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for _ in workers:
        served_by(painted, cost_of(pack) / seconds)
    said = {job.pk: stands(job).eta_seconds for job in [pack, *singles]}
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    stop.set()
    for job in [pack, *singles]:
        done = max(ended[pk] for pk in job.items.values_list("pk", flat=True)) - began
        promised = said[job.pk]
        assert promised is not None
        assert promised / FACTOR <= done <= promised * FACTOR + 1
