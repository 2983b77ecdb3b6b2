"""Portraits from portraits: what the worker is lent, when it ends, and that erasing always wins."""

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from portraits import changes, gallery, jobs, painting
from portraits.errors import (
    CannotBeEnlarged,
    ChangeNotSupported,
    PortraitUnknown,
    SizeNotSupported,
    WordsNotSupported,
)
from portraits.models import Item, Job, Portrait, Rendition, Style
from portraits.prompts import Prompt, Stroke
from privacy import vault
from privacy.models import Blob
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits import making
from workers import commission
from workers.engines.base import Task

FINGER = Stroke(((0.25, 0.25), (0.75, 0.75)), 0.1)


def jpeg(size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 120, 80)).save(stream, "JPEG")
    return stream.getvalue()


def portrait_of(who: uuid.UUID, painted: Style, size: tuple[int, int] = (512, 640)) -> Portrait:
    """A finished portrait from photos, whose full size is a picture."""
    making.submitted(who, painted)
    work = making.claimed(painted)
    data = jpeg(size)
    full = vault.draft(Kind.PORTRAIT, who, Plain(data), making.now())
    sizes = [painting.Size("full", full, *size, "image/jpeg")]
    assert painting.finish(work.held, sizes, making.now())
    return Portrait.objects.get(item=work.held.work_id)


def ask(who: uuid.UUID, portrait: Portrait, change: str, style: str = "", **more: Any) -> Job:
    source = changes.Source(portrait.pk, changes.Change(change), **more)
    order = jobs.Order(style, source=source)
    return jobs.submit(who, None, [order], uuid.uuid4().hex, making.now())[0]


def lent(who: uuid.UUID) -> Any:
    return Blob.objects.filter(owner_id=who, kind=Kind.SOURCE, state=Blob.State.STORED)


def sealed_of(who: uuid.UUID) -> int:
    open_kinds = (Kind.SOURCE, Kind.PROMPT)
    rows = Blob.objects.filter(owner_id=who, kind__in=open_kinds)
    return rows.exclude(state=Blob.State.SHREDDED).count()


@pytest.fixture
def start() -> tuple[uuid.UUID, Style, Portrait]:
    who, style = making.consenting(), making.style()
    return who, style, portrait_of(who, style)


def test_the_worker_is_asked_for_the_portrait_with_words_and_mask(
    start: tuple[uuid.UUID, Style, Portrait], born: Any
) -> None:
    who, style, portrait = start
    job = ask(who, portrait, "edit", words="a green hat", mask=(FINGER,))
    assert job.consent_id is not None
    work = making.claimed(style)
    born("gpu")
    order = commission.fetch(work)
    assert (order.task, order.prompt, order.width, order.height) == (
        Task.EDIT,
        "a green hat",
        512,
        640,
    )
    assert order.source is not None
    assert order.source.size == (512, 640)
    assert order.mask is not None
    assert [order.mask.getpixel(at) for at in ((256, 320), (500, 20))] == [255, 0]
    kept = commission.kept(work)
    assert kept is not None
    assert Prompt.from_json(kept.reveal()) == Prompt.change("a green hat", ())


def test_an_upscale_asks_for_four_times_the_size_and_no_steps(
    start: tuple[uuid.UUID, Style, Portrait], born: Any
) -> None:
    who, style, portrait = start
    ask(who, portrait, "upscale", rich=True)
    work = making.claimed(style)
    born("gpu")
    order = commission.fetch(work)
    assert (order.task, order.width, order.height) == (Task.UPSCALE, 2048, 2560)
    assert order.rich
    assert order.steps is None
    assert commission.kept(work) is None


def test_a_copy_lives_no_longer_than_its_portrait(
    start: tuple[uuid.UUID, Style, Portrait],
) -> None:
    who, _, portrait = start
    found = gallery.find(who, portrait.pk, making.now())
    assert found is not None
    soon = making.now() + (found.blob.expires_at - making.now()) / 100
    gallery.move_deadline(found, soon, making.now())
    ask(who, portrait, "upscale")
    assert lent(who).get().expires_at == soon
    sooner = making.now() + (soon - making.now()) / 2
    again = gallery.find(who, portrait.pk, making.now())
    assert again is not None
    gallery.move_deadline(again, sooner, making.now())
    assert lent(who).get().expires_at == sooner


def test_erasing_the_portrait_ends_what_is_being_made_from_it(
    start: tuple[uuid.UUID, Style, Portrait],
) -> None:
    who, style, portrait = start
    job = ask(who, portrait, "edit", words="a green hat")
    work = making.claimed(style)
    gallery.delete(who, portrait.pk, making.now())
    item = Item.objects.get(job=job)
    assert (item.state, item.code) == (Item.State.CANCELLED, "portrait_erased")
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED
    assert sealed_of(who) == 0
    draft = vault.draft(Kind.PORTRAIT, who, Plain(b"x"), making.now())
    late = painting.Size("full", draft, 8, 8, "image/jpeg")
    assert not painting.finish(work.held, [late], making.now())
    vault.discard([draft])
    with pytest.raises(PortraitUnknown):
        ask(who, portrait, "upscale")


@pytest.mark.parametrize("end", ["done", "cancelled"])
def test_whatever_ends_it_the_copy_is_destroyed(
    start: tuple[uuid.UUID, Style, Portrait], end: str
) -> None:
    who, style, portrait = start
    job = ask(who, portrait, "edit", words="a green hat")
    assert sealed_of(who) == 2
    if end == "done":
        work = making.claimed(style)
        draft = vault.draft(Kind.PORTRAIT, who, Plain(jpeg((8, 8))), making.now())
        size = painting.Size("full", draft, 8, 8, "image/jpeg")
        assert painting.finish(work.held, [size], making.now())
    else:
        jobs.cancel(who, job.pk, making.now())
    assert sealed_of(who) == 0


def test_a_repeated_order_lends_nothing_more(start: tuple[uuid.UUID, Style, Portrait]) -> None:
    who, _, portrait = start
    source = changes.Source(portrait.pk, changes.Change.UPSCALE)
    wanted = [jobs.Order("", source=source)]
    first, _ = jobs.submit(who, None, wanted, "same", making.now())
    gallery.delete(who, portrait.pk, making.now())
    again, new = jobs.submit(who, None, wanted, "same", making.now())
    assert (again.pk, new) == (first.pk, False)
    assert sealed_of(who) == 0


def test_a_portrait_without_a_size_that_can_be_enlarged_is_refused() -> None:
    who, style = making.consenting(), making.style()
    portrait = portrait_of(who, style, (2048, 2560))
    with pytest.raises(CannotBeEnlarged):
        ask(who, portrait, "upscale")
    odd = portrait_of(who, style, (300, 310))
    with pytest.raises(SizeNotSupported):
        ask(who, odd, "variation")
    assert sealed_of(who) == 0


@pytest.mark.parametrize(
    ("engine", "change", "more", "refusal"),
    [
        ("z-image", "restyle", {}, ChangeNotSupported),
        ("pocket", "edit", {"words": "a hat"}, WordsNotSupported),
    ],
)
def test_an_engine_is_asked_for_nothing_that_it_cannot_do(
    start: tuple[uuid.UUID, Style, Portrait],
    engine: str,
    change: str,
    more: dict[str, str],
    refusal: type[Exception],
) -> None:
    who, _, portrait = start
    other = making.style()
    Style.objects.filter(pk=other.pk).update(engine=engine)
    with pytest.raises(refusal):
        ask(who, portrait, change, other.slug, **more)
    assert sealed_of(who) == 0


def test_a_picture_of_an_engine_that_enlarges_nothing_goes_to_one_that_does() -> None:
    who, style = making.consenting(), making.style()
    portrait = portrait_of(who, style)
    Style.objects.filter(pk=style.pk).update(engine="flux2-klein")
    job = ask(who, portrait, "upscale")
    item = Item.objects.select_related("style").get(job=job)
    assert (item.painter, item.style.pk) == ("pocket", style.pk)
    assert Rendition.objects.filter(portrait=portrait).count() == 1


def test_nothing_prints_what_is_to_change() -> None:
    source = changes.Source(uuid.uuid4(), changes.Change.EDIT, "a green hat", (FINGER,))
    said = repr([source, FINGER, jobs.Order("oil", source=source)])
    assert "hat" not in said
    assert "0.25" not in said
