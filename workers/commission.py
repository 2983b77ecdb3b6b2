"""What an engine is asked for: an item's photos, words or portrait; and the same but smaller."""

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
from workers import images, masks
from workers.engines import base, prompts
from workers.studio import Studio

log = structlog.get_logger(__name__)


def fetch(work: painting.Work) -> base.Order:
    """Open what an item is painted from. Raises BlobGone, OwnerErased, SealBroken, StorageDown."""
    if work.task is Item.Task.TEXT:
        return _described(work)
    if work.task in (Item.Task.EDIT, Item.Task.UPSCALE):
        return _lent(work)
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
    said = asked(work).words if work.prompt_id is not None else None
    return replace(
        _blank(work, base.Task.IDENTITY if work.recipe.references else base.Task.TEXT),
        prompt=said or work.recipe.prompt,
        references=tuple(pictures),
        focus=tuple(focus),
    )


def _blank(work: painting.Work, task: base.Task) -> base.Order:
    recipe = work.recipe
    sizes = (recipe.width, recipe.height)
    return base.Order(task, recipe.style, *sizes, work.seed, steps=recipe.steps)


def asked(work: painting.Work) -> Prompt:
    """What its owner wrote. Raises BlobGone where it has ended, and what fetch() raises."""
    if work.prompt_id is None:
        raise BlobGone
    sealed = vault.read(work.prompt_id, timezone.now(), why=audit.Reason.PAINTING)
    return Prompt.from_json(sealed.reveal())


def kept(work: painting.Work) -> Plain | None:
    """What its owner keeps of that beside the portrait. Raises what fetch() raises."""
    found = asked(work).kept if work.prompt_id is not None else None
    return Plain(found.as_json()) if found else None


def _described(work: painting.Work) -> base.Order:
    """Choices for an engine that draws; for one that reads, they are a sentence too."""
    said = asked(work)
    reads = abilities.of(work.engine).words
    return replace(
        _blank(work, base.Task.TEXT),
        choices=said.choices,
        prompt=prompts.describe(said.choices, said.words) if reads else None,
    )


def _lent(work: painting.Work) -> base.Order:
    """A portrait of its owner's, with what is to change and where."""
    if work.source_id is None:
        raise BlobGone
    plain = vault.read(work.source_id, timezone.now(), why=audit.Reason.PAINTING)
    picture = images.open_portrait(plain.reveal())
    if work.task is Item.Task.UPSCALE:
        # The style's number of steps is for painting; an enlarger counts its own.
        whole = _blank(work, base.Task.UPSCALE)
        return replace(whole, steps=None, source=picture, rich=work.rich)
    said = asked(work) if work.prompt_id is not None else Prompt.change("", ())
    return replace(
        _blank(work, base.Task.EDIT),
        prompt=said.words or None,
        source=picture,
        mask=masks.draw(said.mask, picture.size) if said.mask else None,
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
