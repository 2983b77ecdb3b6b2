"""What a person orders: portraits one by one or a pack, free re-rolls, and the items made of it."""

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from django.utils.crypto import salted_hmac

from portraits import abilities, costs, denied, gallery, queue
from portraits.endings import LEASE
from portraits.errors import (
    AlreadyRerolled,
    PromptNotSupported,
    PromptRefused,
    PromptTooLong,
    RerollNotFree,
    RerollOfAnotherStyle,
    RerollUnknown,
    UnknownStyle,
    WordsNotSupported,
)
from portraits.models import Item, Job, Photo, Style
from portraits.prompts import WORDS, Prompt
from portraits.recipes import Recipe
from privacy import dispatch, leases, vault
from privacy.plain import Plain
from privacy.retention import Kind

MAX_ITEMS: Final = 20
MAX_PACK: Final = 100
# So many portraits somebody waits for; more wait in the lane of packs, however they were ordered.
A_FEW: Final = 4
SEEDS: Final = 2**31
# Every worker drains its queue, so a few messages wake all that a job can keep busy for a while.
NUDGES: Final = 2


@dataclass(frozen=True)
class Order:
    """One portrait in one style. Without a seed, one is drawn.

    `reroll_of`: the portrait that was not liked; the order is free, and never paints it again.
    """

    style: str
    seed: int | None = None
    reroll_of: uuid.UUID | None = None
    format: str = ""
    # What to paint instead of somebody in photos.
    prompt: Prompt | None = None


@dataclass(frozen=True)
class Pack:
    """Every style so many times, each with a seed of its own."""

    styles: tuple[str, ...]
    variations: int
    format: str = ""

    @property
    def orders(self) -> tuple[Order, ...]:
        """One of each style first, so that what appears early shows all of them."""
        return tuple(
            Order(style, format=self.format)
            for _ in range(self.variations)
            for style in self.styles
        )


Wanted = Sequence[Order] | Pack


def each(wanted: Wanted) -> Sequence[Order]:
    """The single portraits."""
    return wanted.orders if isinstance(wanted, Pack) else wanted


def lane(wanted: Wanted) -> Job.Lane:
    """A pack, and a list as long as one, takes the smaller share."""
    if isinstance(wanted, Pack) or len(wanted) > A_FEW:
        return Job.Lane.PACK
    return Job.Lane.INTERACTIVE


def body_sha256(set_id: uuid.UUID | None, wanted: Wanted) -> bytes:
    """A hash of all that was asked for, by which a repeated request is told from another one."""
    said = {"pack": asdict(wanted)} if isinstance(wanted, Pack) else {"items": _said(wanted)}
    text = json.dumps({"reference_set": str(set_id), **said}, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _said(orders: Sequence[Order]) -> list[tuple[str, int | None, str, str, str]]:
    return [
        (order.style, order.seed, str(order.reroll_of), order.format, _trace(order.prompt))
        for order in orders
    ]


def _trace(prompt: Prompt | None) -> str:
    """Words are few and could be guessed from a bare hash, so this one takes our key."""
    return salted_hmac("portraits.prompt", prompt.as_json()).hexdigest() if prompt else ""


def check_prompts(wanted: Wanted) -> None:
    """Raises PromptRefused in its kinds, and UnknownStyle."""
    asked = [(at, order) for at, order in enumerate(each(wanted)) if order.prompt]
    by_slug = styles(wanted) if asked else {}
    for position, order in asked:
        can = abilities.of(by_slug[order.style].engine)
        words = order.prompt.words if order.prompt else ""
        if "text" not in can.tasks:
            raise PromptNotSupported(position)
        if words and not can.words:
            raise WordsNotSupported(position)
        if len(words) > WORDS:
            raise PromptTooLong(position)
        if denied.found(words):
            raise PromptRefused(position)


def seal_prompts(owner_id: uuid.UUID, wanted: Wanted, now: datetime) -> dict[int, vault.Draft]:
    """Each prompt by its order's position, sealed to the workers and not yet to be opened."""
    asked = {
        at: (Kind.PROMPT, Plain(order.prompt.as_json()))
        for at, order in enumerate(each(wanted))
        if order.prompt
    }
    if not asked:
        return {}
    drafts = vault.draft_all(owner_id, list(asked.values()), now)
    return dict(zip(asked, drafts, strict=True))


def styles(wanted: Wanted) -> dict[str, Style]:
    """The styles that are ordered, by slug. Raises UnknownStyle, which names the first unknown."""
    asked = wanted.styles if isinstance(wanted, Pack) else [order.style for order in wanted]
    where = "pack.styles.{}" if isinstance(wanted, Pack) else "items.{}.style"
    found = {row.slug: row for row in Style.objects.filter(retired_at=None, slug__in=set(asked))}
    for position, slug in enumerate(asked):
        if slug not in found:
            raise UnknownStyle(where.format(position))
    return found


def originals(owner_id: uuid.UUID, wanted: Wanted, now: datetime) -> dict[uuid.UUID, Item]:
    """The items that are painted anew, by their portrait. Raises the refusals of a re-roll."""
    found: dict[uuid.UUID, Item] = {}
    for position, order in enumerate(each(wanted)):
        if order.reroll_of is None:
            continue
        portrait = gallery.find(owner_id, order.reroll_of, now)
        if portrait is None:
            raise RerollUnknown(position)
        if portrait.item.style.slug != order.style:
            raise RerollOfAnotherStyle(position)
        if not portrait.item.charged:
            raise RerollNotFree(position)
        if portrait.pk in found or Item.objects.filter(reroll_of=portrait.item).exists():
            raise AlreadyRerolled(position)
        found[portrait.pk] = portrait.item
    return found


def create_items(
    job: Job,
    wanted: Wanted,
    by_slug: Mapping[str, Style],
    anew: Mapping[uuid.UUID, Item],
    sealed: Mapping[int, vault.Draft],
) -> None:
    """All items of a new job, waiting for a worker."""
    items = []
    for position, order in enumerate(each(wanted)):
        original = anew.get(order.reroll_of) if order.reroll_of else None
        items.append(
            Item(
                job=job,
                style=by_slug[order.style],
                position=position,
                task=Item.Task.TEXT if position in sealed else Item.Task.IDENTITY,
                prompt_id=sealed[position].blob_id if position in sealed else None,
                seed=_seed(order, original),
                charged=original is None,
                reroll_of=original,
                format=order.format,
            )
        )
    open_items(job, Item.objects.bulk_create(items))


def _seed(order: Order, original: Item | None) -> int:
    if order.seed is not None:
        return order.seed
    if original is None:
        return secrets.randbelow(SEEDS)
    # Any but the one that was not liked.
    return (original.seed + 1 + secrets.randbelow(SEEDS - 1)) % SEEDS


def open_items(job: Job, items: Sequence[Item], *, token: int = 0) -> None:
    """Let the items wait for a worker, each at its place. The caller holds the owner's row."""
    photos = _accepted(job)
    wanted = [
        (style.engine, costs.cost(style.engine, Recipe.from_json(style.recipe), photos))
        for style in (item.style for item in items)
    ]
    places = queue.places(job.owner_id, job.lane, wanted)
    ids = [item.pk for item in items]
    leases.open_all(LEASE, job.owner_id, dict(zip(ids, places, strict=True)), token=token)
    for pk in ids[:NUDGES]:
        dispatch.send(LEASE, pk)


def _accepted(job: Job) -> int:
    if job.references_id is None:
        return 0
    return Photo.objects.filter(set=job.references_id, state=Photo.State.ACCEPTED).count()
