"""What an engine is asked for: one item's photos and recipe, and the same again but smaller."""

from dataclasses import replace

import structlog
from django.conf import settings
from django.utils import timezone
from PIL import Image

from portraits import abilities, painting
from portraits.models import Item
from portraits.prompts import Prompt
from privacy import audit, vault
from privacy.errors import BlobGone
from privacy.plain import Plain
from workers import images
from workers.engines import base, prompts
from workers.studio import Studio

log = structlog.get_logger(__name__)


def fetch(work: painting.Work) -> base.Order:
    """Open an item's photos. Raises BlobGone, OwnerErased, SealBroken, StorageDown."""
    if work.task is Item.Task.TEXT:
        return _described(work)
    pictures: list[Image.Image] = []
    focus: list[base.Focus | None] = []
    for photo in work.photos:
        if photo.reference_id is None:
            raise BlobGone
        plain = vault.read(photo.reference_id, timezone.now(), why=audit.Reason.PAINTING)
        pictures.append(images.open_reference(plain.reveal()))
        focus.append(_corners(photo.face) if photo.face else None)
    if not pictures and work.recipe.references:
        raise BlobGone
    return base.Order(
        task=base.Task.IDENTITY if work.recipe.references else base.Task.TEXT,
        style=work.recipe.style,
        width=work.recipe.width,
        height=work.recipe.height,
        seed=work.seed,
        steps=work.recipe.steps,
        prompt=work.recipe.prompt,
        references=tuple(pictures),
        focus=tuple(focus),
    )


def words(work: painting.Work) -> Plain:
    """What its owner wrote. Raises BlobGone where it has ended, and what fetch() raises."""
    if work.prompt_id is None:
        raise BlobGone
    return vault.read(work.prompt_id, timezone.now(), why=audit.Reason.PAINTING)


def _described(work: painting.Work) -> base.Order:
    """Choices for an engine that draws; for one that reads, they are a sentence too."""
    asked = Prompt.from_json(words(work).reveal())
    reads = abilities.of(work.engine).words
    return base.Order(
        task=base.Task.TEXT,
        style=work.recipe.style,
        width=work.recipe.width,
        height=work.recipe.height,
        seed=work.seed,
        steps=work.recipe.steps,
        choices=asked.choices,
        prompt=prompts.describe(asked.choices, asked.words) if reads else None,
    )


def _corners(face: list[float]) -> base.Focus:
    """The gate says left, top, width, height; an engine wants left, top, right, bottom."""
    left, top, width, height = face
    return left, top, left + width, top + height


def admitted(order: base.Order, work: painting.Work, studio: Studio) -> base.Order:
    """The order, or the largest smaller one that fits by the estimate.

    Raises OutOfMemory where none fits, and TookTooLong for what would still be painted at the end
    of its time if it went as fast as ever: trying would only keep others waiting.
    """
    if studio.at_least(work.engine, work.held.cost) > settings.ITEM_LIMIT.total_seconds():
        raise base.TookTooLong
    can = studio.engines[work.engine].describe()
    tried = order
    while not studio.fits(work.engine, tried):
        less = smaller(tried, can)
        if less is None:
            raise base.OutOfMemory
        tried = less
    if tried is not order:
        log.warning("painting_smaller", item_id=str(work.held.work_id))
    return tried


def smaller(order: base.Order, can: base.Capabilities) -> base.Order | None:
    """The next smaller size of the same shape, else half of the references; None without either.

    A picture that is smaller is still the one that was asked for; one of another shape is not.
    """
    if order.task is base.Task.UPSCALE:
        return None  # Its size is its source's, four times.
    same_shape = [
        (width, height)
        for width, height in can.sizes
        if width < order.width and width * order.height == height * order.width
    ]
    if same_shape:
        width, height = max(same_shape)
        return replace(order, width=width, height=height)
    if len(order.references) > 1:
        kept = (len(order.references) + 1) // 2
        return replace(order, references=order.references[:kept], focus=order.focus[:kept])
    return None
