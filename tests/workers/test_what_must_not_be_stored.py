"""What is painted is looked at before it is stored: one new seed, then it is held back for good."""

from typing import Any

import pytest
from PIL import Image

from deploy.env import ROOT
from portraits import quota
from portraits.models import Item, Job, Portrait
from privacy.models import Blob
from privacy.retention import Kind
from tests.portraits.making import now, style
from tests.workers.painting import (
    Model,
    Shop,
    Told,
    lease,
    ordered,
    passing,
    photographed,
    picture,
    portraits,
    state,
    words_only,
)
from workers import faces
from workers.engines import base
from workers.outlet import INPUT, Blocked, Outlet
from workers.safety import Verdict

NSFW, SAFE = Verdict.NSFW, Verdict.SAFE
FACE = ROOT / "deploy" / "demo" / "photo.jpg"


class Honest(Model):
    """It paints whoever is in the photo of the demo."""

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        super().render(order, on_step)
        with Image.open(FACE) as found:
            return found.convert("RGB").resize((order.width, order.height))


class Broken(Model):
    """Its second picture fails on the way."""

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        if len(self.asked) == 1:
            self.asked.append(order)
            raise RuntimeError("a card fell out")
        return super().render(order, on_step)


def item(job: Job) -> Item:
    return Item.objects.get(job=job)


def used(job: Job) -> int:
    return quota.shares(job.owner_id, now())["day"].used


def stored(job: Job) -> int:
    """Bodies of portraits that exist, or ever did, for whoever ordered."""
    kinds = [Kind.PORTRAIT, Kind.RENDITION]
    return Blob.objects.filter(owner_id=job.owner_id, kind__in=kinds).count()


def test_a_picture_held_back_is_painted_once_more_with_another_seed(born: Any, shop: Shop) -> None:
    shop.atelier.outlet = passing(NSFW, SAFE)
    job = ordered(painted := words_only())
    first = item(job).seed
    engine = shop.put(painted.engine, Model())
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("done", "")
    assert [order.seed for order in engine.asked] == [first, item(job).seed]
    assert first != item(job).seed


def test_held_back_twice_it_is_blocked_and_nothing_of_it_is_stored(born: Any, shop: Shop) -> None:
    shop.atelier.outlet = passing(NSFW, NSFW)
    job = ordered(painted := words_only())
    assert used(job) == 1
    engine = shop.put(painted.engine, Model())
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("blocked", "blocked_unsafe")
    job.refresh_from_db()
    assert job.state == Job.State.BLOCKED
    assert len(engine.asked) == 2
    assert (stored(job), portraits(job), used(job)) == (0, 0, 0)


def test_one_that_was_stored_and_one_that_was_blocked_are_charged_as_one(
    born: Any, shop: Shop
) -> None:
    shop.atelier.outlet = passing(SAFE, NSFW, NSFW)
    job = ordered(painted := words_only(), count=2)
    shop.put(painted.engine, Model())
    born("gpu")
    assert shop.drain() == 2
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert (portraits(job), used(job)) == (1, 1)


def test_a_new_lease_brings_no_third_seed(born: Any, shop: Shop) -> None:
    shop.atelier.outlet = passing(NSFW, NSFW)
    job = ordered(painted := words_only())
    engine = shop.put(painted.engine, Broken())
    born("gpu")
    assert shop.drain() == 1
    assert state(job)[0] == "queued"
    row = lease(job)
    row.ready_at = row.ready_at.replace(year=2020)
    row.save()
    assert shop.drain() == 1
    assert state(job) == ("blocked", "blocked_unsafe")
    seeds = [order.seed for order in engine.asked]
    assert len(seeds) == 3
    assert len(set(seeds)) == 2


def test_a_portrait_without_a_face_is_blocked(born: Any, shop: Shop) -> None:
    strict = style()
    strict.recipe = {"style": strict.slug}
    strict.save()
    job = photographed(strict)
    engine = shop.put(strict.engine, Model())
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("blocked", "blocked_no_face")
    assert len(engine.asked) == 2
    assert not Portrait.objects.filter(item__job=job).exists()


def test_a_portrait_with_a_face_is_kept(born: Any, shop: Shop) -> None:
    strict = style()
    strict.recipe = {"style": strict.slug}
    strict.save()
    job = photographed(strict)
    engine = shop.put(strict.engine, Honest())
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("done", "")
    assert len(engine.asked) == 1


def test_a_picture_from_words_alone_needs_no_face(born: Any, shop: Shop) -> None:
    job = ordered(painted := words_only(face_gate="strict"))
    shop.put(painted.engine, Model())
    born("gpu")
    assert shop.drain() == 1
    assert state(job) == ("done", "")


def test_an_unsafe_picture_is_not_even_edited() -> None:
    order = base.Order(base.Task.EDIT, "plain", 512, 512, seed=1, source=picture())
    with pytest.raises(Blocked) as blocked:
        passing(NSFW).admit(order)
    assert blocked.value.code == INPUT
    passing(SAFE).admit(order)


def test_an_edit_keeps_the_face_that_was_there_and_needs_none_where_none_was() -> None:
    outlet = Outlet(Told(), faces.Faces())
    with Image.open(FACE) as found:
        face = found.convert("RGB")
    of_somebody = base.Order(base.Task.EDIT, "plain", 512, 512, seed=1, source=face)
    of_a_view = base.Order(base.Task.EDIT, "plain", 512, 512, seed=1, source=picture())
    outlet.release(face, of_somebody, "strict")
    outlet.release(picture(), of_a_view, "strict")
    with pytest.raises(Blocked, match="blocked_no_face"):
        outlet.release(picture(), of_somebody, "strict")
