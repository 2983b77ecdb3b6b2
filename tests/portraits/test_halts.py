"""An engine that is stopped begins nothing, or takes no orders; nothing that waits is lost."""

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from portraits import endings, halts, jobs, painting, queue
from portraits.errors import EngineDraining
from portraits.models import Halt, Job, Style
from tests.portraits import making, ordering
from tests.portraits.making import claimed, consenting, now, style, submitted


@pytest.fixture(autouse=True)
def _runs_again() -> Iterator[None]:
    yield
    Halt.objects.all().delete()
    halts._forget()


def stopped(kind: Halt.Kind) -> Style:
    painted = style()
    halts.stop(painted.engine, kind, now())
    return painted


def test_a_paused_engine_takes_orders_and_begins_nothing() -> None:
    painted = stopped(Halt.Kind.PAUSED)
    job = submitted(consenting(), painted)
    assert painting.claim((painted.engine,), now()) is None
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert halts.resume(painted.engine)
    assert claimed(painted).job_id == job.pk


def test_what_was_begun_is_finished() -> None:
    painted = style()
    who = consenting()
    submitted(who, painted)
    work = claimed(painted)
    halts.stop(painted.engine, Halt.Kind.PAUSED, now())
    assert painting.finish(work.held, making.sizes(who), now())


def test_the_others_are_painted_meanwhile() -> None:
    waits, goes_on = stopped(Halt.Kind.PAUSED), style()
    submitted(consenting(), waits)
    job = submitted(consenting(), goes_on)
    work = painting.claim((waits.engine, goes_on.engine), now())
    assert work is not None
    assert work.job_id == job.pk
    assert painting.claim((waits.engine, goes_on.engine), now()) is None


def test_a_draining_engine_paints_what_waits_and_takes_no_orders() -> None:
    painted, who = style(), consenting()
    job = submitted(who, painted)
    halts.stop(painted.engine, Halt.Kind.DRAINING, now())
    with pytest.raises(EngineDraining):
        submitted(who, painted)
    assert ordering.used(who) == (1, 1)
    assert claimed(painted).job_id == job.pk


def test_the_same_order_sent_again_is_still_the_same_job() -> None:
    painted, who, key = ordering.words_only(), making.person(), uuid.uuid4().hex
    job = ordering.order(who, painted, key=key)
    halts.stop(painted.engine, Halt.Kind.DRAINING, now())
    assert ordering.order(who, painted, key=key).pk == job.pk


def test_who_waits_is_told_why() -> None:
    painted = stopped(Halt.Kind.PAUSED)
    found = queue.standing(submitted(consenting(), painted).pk, now())
    assert found is not None
    assert found.eta_seconds is None
    assert found.notice is not None
    assert painted.engine in found.notice
    assert "paused" in found.notice


def test_what_waits_too_long_ends_by_its_deadline_uncharged() -> None:
    painted, who = stopped(Halt.Kind.PAUSED), consenting()
    job = submitted(who, painted)
    Job.objects.filter(pk=job.pk).update(start_by=now() - timedelta(seconds=1))
    endings.expire(now())
    job.refresh_from_db()
    assert job.state == Job.State.EXPIRED
    assert ordering.used(who) == (0, 0)


def test_another_process_hears_of_it_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = style()
    assert halts.running((painted.engine,)) == [painted.engine]
    # As another process would: behind the back of what this one remembers.
    Halt.objects.create(engine=painted.engine, kind=Halt.Kind.PAUSED, since=now())
    time.sleep(halts.FRESH_FOR)
    assert halts.running((painted.engine,)) == []
    assert halts.paused((painted.engine,)) == [painted.engine]


def test_stopping_twice_is_stopping_once_and_the_way_can_be_changed() -> None:
    painted = stopped(Halt.Kind.PAUSED)
    since = Halt.objects.get(pk=painted.engine).since
    halts.stop(painted.engine, Halt.Kind.PAUSED, now())
    assert Halt.objects.get(pk=painted.engine).since == since
    halts.stop(painted.engine, Halt.Kind.DRAINING, now())
    assert Halt.objects.get(pk=painted.engine).kind == Halt.Kind.DRAINING
    assert halts.resume(painted.engine)
    assert not halts.resume(painted.engine)


def test_an_order_of_many_styles_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, drains = ordering.words_only(), ordering.words_only()
    halts.stop(drains.engine, Halt.Kind.DRAINING, now())
    who = making.person()
    with pytest.raises(EngineDraining):
        ordering.pack(who, 2, runs, drains)
    assert not Job.objects.filter(owner_id=who).exists()
    wanted = jobs.Pack((runs.slug,), 2)
    assert jobs.submit(who, None, wanted, uuid.uuid4().hex, now())[1]
