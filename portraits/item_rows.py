"""Reads and begins an item for whoever paints it, in a statement each.

Written out because every portrait comes by here, and building the statements anew from the models
took ten times as long as sending them. The caller holds the item's lease, so nobody ends it
meanwhile.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from portraits import live
from portraits.models import Item, Job, Photo
from portraits.recipes import Recipe

# A row for each of its photos, the best first; one row where it has none.
_READ: Final = """
    SELECT photo.id, photo.slot, photo.reference_id, photo.face, item.phase, item.job_id,
           coalesce(nullif(item.engine, ''), style.engine), style.recipe, item.width, item.height,
           item.seed, item.task, item.prompt_id, item.source_id, item.rich, item.format
    FROM portraits_item AS item
    JOIN portraits_style AS style ON style.id = item.style_id
    JOIN portraits_job AS job ON job.id = item.job_id
    LEFT JOIN portraits_photo AS photo ON photo.set_id = job.references_id
        AND photo.state = %s AND photo.reference_id IS NOT NULL
    WHERE item.id = %s AND item.state = ANY(%s)
    ORDER BY photo.quality DESC, photo.slot
"""
# Locks the job before the item, as everybody does.
_BEGIN: Final = """
    WITH job AS (
        UPDATE portraits_job SET sequence = sequence + 1,
            state = CASE state WHEN %(queued)s THEN %(running)s ELSE state END
        WHERE id = %(job)s RETURNING sequence
    )
    UPDATE portraits_item AS item
    SET sequence = job.sequence, state = %(running)s, phase = %(fetching)s, percent = 0,
        started_at = coalesce(started_at, %(now)s)
    FROM job WHERE item.id = %(item)s AND item.state = ANY(%(open)s)
"""
_PHOTO: Final = 4
_OPEN: Final = [str(state) for state in Item.OPEN]


class Shown(NamedTuple):
    """A photo to paint from: where its bytes are, and where its face is."""

    slot: str
    reference_id: uuid.UUID
    face: list[float] | None


@dataclass(frozen=True)
class Row:
    """An item as it waits, and its photos, the best first."""

    id: uuid.UUID
    phase: str
    job_id: uuid.UUID
    engine: str
    recipe: Recipe
    seed: int
    task: Item.Task
    prompt_id: uuid.UUID | None
    source_id: uuid.UUID | None
    rich: bool
    format: str
    photos: tuple[Shown, ...]


def read(item_id: uuid.UUID) -> Row | None:
    """An open item; None where it has ended."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [str(Photo.State.ACCEPTED), item_id, _OPEN])
        rows = cursor.fetchall()
    if not rows:
        return None
    photos = [
        Shown(slot, reference, json.loads(face) if face else None)
        for photo, slot, reference, face, *_ in rows
        if photo
    ]
    phase, job_id, engine, recipe, width, height, seed, task, *along = rows[0][_PHOTO:]
    prompt_id, source_id, rich, form = along
    said = Recipe.from_json(json.loads(recipe)).sized(width, height)
    what = (seed, Item.Task(task), prompt_id, source_id, rich, form)
    return Row(item_id, phase, job_id, engine, said, *what, tuple(photos[: said.references]))


def begin(row: Row, now: datetime) -> None:
    """A worker has it from here on: the item and its job say so."""
    values: dict[str, Any] = {
        "job": row.job_id, "item": row.id, "now": now, "open": _OPEN,
        "queued": str(Job.State.QUEUED), "running": str(Item.State.RUNNING),
        "fetching": str(Item.Phase.FETCHING),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)
    live.tell(row.job_id)
