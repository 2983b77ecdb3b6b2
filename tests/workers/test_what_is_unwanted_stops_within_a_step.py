"""Whoever cancels, withdraws, leaves or runs out of time is painted no further, and nobody else."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portraits import endings, jobs, painting
from portraits.models import Item, Job, Portrait
from privacy import consent, erasure, leases, storage
from privacy.models import Blob, Lease
from privacy.retention import Kind
from tests.figures import figure
from tests.portraits.making import now, style
from tests.workers.painting import Model, Shop, ordered, photographed, portraits, state, words_only
from workers import commission, revocations, sizes

STEP = 0.06
_STOPPED: dict[str, int] = {}


def cancel(job: Job) -> None:
    jobs.cancel(job.owner_id, job.pk, now())


def withdraw(job: Job) -> None:
    purpose = consent.Purpose.GENERATION
    consent.withdraw(job.owner_id, purpose, "tests/1", now(), erase_portraits=False)


def erase(job: Job) -> None:
    erasure.request(job.owner_id, now())


def run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(end_by=now() - timedelta(seconds=1))
    endings.expire(now())


def take_away(job: Job) -> None:
    """Another worker has it: this one was taken for dead."""
    work_id = Item.objects.get(job=job).pk
    Lease.objects.filter(work_id=work_id).update(held_until=now() - timedelta(seconds=1))
    assert leases.claim(endings.LEASE, queues=[Lease.objects.get(work_id=work_id).queue])


ENDS = [cancel, withdraw, erase, run_out, take_away]


def nothing_is_stored(owner_id: uuid.UUID, prefix: str) -> None:
    kinds = (Kind.PORTRAIT, Kind.RENDITION)
    assert not Portrait.objects.filter(owner_id=owner_id).exists()
    living = Blob.objects.filter(owner_id=owner_id, kind__in=kinds)
    assert not living.exclude(state=Blob.State.SHREDDED).exists()
    for kind in kinds:
        assert storage.names(f"{kind.name.lower()}/{prefix}/") == []


def prefix_of(job: Job) -> str:
    from privacy.models import OwnerKey

    return OwnerKey.objects.get(pk=job.owner_id).prefix


def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker has no connection over which it could hear anything."""
    monkeypatch.setattr(revocations.Revocations, "listen", lambda ear: None)


@pytest.mark.parametrize("hears", [True, False])
@pytest.mark.parametrize("end", ENDS)
def test_a_render_stops_at_the_step_in_which_it_became_unwanted(
    born: Any,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Job], None],
    hears: bool,
) -> None:
    if not hears:
        deaf(monkeypatch)
    painted = style()
    job = photographed(painted)
    prefix = prefix_of(job)

    def strike(step: int) -> None:
        if step == 4:
            born("web")
            end(job)
            born("gpu")
            # The rest of the step.
            time.sleep(STEP)

    engine = shop.put(painted.engine, Model(strike, pause=STEP))
    born("gpu")
    shop.drain()
    assert engine.done == 3
    assert shop.atelier.vigil.hears is hears
    nothing_is_stored(job.owner_id, prefix)
    _STOPPED[end.__name__] = 1
    figure(
        "R-11",
        value=0,
        n=len(_STOPPED),
        holds=None,
        conditions=f"{', '.join(_STOPPED)}: each in the middle of a step, which was the last",
    )


def test_who_comes_next_is_painted_to_the_end(born: Any, shop: Shop) -> None:
    painted = words_only()
    first, second = ordered(painted), ordered(painted)

    def strike(step: int) -> None:
        if step == 2 and not portraits(first) and state(first)[0] == "running":
            born("web")
            cancel(first)
            born("gpu")

    shop.put(painted.engine, Model(strike, pause=STEP))
    born("gpu")
    assert shop.drain() == 2
    assert state(first)[0] == "cancelled"
    assert (state(second)[0], portraits(second)) == ("done", 1)


@pytest.mark.parametrize("end", ENDS)
def test_what_becomes_unwanted_while_its_photos_are_fetched_is_stopped(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch, end: Callable[[Job], None]
) -> None:
    painted = style()
    job = photographed(painted)
    fetch = commission.fetch

    def interrupted(work: Any) -> Any:
        order = fetch(work)
        born("web")
        end(job)
        born("gpu")
        return order

    monkeypatch.setattr(commission, "fetch", interrupted)
    engine = shop.put(painted.engine, Model())
    born("gpu")
    shop.drain()
    assert engine.done == 0
    assert not Portrait.objects.filter(owner_id=job.owner_id).exists()


@pytest.mark.parametrize("end", ENDS)
def test_what_becomes_unwanted_while_it_is_stored_leaves_nothing(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch, end: Callable[[Job], None]
) -> None:
    painted = style()
    job = photographed(painted)
    prefix = prefix_of(job)
    renditions = sizes.renditions

    def interrupted(*arguments: Any, **options: Any) -> Any:
        made = renditions(*arguments, **options)
        born("web")
        end(job)
        born("gpu")
        return made

    monkeypatch.setattr(sizes, "renditions", interrupted)
    shop.put(painted.engine, Model())
    born("gpu")
    shop.drain()
    nothing_is_stored(job.owner_id, prefix)


def test_who_hears_is_not_asked_at_each_step(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    wanted = painting.wanted

    def counted(held: Any) -> bool:
        asked.append(time.monotonic())
        return wanted(held)

    monkeypatch.setattr(painting, "wanted", counted)
    painted = words_only()
    ordered(painted, 3)
    engine = shop.put(painted.engine, Model(pause=STEP))
    born("gpu")
    assert shop.drain() == 3
    # While the first is painted, hearing begins; each of the others is asked for before its turn.
    assert len([at for at in asked if at > engine.spans[0][1]]) == 2


def test_a_database_that_does_not_answer_stops_no_render(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    deaf(monkeypatch)
    painted = words_only()
    job = ordered(painted)

    def away(held: Any) -> bool:
        raise OperationalError

    monkeypatch.setattr(painting, "wanted", away)
    shop.put(painted.engine, Model(pause=STEP))
    born("gpu")
    shop.drain()
    assert state(job)[0] == "done"
