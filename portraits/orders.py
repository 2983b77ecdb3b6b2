"""What a person orders: portraits one by one or a pack, free re-rolls, and its place in a queue."""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils.crypto import salted_hmac

from portraits import costs, gallery, queue
from portraits.changes import Source
from portraits.endings import LEASE
from portraits.errors import (
    AlreadyRerolled,
    RerollNotFree,
    RerollOfAnotherStyle,
    RerollUnknown,
    UnknownStyle,
)
from portraits.models import Item, Job, Style
from portraits.prompts import Prompt
from portraits.sizes import Shape
from privacy import dispatch, leases

MAX_ITEMS: Final = 20
MAX_PACK: Final = 100
# So many portraits somebody waits for; more wait in the lane of packs, however they were ordered.
A_FEW: Final = 4
SEEDS: Final = 2**31
# Every worker drains its queue, so a few messages wake all that a job can keep busy for a while.
NUDGES: Final = 2
# Written out, as each order asks for them.
_STYLES: Final = """
    SELECT * FROM portraits_style
    WHERE retired_at IS NULL AND published_at IS NOT NULL AND slug = ANY(%s)
"""
_PHOTOS: Final = "SELECT state FROM portraits_photo WHERE set_id = %s"


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
    # The portrait to make it from. It keeps that one's style where none is named.
    source: Source | None = None
    size: Shape | None = None
    large: bool = False


@dataclass(frozen=True)
class Pack:
    """Every style so many times, each with a seed of its own."""

    styles: tuple[str, ...]
    variations: int
    format: str = ""
    size: Shape | None = None
    large: bool = False

    @property
    def orders(self) -> tuple[Order, ...]:
        """One of each style first, so that what appears early shows all of them."""
        return tuple(
            Order(style, format=self.format, size=self.size, large=self.large)
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


def _said(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Words are few and could be guessed from a bare hash, so theirs takes our key."""
    return [
        {
            **asdict(replace(order, prompt=None, source=None)),
            "reroll_of": str(order.reroll_of),
            "prompt": _trace(order.prompt.as_json()) if order.prompt else None,
            "source": _trace(repr(asdict(order.source)).encode()) if order.source else None,
        }
        for order in orders
    ]


def _trace(said: bytes) -> str:
    return salted_hmac("portraits.prompt", said).hexdigest()


def styles(wanted: Wanted) -> dict[str, Style]:
    """The styles that are ordered, by slug. Raises UnknownStyle, which names the first unknown."""
    asked = wanted.styles if isinstance(wanted, Pack) else [order.style for order in wanted]
    named = {slug for slug in asked if slug}
    where = "pack.styles.{}" if isinstance(wanted, Pack) else "items.{}.style"
    found = {row.slug: row for row in Style.objects.raw(_STYLES, [list(named)])}
    for position, slug in enumerate(asked):
        if slug and slug not in found:
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


def open_items(job: Job, items: Sequence[Item], *, photos: int, token: int = 0) -> None:
    """Let the items wait for a worker, each at its place. The caller holds the owner's row.

    `photos`: how many of them its job has.
    """
    wanted = [
        # The picture that a change starts from is read as one photo is.
        (item.painter, costs.cost(item.painter, item.recipe, 1 if item.source_id else photos))
        for item in items
    ]
    places = queue.places(job.owner_id, job.lane, wanted)
    ids = [item.pk for item in items]
    leases.open_all(LEASE, job.owner_id, dict(zip(ids, places, strict=True)), token=token)
    for pk in ids[:NUDGES]:
        dispatch.send(LEASE, pk)


def photos_of(set_id: uuid.UUID | None) -> Counter[str]:
    """How many photos of a set there are, by state."""
    if set_id is None:
        return Counter()
    with connection.cursor() as cursor:
        cursor.execute(_PHOTOS, [set_id])
        return Counter(state for (state,) in cursor.fetchall())
