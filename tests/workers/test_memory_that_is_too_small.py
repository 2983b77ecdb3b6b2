"""Out of memory: once more at a smaller setting, then the item fails and says why."""

from typing import Any

import pytest
from PIL import Image

from portraits.models import Rendition
from privacy.models import Lease
from tests.portraits.making import style
from tests.workers.painting import (
    SIZES,
    Model,
    Shop,
    ordered,
    photographed,
    picture,
    state,
    words_only,
)
from workers import commission
from workers.engines import base


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


class Small(Model):
    """It has room for small pictures of few references."""

    room = 512 * 512
    most = 5
    error: type[Exception] = MemoryError

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        if order.width * order.height > self.room or len(order.references) > self.most:
            self.asked.append(order)
            raise self.error
        return super().render(order, on_step)


@pytest.mark.parametrize("error", [MemoryError, OutOfMemoryError, base.OutOfMemory])
def test_it_is_painted_at_the_next_smaller_size_and_says_its_true_size(
    born: Any, shop: Shop, error: type[Exception]
) -> None:
    painted = words_only(width=1024, height=1024)
    job = ordered(painted)
    engine = shop.put(painted.engine, Small())
    engine.error = error
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("done", "")
    full = Rendition.objects.get(portrait__item__job=job, name="full")
    assert (full.width, full.height) == (512, 512)
    assert [order.width for order in engine.asked] == [1024, 512]


def test_the_second_time_it_fails_for_good(born: Any, shop: Shop) -> None:
    painted = words_only(width=1024, height=1024)
    job = ordered(painted)
    engine = shop.put(painted.engine, Small())
    engine.room = 0
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("failed", "out_of_memory")
    assert len(engine.asked) == 2
    assert not Lease.objects.exists()


def test_at_the_smallest_size_it_is_painted_from_fewer_references(born: Any, shop: Shop) -> None:
    painted = style()
    job = photographed(painted, 4)
    engine = shop.put(painted.engine, Small())
    engine.most = 2
    born("gpu")
    shop.drain()
    assert state(job)[0] == "done"
    assert [len(order.references) for order in engine.asked] == [4, 2]


def test_a_failure_of_another_kind_is_tried_again_as_it_was(born: Any, shop: Shop) -> None:
    painted = words_only(width=1024, height=1024)
    job = ordered(painted)
    engine = shop.put(painted.engine, Small())
    engine.error = RuntimeError
    born("gpu")
    assert shop.drain() == 1
    assert (state(job)[0], len(engine.asked)) == ("queued", 1)


def asked(width: int, height: int, references: int = 0) -> base.Order:
    pictures = (picture(8, 8),) * references
    focus = ((0.1, 0.1, 0.9, 0.9),) * references
    task = base.Task.IDENTITY if references else base.Task.TEXT
    return base.Order(task, "a", width, height, 1, references=pictures, focus=focus)


def test_smaller_is_the_next_size_of_the_same_shape() -> None:
    engine = Model(sizes=(*SIZES, (768, 768), (512, 640), (256, 256)))
    can = engine.describe()
    less = commission.smaller(asked(1024, 1024, 2), can)
    assert less
    assert (less.width, less.height, len(less.references)) == (768, 768, 2)


def test_without_one_it_is_half_of_the_references_with_their_focus() -> None:
    less = commission.smaller(asked(512, 640, 5), Model(sizes=((512, 640),)).describe())
    assert less
    assert (less.width, len(less.references), len(less.focus)) == (512, 3, 3)


def test_with_neither_there_is_nothing_smaller() -> None:
    assert commission.smaller(asked(512, 640, 1), Model(sizes=((512, 640),)).describe()) is None
