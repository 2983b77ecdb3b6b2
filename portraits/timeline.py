"""A job's life as staff are told it: what happened when and why, in sentences, by states and codes.

Nothing of what is painted is in it: no picture, no word of a prompt, no seed.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from portraits import queue
from portraits.endings import LEASE
from portraits.models import Item, Job
from privacy.models import AuditEvent, Lease

# What support staff can say to a person, by an item's code.
WHY: Final[dict[str, str]] = {
    "": "",
    "attempts_exhausted": "three workers tried it and were lost over it",
    "blocked_input": "what it was made from did not pass the look for indecency",
    "blocked_no_face": "no face was found in what was painted, twice",
    "blocked_unsafe": "what was painted did not pass the look for indecency, twice",
    "database_down": "the database was away; that is not counted",
    "engine_failed": "the engine failed; the style or its weights may be at fault",
    "engine_hung": "the engine hung and its worker was ended",
    "engine_refused": "the engine cannot paint this style in this size",
    "not_started_in_time": "no worker came to it in time; nothing was counted",
    "out_of_memory": "it did not fit into the worker's memory, not at a smaller size either",
    "portrait_erased": "its owner deleted the portrait that it was made from",
    "references_gone": "its photos had expired or were deleted",
    "restored": "a backup brought it back, and nobody asks for it any more",
    "signing_failed": "its content credentials could not be signed; see the certificate",
    "storage_down": "the bucket was away; that is not counted",
    "stopped_by_owner": "its owner withdrew the consent, or left",
    "took_too_long": "it was not painted within the time it has",
}
_ENDS: Final[dict[str, str]] = {
    Item.State.DONE: "was finished",
    Item.State.FAILED: "failed",
    Item.State.BLOCKED: "was held back",
    Item.State.CANCELLED: "was cancelled",
    Item.State.EXPIRED: "expired",
}
_ACTS: Final[dict[int, str]] = {
    AuditEvent.Verb.JOB_CANCELLED: "Staff cancelled the job.",
    AuditEvent.Verb.ITEM_SENT_ON: "Staff sent portrait {} on to another worker.",
}


class Moment(NamedTuple):
    """Something that happened."""

    at: datetime
    what: str


def of(job: Job) -> list[Moment]:
    """Everything that is known of a job, oldest first."""
    items = list(job.items.select_related("style").order_by("position"))
    asked = f"{len(items)} portrait{'s' if len(items) != 1 else ''} asked for."
    found = [Moment(job.created_at, asked)]
    for item in items:
        found += _item(item)
    found += _acts(job.pk, items)
    if job.ended_at is not None:
        found.append(Moment(job.ended_at, f"The job ended: {job.get_state_display().lower()}."))
    return sorted(found)


def now_of(job: Job, now: datetime) -> list[str]:
    """What its open portraits wait for at this moment, in sentences; empty once it has ended."""
    said = [_waits(item, lease, now) for item, lease in _open(job)]
    standing = queue.standing(job.pk, now)
    if standing is not None:
        if standing.position:
            said.append(f"{standing.position} portraits of others come before its next one.")
        if standing.eta_seconds is not None:
            said.append(f"All of it should be done in about {standing.eta_seconds:.0f} s.")
        if standing.notice:
            said.append(standing.notice)
    return said


def _item(item: Item) -> Iterator[Moment]:
    name = f"Portrait {item.position + 1} ({item.style.slug})"
    if item.started_at is not None:
        yield Moment(item.started_at, f"{name} was taken by a worker for the first time.")
    if item.ended_at is not None:
        why = WHY.get(item.code, item.code)
        yield Moment(item.ended_at, f"{name} {_ENDS[item.state]}{': ' + why if why else ''}.")


def _acts(job_id: uuid.UUID, items: Iterable[Item]) -> Iterator[Moment]:
    position = {item.pk: item.position + 1 for item in items}
    acts = AuditEvent.objects.filter(object_id__in=[job_id, *position], verb__in=_ACTS)
    for act in acts:
        number = position.get(act.object_id, "") if act.object_id else ""
        yield Moment(act.at, _ACTS[act.verb].format(number))


def _open(job: Job) -> Iterator[tuple[Item, Lease]]:
    items = {item.pk: item for item in job.items.filter(state__in=Item.OPEN)}
    for lease in Lease.objects.filter(kind=LEASE, work_id__in=items).order_by("turn"):
        yield items[lease.work_id], lease


def _waits(item: Item, lease: Lease, now: datetime) -> str:
    name = f"Portrait {item.position + 1}"
    tries = f" Tries so far: {lease.attempts}." if lease.attempts else ""
    if lease.held_until is not None and lease.held_until >= now:
        still = (now - (lease.progressed_at or now)).total_seconds()
        return f"{name}: {item.phase}, {item.percent} %; last step {still:.0f} s ago.{tries}"
    if lease.held_until is not None:
        return f"{name}: its worker is gone; another one takes it within seconds.{tries}"
    if lease.ready_at > now:
        return f"{name}: rests until {lease.ready_at:%H:%M:%S} after a fault.{tries}"
    return f"{name}: waits for its turn.{tries}"
