"""Orders of packs and of words alone, many at the same moment, and what they count."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from portraits import jobs, painting
from portraits.models import Allowance, Item, Job, Portrait, Style
from tests.portraits.making import claimed, now, sizes

R = TypeVar("R")


def words_only(engine: str | None = None) -> Style:
    """A style whose recipe takes no reference."""
    name = f"w{uuid.uuid4().hex[:12]}"
    recipe = {"style": name, "references": 0, "prompt": "a lighthouse"}
    return Style.objects.create(
        slug=name, name=name, description="", engine=engine or name, recipe=recipe
    )


def order(who: uuid.UUID, painted: Style, count: int = 1, key: str | None = None) -> Job:
    """A job without photos."""
    orders = [jobs.Order(painted.slug)] * count
    return jobs.submit(who, None, orders, key or uuid.uuid4().hex, now())[0]


def pack(who: uuid.UUID, variations: int, *styles: Style, set_id: uuid.UUID | None = None) -> Job:
    """A pack of these styles; without a set they must be of words only."""
    wanted = jobs.Pack(tuple(row.slug for row in styles), variations)
    return jobs.submit(who, set_id, wanted, uuid.uuid4().hex, now())[0]


def finished(who: uuid.UUID, painted: Style) -> Portrait:
    """The next waiting item of a style, painted."""
    work = claimed(painted)
    assert painting.finish(work.held, sizes(who), now())
    return Portrait.objects.get(item=work.held.work_id)


def failed(painted: Style) -> Item:
    """The next waiting item of a style, failed for good."""
    work = claimed(painted)
    assert painting.fail(work.held, "engine_refused", now())
    return Item.objects.get(pk=work.held.work_id)


def used(who: uuid.UUID) -> tuple[int, int]:
    """What stands in the rows of all days, and of all months."""
    rows = list(Allowance.objects.filter(owner_id=who).values_list("period", "used"))
    day, month = Allowance.Period.DAY, Allowance.Period.MONTH
    return (
        sum(used for period, used in rows if period == day),
        sum(used for period, used in rows if period == month),
    )


def charged(who: uuid.UUID) -> int:
    """How many items carry the mark."""
    return Item.objects.filter(job__owner_id=who, charged=True).count()


def together(count: int, call: Callable[[int], R]) -> list[R]:
    """Call it so many times at the same moment, each in a thread and a connection of its own."""
    start = Barrier(count)

    def one(number: int) -> R:
        try:
            start.wait(60)
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
