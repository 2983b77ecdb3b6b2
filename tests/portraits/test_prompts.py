"""Portraits from words: sealed for the worker, kept for the owner, refused where they must be."""

import json
import uuid
from typing import Any

import pytest

from portraits import denied, gallery, jobs, painting
from portraits.errors import (
    PhotosNeeded,
    PromptNotSupported,
    PromptRefused,
    PromptTooLong,
    PromptWithPhotos,
    UnknownPortrait,
    WordsNotSupported,
)
from portraits.models import Item, Job, Portrait, Rendition, Style
from portraits.prompts import Prompt
from privacy import vault
from privacy.models import Blob, Capsule
from privacy.plain import Plain
from privacy.retention import Kind
from tests.portraits import making
from workers import commission
from workers.engines.base import Task

WORDS = "a lighthouse keeper with a brass telescope"
ASKED = Prompt.of({"hair": "curly"}, WORDS)


def ask(who: uuid.UUID, painted: Style, prompt: Prompt = ASKED, **more: Any) -> Job:
    order = jobs.Order(painted.slug, prompt=prompt)
    return jobs.submit(who, more.get("set_id"), [order], uuid.uuid4().hex, making.now())[0]


def of_engine(engine: str) -> Style:
    row = making.style()
    Style.objects.filter(pk=row.pk).update(engine=engine)
    return row


def painted_by(who: uuid.UUID, work: painting.Work, asked: Prompt = ASKED) -> Portrait:
    """As the worker leaves it: two sizes and the owner's copy of the prompt."""
    draft = vault.draft(Kind.RENDITION, who, Plain(asked.as_json()), making.now())
    kept = painting.Size(Rendition.PROMPT, draft, 0, 0, "application/json")
    assert painting.finish(work.held, [*making.sizes(who), kept], making.now())
    return Portrait.objects.get(item=work.held.work_id)


def prompts_of(who: uuid.UUID) -> Any:
    return Blob.objects.filter(owner_id=who, kind=Kind.PROMPT, state=Blob.State.STORED)


def test_the_worker_is_asked_for_what_the_person_wrote_without_any_consent(born: Any) -> None:
    who, style = making.owner(), making.style()
    ask(who, style)
    assert prompts_of(who).count() == 1
    work = making.claimed(style)
    born("gpu")
    order = commission.fetch(work)
    assert order.task is Task.TEXT
    assert order.choices == ASKED.choices
    assert order.prompt is not None
    assert WORDS in order.prompt
    assert not order.references


def test_its_owner_reads_it_and_the_workers_copy_is_gone() -> None:
    who, style = making.owner(), making.style()
    ask(who, style)
    portrait = painted_by(who, making.claimed(style))
    assert not prompts_of(who).exists()
    assert gallery.open_prompt(who, portrait.pk, making.now()) == ASKED
    with pytest.raises(UnknownPortrait):
        gallery.open_prompt(making.owner(), portrait.pk, making.now())
    found = gallery.find(who, portrait.pk, making.now())
    assert found is not None
    assert {row.name for row in found.renditions.all()} == {"full", "thumb"}


def test_the_owners_copy_ends_with_its_portrait() -> None:
    who, style = making.owner(), making.style()
    ask(who, style)
    portrait = painted_by(who, making.claimed(style))
    copy = Rendition.objects.get(portrait=portrait, name=Rendition.PROMPT).blob_id
    found = gallery.find(who, portrait.pk, making.now())
    assert found is not None
    sooner = making.now() + (found.blob.expires_at - making.now()) / 2
    gallery.move_deadline(found, sooner, making.now())
    assert Blob.objects.get(pk=copy).expires_at == sooner
    gallery.delete(who, portrait.pk, making.now())
    assert not Capsule.objects.filter(blob_id=copy).exists()


def test_a_cancelled_job_leaves_no_prompt() -> None:
    who, style = making.owner(), making.style()
    job = ask(who, style)
    jobs.cancel(who, job.pk, making.now())
    assert not prompts_of(who).exists()
    assert Item.objects.get(job=job).task == Item.Task.TEXT


@pytest.mark.parametrize(
    ("engine", "words", "refusal"),
    [
        ("pocket", "a hat", WordsNotSupported),
        ("qwen-edit", "", PromptNotSupported),
        ("z-image", "x" * 10_000, PromptTooLong),
        ("z-image", "a N.u.d.\u200be hat", PromptRefused),
    ],
)
def test_what_cannot_be_painted_is_refused_and_nothing_is_left(
    engine: str, words: str, refusal: type[PromptRefused]
) -> None:
    who = making.owner()
    with pytest.raises(refusal) as told:
        ask(who, of_engine(engine), Prompt.of({}, words))
    assert told.value.field == "items.0.prompt"
    assert type(told.value) is refusal
    assert not Blob.objects.filter(owner_id=who).exists()


def test_a_job_is_from_photos_or_from_prompts() -> None:
    who, style = making.consenting(), making.style()
    made = making.set_with_photo(who)
    with pytest.raises(PromptWithPhotos):
        ask(who, style, set_id=made.pk)
    both = [jobs.Order(style.slug, prompt=ASKED), jobs.Order(style.slug)]
    with pytest.raises(PhotosNeeded):
        jobs.submit(who, None, both, uuid.uuid4().hex, making.now())
    assert not prompts_of(who).exists()


def test_a_repeated_order_seals_nothing_more() -> None:
    who, style = making.owner(), making.style()
    orders = [jobs.Order(style.slug, prompt=ASKED)]
    first, _ = jobs.submit(who, None, orders, "same", making.now())
    again, new = jobs.submit(who, None, orders, "same", making.now())
    assert (again.pk, new) == (first.pk, False)
    assert prompts_of(who).count() == 1


@pytest.mark.parametrize(
    "words", ["NUDE", "a nudé man", "n u d e", "\uff4e\uff55\uff44\uff45", "p0rn"]
)
def test_a_denied_word_is_found_however_it_is_written(words: str) -> None:
    assert denied.found(words)


@pytest.mark.parametrize("words", ["kind eyes", "a minor scale", "Essex", "a girl from Sussex"])
def test_honest_words_are_not_denied(words: str) -> None:
    assert not denied.found(words)


def test_nothing_prints_a_prompt() -> None:
    assert WORDS not in repr(ASKED)
    assert WORDS not in repr(jobs.Order("oil", prompt=ASKED))
    assert json.loads(ASKED.as_json())["words"] == WORDS
