"""A style that takes no photo needs no consent; one that does cannot be ordered without photos."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from portraits import jobs, painting
from portraits.errors import KeyReused, PhotosNeeded, UnknownStyle
from portraits.models import Item, Job, Portrait, Style
from privacy import consent, erasure, vault
from privacy.audit import Reason
from privacy.errors import ConsentMissing, OwnerErased
from privacy.models import Blob, Consent, OwnerKey
from tests.portraits.making import claimed, consenting, now, person, set_with_photo, sizes, style
from tests.still import StillEngine
from workers import generate
from workers.engines import base


class Painter(StillEngine):
    """An engine that paints one colour, and remembers what it was asked."""

    tasks = frozenset({base.Task.IDENTITY, base.Task.TEXT})

    def __init__(self) -> None:
        super().__init__(Path())
        self.asked: list[base.Order] = []

    def paint(self, order: base.Order) -> Image.Image:
        """A colour."""
        self.asked.append(order)
        return Image.new("RGB", (order.width, order.height), (90, 120, 200))


def words_only() -> Style:
    """A style whose recipe takes no reference."""
    name = f"w{uuid.uuid4().hex[:12]}"
    recipe = {"style": name, "references": 0, "prompt": "a lighthouse"}
    return Style.objects.create(slug=name, name=name, description="", engine=name, recipe=recipe)


def order(who: uuid.UUID, *styles: Style, key: str | None = None, **also: Any) -> Job:
    orders = [jobs.Order(row.slug) for row in styles]
    job, _ = jobs.submit(who, also.get("set_id"), orders, key or uuid.uuid4().hex, now())
    return job


def test_it_is_ordered_without_a_consent_and_without_a_photo() -> None:
    who = person()
    job = order(who, words_only(), words_only())
    assert (job.state, job.references_id, job.consent_id) == (Job.State.QUEUED, None, None)
    assert job.items.count() == 2
    assert not Consent.objects.filter(subject_id=who).exists()


@pytest.mark.parametrize("signed", [True, False])
def test_one_style_that_needs_photos_is_enough_to_refuse(signed: bool) -> None:
    who = consenting() if signed else person()
    with pytest.raises(PhotosNeeded):
        order(who, words_only(), style())
    assert not Job.objects.filter(owner_id=who).exists()
    assert not Item.objects.filter(job__owner_id=who).exists()


def test_an_unknown_style_is_refused_by_its_own_name() -> None:
    with pytest.raises(UnknownStyle):
        jobs.submit(person(), None, [jobs.Order("nowhere")], "k", now())


def test_with_photos_the_consent_is_needed_whatever_the_style() -> None:
    who, painted = consenting(), words_only()
    made = set_with_photo(who)
    consent.withdraw(who, consent.Purpose.GENERATION, "tests/1", now(), erase_portraits=False)
    with pytest.raises(ConsentMissing):
        order(who, painted, set_id=made.pk)
    assert order(who, painted).consent_id is None


def test_a_job_from_photos_names_the_consent_that_it_was_asked_for_under() -> None:
    who = consenting()
    job = order(who, style(), set_id=set_with_photo(who).pk)
    assert job.consent_id == consent.require(who, now()).pk


def test_the_same_key_gives_the_same_job_and_a_set_makes_it_another() -> None:
    who, painted, key = consenting(), words_only(), uuid.uuid4().hex
    made = set_with_photo(who)
    first = order(who, painted, key=key)
    assert order(who, painted, key=key) == first
    with pytest.raises(KeyReused):
        order(who, painted, key=key, set_id=made.pk)


def test_who_was_erased_orders_nothing() -> None:
    who, painted = person(), words_only()
    order(who, painted)
    erasure.request(who, now())
    with pytest.raises(OwnerErased):
        order(who, painted)


def test_it_is_painted_from_words_and_sealed_to_its_owner(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, painted, engine = person(), words_only(), Painter()
    job = order(who, painted)
    monkeypatch.setitem(generate._engines, painted.engine, engine)
    born("gpu")
    assert generate.run() == 1
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    (asked,) = engine.asked
    assert (asked.task, asked.references, asked.focus) == (base.Task.TEXT, (), ())
    assert asked.prompt == "a lighthouse"
    born("web")
    portrait = Portrait.objects.get(owner_id=who)
    assert vault.read(portrait.blob_id, now(), why=Reason.OWNER).reveal()[:3] == b"\xff\xd8\xff"
    assert OwnerKey.objects.filter(owner_id=who, destroyed_at=None).exists()


def test_a_style_that_paints_from_photos_still_fails_without_them(
    born: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, painted = consenting(), style()
    made = set_with_photo(who)
    job = order(who, painted, set_id=made.pk)
    made.photos.update(reference=None)
    engine = Painter()
    monkeypatch.setitem(generate._engines, painted.engine, engine)
    born("gpu")
    assert generate.run() == 1
    job.refresh_from_db()
    assert (job.state, engine.asked) == (Job.State.FAILED, [])


def test_leaving_stops_it_like_any_other_job() -> None:
    who, painted = person(), words_only()
    job = order(who, painted)
    work, late = claimed(painted), sizes(who)
    erasure.request(who, now())
    assert not painting.finish(work.held, late, now())
    vault.discard([size.draft for size in late])
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert not Blob.objects.filter(owner_id=who, state=Blob.State.STORED).exists()
