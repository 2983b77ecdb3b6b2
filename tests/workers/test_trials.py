"""A style is tried on a drawn subject who is nobody, painted once, when nothing else waits."""

import hashlib
import uuid
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image, ImageChops

from portraits import trials
from portraits.errors import NotPaintedYet
from portraits.models import Style, Trial
from portraits.provenance import SOURCE_TYPE
from tests.portraits.making import style
from tests.workers.painting import Model, Shop, opened, ordered, passing, state, words_only
from workers.engines import base
from workers.safety import Verdict
from workers.trials import SIDE, SUBJECT, Trials


class Seen(Model):
    """It returns what it is shown."""

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        super().render(order, on_step)
        return order.references[0].resize((order.width, order.height))


@pytest.fixture
def work(shop: Shop, born: Any) -> Trials:
    born("gpu")
    return Trials(shop.atelier)


def paint_all(work: Trials) -> int:
    done = 0
    while work.paint_one():
        done += 1
    return done


def test_it_is_painted_once_on_the_drawn_subject(shop: Shop, work: Trials) -> None:
    new = style()
    engine = shop.put(new.engine, Seen())
    work.ask()
    assert paint_all(work) == 1
    (order,) = engine.asked
    assert order.task is base.Task.IDENTITY
    with Image.open(SUBJECT) as nobody:
        drawn = nobody.convert("RGB").copy()
    assert ImageChops.difference(order.references[0], drawn).getbbox() is None
    work.ask()
    assert paint_all(work) == 0
    assert len(engine.asked) == 1


def test_its_picture_is_marked_small_and_named_by_its_hash(shop: Shop, work: Trials) -> None:
    new = style()
    shop.put(new.engine, Seen())
    work.ask()
    paint_all(work)
    found = trials.find(new.slug)
    assert SOURCE_TYPE.encode() in found.data
    assert len(found.data) <= trials.LIMIT
    assert max(opened(found.data).size) == SIDE
    assert hashlib.sha256(found.data).hexdigest() == found.sha256


def test_a_new_version_has_a_picture_of_its_own(shop: Shop, work: Trials) -> None:
    old = style()
    shop.put(old.engine, Seen())
    work.ask()
    paint_all(work)
    old.retired_at = old.published_at
    old.save()
    new = Style.objects.create(
        slug=old.slug, version=2, name="", description="", engine=old.engine, recipe=old.recipe
    )
    with pytest.raises(NotPaintedYet):
        trials.find(old.slug)
    work.ask()
    assert paint_all(work) == 1
    assert Trial.objects.filter(style=new).exists()


def test_an_unsafe_one_is_not_kept_and_the_others_are(shop: Shop, work: Trials) -> None:
    shop.atelier.outlet = passing(Verdict.NSFW)
    two = [style(), style()]
    for row in two:
        shop.put(row.engine, Seen())
    work.ask()
    paint_all(work)
    assert Trial.objects.filter(style__in=two).count() == 1


def test_a_style_that_no_worker_serves_stays_without(work: Trials) -> None:
    lonely = style()
    work.ask()
    assert paint_all(work) == 0
    assert lonely in trials.missing()
    with pytest.raises(NotPaintedYet):
        trials.find(lonely.slug)


def test_nothing_is_painted_unasked(shop: Shop, work: Trials) -> None:
    engine = shop.put(style().engine, Seen())
    assert not work.paint_one()
    assert engine.asked == []


def test_whoever_waits_is_painted_first(
    born: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers import generate

    order: list[str] = []
    tried = style()
    shop.put(tried.engine, Seen(hook=lambda step: order.append("trial")))
    painted = words_only()
    shop.put(painted.engine, Model(hook=lambda step: order.append("job")))
    born("web")
    job = ordered(painted)
    born("gpu")
    mine = Trials(shop.atelier)
    monkeypatch.setattr(generate, "atelier", shop.atelier)
    monkeypatch.setattr(generate, "trials", mine)
    mine.ask()
    assert generate.run() == 1
    assert state(job) == ("done", "")
    assert list(dict.fromkeys(order)) == ["job", "trial"]
    assert Trial.objects.filter(style=tried).exists()


def test_a_picture_that_is_too_large_is_refused(work: Trials) -> None:
    with pytest.raises(ValueError, match="200 kB"):
        trials.keep(style(), uuid.uuid4().bytes * 20_000, timezone.now())
