"""What a sweep costs follows what is due and not what exists; ten million rows are the bench's."""

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from deploy.stack.supervisor import Stack
from privacy import sweeps
from privacy.models import Blob
from tests.bench import retention
from tests.privacy.alone import alone

ROWS, DUE, SWEPT = 100_000, 20_000, 4000
# Other tests share the cores; the bench measures the promise itself on a quiet machine.
SLACK = 10


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with alone("sitter_speed"):
        yield


def test_the_scan_uses_its_index_and_a_larger_table_costs_a_sweep_no_more(stack: Stack) -> None:
    now, rates = datetime.now(UTC), {}
    for rows in (DUE * 2, ROWS):
        retention.load(stack.admin_database_url, rows, DUE, now)
        taken, index = retention.scan(now)
        assert index == "blob_due"
        assert statistics.median(taken) <= SLACK * retention.GOAL_MS
        retention.sweep(now, sweeps.BATCH, SWEPT)
        rates[rows] = retention.sweep(now, sweeps.BATCH, SWEPT)
    assert rates[ROWS] > rates[DUE * 2] / 3
    # A row at a time, as Django deletes.
    assert rates[ROWS] > retention.GOAL_ORM / SLACK * retention.one_by_one(now)


def test_taking_rows_out_leaves_none_that_was_shredded_and_all_others(stack: Stack) -> None:
    now = datetime.now(UTC)
    retention.load(stack.admin_database_url, 5000, 2000, now)
    while sweeps.expire_batch(now)[0]:
        pass
    assert retention.drop() > 0
    assert Blob.objects.filter(state=Blob.State.SHREDDED).count() == 0
    assert Blob.objects.count() == 3000


def test_names_are_found_by_an_index_which_a_shredded_row_has_left(stack: Stack) -> None:
    now = datetime.now(UTC)
    retention.load(stack.admin_database_url, 20_000, 10_000, now)
    sweeps.expire_batch(now, 1000)
    dead = Blob.objects.filter(state=Blob.State.SHREDDED)[:1].get()
    registered, living = Blob.objects.filter(expires_at__gt=now)[:2]
    Blob.objects.filter(pk=registered.pk).update(state=Blob.State.REGISTERED)
    names = {dead.name, registered.name, living.name}
    asked = Blob.named([*names, "portrait/of/nobody"])
    assert sorted(asked.values_list("name", flat=True)) == sorted(names)
    plan = asked.explain()
    assert "blob_name" in plan
    assert "blob_shredded" in plan
    walked = Blob.objects.filter(name__gt="portrait/f", name__lte="portrait/f1")
    assert "blob_name" in walked.filter(state=Blob.State.STORED).explain()
    with pytest.raises(IntegrityError):
        Blob.objects.filter(pk=living.pk).update(name=registered.name)
