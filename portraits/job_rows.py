"""Reads a job for its owner: in one statement, so that all of it belongs to one moment."""

import uuid
from datetime import datetime
from typing import Final

from django.db import connection

from portraits import queue
from portraits.job_json import ItemRow, Place, Snapshot
from portraits.models import Job

# Written out because it is what clients ask for most: building it anew from the models costs more
# than running it.
_READ: Final = """
    SELECT job.state, job.lane, job.sequence, job.references_id, job.created_at, job.ended_at,
           job.start_by, item.id, style.slug, item.seed, item.state, item.phase, item.percent,
           item.code, item.sequence, portrait.id
    FROM portraits_job job
    JOIN portraits_item item ON item.job_id = job.id
    JOIN portraits_style style ON style.id = item.style_id
    LEFT JOIN portraits_portrait portrait ON portrait.item_id = item.id
    WHERE job.id = %s AND job.owner_id = %s
    ORDER BY item.position
"""
_HEAD: Final = 7


def read(owner_id: uuid.UUID, job_id: uuid.UUID, now: datetime) -> Snapshot | None:
    """The job as it is, or None: no such job, or somebody else's."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [job_id, owner_id])
        rows = cursor.fetchall()
    if not rows:
        return None
    state, lane, sequence, reference_set, created_at, ended_at, start_by = rows[0][:_HEAD]
    return Snapshot(
        id=job_id,
        state=state,
        lane=lane,
        sequence=sequence,
        reference_set=reference_set,
        created_at=created_at,
        ended_at=ended_at,
        expires_at=start_by,
        items=tuple(ItemRow(*row[_HEAD:]) for row in rows),
        place=_place(job_id, state, now),
    )


def of(job: Job, now: datetime) -> Snapshot:
    """The same of a row that was read with its items, their styles and portraits."""
    items = [
        ItemRow(
            id=item.id,
            style=item.style.slug,
            seed=item.seed,
            state=item.state,
            phase=item.phase,
            percent=item.percent,
            code=item.code,
            sequence=item.sequence,
            portrait=item.portrait.id if hasattr(item, "portrait") else None,
        )
        for item in job.items.all()
    ]
    return Snapshot(
        id=job.id,
        state=job.state,
        lane=job.lane,
        sequence=job.sequence,
        reference_set=job.references_id,
        created_at=job.created_at,
        ended_at=job.ended_at,
        expires_at=job.start_by,
        items=items,
        place=_place(job.id, job.state, now),
    )


def _place(job_id: uuid.UUID, state: str, now: datetime) -> Place | None:
    if state != Job.State.QUEUED:
        return None
    found = queue.standing(job_id, now)
    if found is None:
        return None
    eta = found.eta_seconds
    # Whole seconds: a fraction would give each poll a version of its own.
    return Place(found.position, None if eta is None else round(eta), found.notice)
