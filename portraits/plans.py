"""What each order comes to: its task, its style and size, what goes along with it to the worker.

Owns the refusals of prompts, sizes and changes of a portrait, and the sealing of what a worker
needs for them: words to the fleet, and a copy of the portrait that its owner has named. A copy
lives no longer than its portrait.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portraits import abilities, denied, gallery, halts, orders, painters, sizes
from portraits.changes import WORDED, Change, Source
from portraits.errors import (
    CannotBeEnlarged,
    ChangeNotSupported,
    PhotosNeeded,
    PortraitUnknown,
    PromptNotSupported,
    PromptRefused,
    PromptTooLong,
    PromptWithPhotos,
    SizeNotSupported,
    SourceWithPhotos,
    UnknownPortrait,
    WordsNeeded,
    WordsNotSupported,
)
from portraits.models import Item, Job, Portrait, Style
from portraits.orders import SEEDS, Order, Wanted
from portraits.prompts import WORDS, Prompt
from portraits.recipes import Recipe
from privacy import retention, vault
from privacy.errors import BlobGone
from privacy.plain import Plain
from privacy.retention import Kind

SCALE: Final = 4
# Engines that enlarge the picture of any other: one for a gpu, and one that needs none.
BEST, EVERYWHERE = "real-esrgan", "pocket"


@dataclass(frozen=True, repr=False)
class Plan:
    """How one order is painted."""

    style: Style
    task: Item.Task
    prompt: Prompt | None = None
    # What it is made from; `lent`: whether the worker is given that picture.
    parent: Portrait | None = None
    lent: bool = False
    # Where it is not the style's own.
    engine: str = ""
    size: sizes.Pixels | None = None
    seed: int | None = None
    rich: bool = False

    @property
    def shows_somebody(self) -> bool:
        """Whether what it starts from was made from photos, under a consent."""
        return self.parent is not None and self.parent.item.job.consent_id is not None


@dataclass(frozen=True)
class Sealed:
    """What goes along with one order, not yet to be opened."""

    prompt: vault.Draft | None = None
    source: vault.Draft | None = None

    @property
    def drafts(self) -> list[vault.Draft]:
        """Both, as far as there are."""
        return [draft for draft in (self.prompt, self.source) if draft is not None]


def make(owner_id: uuid.UUID, wanted: Wanted, now: datetime, *, photos: bool) -> list[Plan]:
    """A plan for each order. `photos`: whether the job has any.

    Raises UnknownStyle, PhotosNeeded, PromptRefused, ChangeRefused, SizeNotSupported and
    EngineDraining.
    """
    by_slug = orders.styles(wanted)
    made = [
        _changed(owner_id, at, order, order.source, by_slug.get(order.style), photos, now)
        if order.source
        else _painted(at, order, by_slug[order.style], photos)
        for at, order in enumerate(orders.each(wanted))
    ]
    halts.admit({plan.engine or plan.style.engine for plan in made})
    return made


def _painted(at: int, order: Order, style: Style, photos: bool) -> Plan:
    """From photos, from a prompt, or from a recipe alone."""
    can = abilities.of(style.engine)
    recipe = Recipe.from_json(style.recipe)
    size = _sized(at, order, can.sizes, (recipe.width, recipe.height))
    if order.prompt is None:
        if not photos and recipe.references:
            raise PhotosNeeded
        return Plan(style, Item.Task.IDENTITY, size=size)
    if "text" not in can.tasks:
        raise PromptNotSupported(f"items.{at}.prompt")
    _check_words(f"items.{at}.prompt", order.prompt.words, style.engine)
    if photos:
        raise PromptWithPhotos(f"items.{at}.prompt")
    return Plan(style, Item.Task.TEXT, order.prompt, size=size)


def _check_words(field: str, words: str, engine: str) -> None:
    if words and not abilities.of(engine).words:
        raise WordsNotSupported(field)
    if len(words) > WORDS:
        raise PromptTooLong(field)
    if denied.found(words):
        raise PromptRefused(field)


def _sized(
    at: int, order: Order, offered: Sequence[sizes.Pixels], usual: sizes.Pixels
) -> sizes.Pixels | None:
    """What was asked for, in pixels; None where nothing was. Raises SizeNotSupported."""
    if order.size is None and not order.large:
        return None
    shape = order.size or sizes.shape_of(usual)
    found = shape and sizes.pick(shape, order.large, offered)
    if not found:
        raise SizeNotSupported(at)
    return found


def _changed(
    owner_id: uuid.UUID,
    at: int,
    order: Order,
    source: Source,
    named: Style | None,
    photos: bool,
    now: datetime,
) -> Plan:
    """From a portrait of one's own. Where no style is named it keeps its own, retired or not."""
    parent = gallery.find(owner_id, source.portrait, now)
    if parent is None:
        raise PortraitUnknown(at)
    style = named or parent.item.style
    full = next((row for row in parent.renditions.all() if row.name == "full"), None)
    if full is None:
        raise PortraitUnknown(at)
    drawn = (full.width, full.height)
    if source.change is Change.UPSCALE:
        if photos:
            raise SourceWithPhotos(at)
        return _upscale(at, source, parent, drawn, now)
    plan = _again(owner_id, at, order, source, parent, style, photos, now)
    if plan is not None:
        return plan
    if photos:
        raise SourceWithPhotos(at)
    can = abilities.of(style.engine)
    if "edit" not in can.tasks:
        raise ChangeNotSupported(at)
    if not source.words and (source.change in WORDED or (source.mask and can.words)):
        raise WordsNeeded(f"items.{at}.source.words")
    _check_words(f"items.{at}.source.words", source.words, style.engine)
    # A picture that is changed keeps its shape.
    offered = [size for size in can.sizes if sizes.alike(size, drawn)]
    size = _sized(at, order, offered, drawn) or sizes.nearest(drawn, offered)
    if size is None:
        raise SizeNotSupported(at)
    said = bool(source.words or source.mask)
    prompt = Prompt.change(source.words, source.mask) if said else None
    seed = _seed(source, parent)
    return Plan(style, Item.Task.EDIT, prompt, parent, lent=True, size=size, seed=seed)


def _again(
    owner_id: uuid.UUID,
    at: int,
    order: Order,
    source: Source,
    parent: Portrait,
    style: Style,
    photos: bool,
    now: datetime,
) -> Plan | None:
    """Made anew as the first was made: from its prompt, or from photos that are still there.

    None: it is made from the portrait itself.
    """
    if source.change not in (Change.REFINE, Change.VARIATION):
        return None
    can, seed = abilities.of(style.engine), _seed(source, parent)
    if parent.item.task == Item.Task.TEXT and not photos:
        prompt = order.prompt
        if source.change is Change.VARIATION:
            with suppress(UnknownPortrait, BlobGone):
                prompt = gallery.open_prompt(owner_id, parent.pk, now)
        if prompt is None:
            raise WordsNeeded(f"items.{at}.prompt")
        if "text" not in can.tasks:
            raise PromptNotSupported(f"items.{at}.prompt")
        _check_words(f"items.{at}.prompt", prompt.words, style.engine)
        size = _sized(at, order, can.sizes, _size_of(parent.item)) or _size_of(parent.item)
        return Plan(style, Item.Task.TEXT, prompt, parent, size=size, seed=seed)
    if not photos or parent.item.task != Item.Task.IDENTITY:
        return None
    if source.change is Change.REFINE and not source.words:
        raise WordsNeeded(f"items.{at}.source.words")
    _check_words(f"items.{at}.source.words", source.words, style.engine)
    prompt = Prompt.change(source.words, ()) if source.words else None
    size = _sized(at, order, can.sizes, _size_of(parent.item)) or _size_of(parent.item)
    return Plan(style, Item.Task.IDENTITY, prompt, parent, size=size, seed=seed)


def _size_of(item: Item) -> sizes.Pixels:
    return item.recipe.width, item.recipe.height


def _seed(source: Source, parent: Portrait) -> int | None:
    if source.change is Change.REFINE:
        return parent.item.seed
    if source.change is Change.VARIATION:
        return _another(parent.item.seed)
    return None


def _upscale(at: int, source: Source, parent: Portrait, drawn: sizes.Pixels, now: datetime) -> Plan:
    """By the best engine that a worker serves, else by one that every installation has."""
    own, alive = parent.item.painter, painters.alive(now)
    usual = own if "upscale" in abilities.of(own).tasks else EVERYWHERE
    engine = BEST if BEST in alive else usual
    size = (drawn[0] * SCALE, drawn[1] * SCALE)
    if size not in abilities.of(engine).enlarged:
        raise CannotBeEnlarged(at)
    task = Item.Task.UPSCALE
    style = parent.item.style
    return Plan(style, task, None, parent, True, engine, size, None, source.rich)


def items(
    job: Job,
    wanted: Wanted,
    plans: Sequence[Plan],
    anew: Mapping[uuid.UUID, Item],
    sealed: Mapping[int, Sealed],
) -> list[Item]:
    """The rows of a new job, which do not wait for a worker yet."""
    made = []
    for position, (order, plan) in enumerate(zip(orders.each(wanted), plans, strict=True)):
        original = anew.get(order.reroll_of) if order.reroll_of else None
        width, height = plan.size or (None, None)
        along = sealed.get(position, Sealed())
        made.append(
            Item(
                job=job,
                style=plan.style,
                position=position,
                task=plan.task,
                prompt_id=along.prompt.blob_id if along.prompt else None,
                source_id=along.source.blob_id if along.source else None,
                made_from=plan.parent,
                engine=plan.engine,
                width=width,
                height=height,
                rich=plan.rich,
                seed=_drawn(order, plan, original),
                charged=original is None,
                reroll_of=original,
                format=order.format,
            )
        )
    return Item.objects.bulk_create(made)


def _drawn(order: Order, plan: Plan, original: Item | None) -> int:
    for said in (order.seed, plan.seed):
        if said is not None:
            return said
    return _another(original.seed) if original else secrets.randbelow(SEEDS)


def _another(seed: int) -> int:
    """Any but the one that was not liked, or is there already."""
    return (seed + 1 + secrets.randbelow(SEEDS - 1)) % SEEDS


def still_there(owner_id: uuid.UUID, plans: Sequence[Plan], now: datetime) -> None:
    """The caller holds the owner's row, so that no portrait goes from here on.

    Raises PortraitUnknown.
    """
    named = {plan.parent.pk for plan in plans if plan.parent}
    if not named:
        return
    left = set(gallery.living(owner_id, now).filter(pk__in=named).values_list("pk", flat=True))
    for at, plan in enumerate(plans):
        if plan.parent and plan.parent.pk not in left:
            raise PortraitUnknown(at)


def seal(owner_id: uuid.UUID, plans: Sequence[Plan], now: datetime) -> dict[int, Sealed]:
    """What goes along, by its order's position, sealed to the workers. Raises PortraitUnknown."""
    asked = {at: plan.prompt for at, plan in enumerate(plans) if plan.prompt}
    prompts: dict[int, vault.Draft] = {}
    copies: dict[int, vault.Draft] = {}
    try:
        if asked:
            pieces = [(Kind.PROMPT, Plain(prompt.as_json())) for prompt in asked.values()]
            prompts = dict(zip(asked, vault.draft_all(owner_id, pieces, now), strict=True))
        for at, plan in enumerate(plans):
            if plan.parent and plan.lent:
                copies[at] = _copy(owner_id, at, plan.parent, now)
    except BaseException:
        vault.discard([*prompts.values(), *copies.values()])
        raise
    return {at: Sealed(prompts.get(at), copies.get(at)) for at in {*prompts, *copies}}


def _copy(owner_id: uuid.UUID, at: int, portrait: Portrait, now: datetime) -> vault.Draft:
    """On its owner's request the web opens a portrait, and seals it once more for a worker."""
    try:
        _, plain = gallery.open_own(owner_id, portrait.pk, "full", now)
        end = min(portrait.blob.expires_at, retention.deadline(Kind.SOURCE, now))
        return vault.draft(Kind.SOURCE, owner_id, plain, now, expires_at=end)
    except (UnknownPortrait, BlobGone) as gone:
        raise PortraitUnknown(at) from gone
