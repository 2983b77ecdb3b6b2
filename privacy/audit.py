"""Append-only events: verb, actor, ids, count, time. There is no room for words."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import uuid7
from privacy.models import AuditEvent

Verb = AuditEvent.Verb
Actor = AuditEvent.Actor
Reason = AuditEvent.Reason
# What makes something readable to somebody; nothing else does.
OPENINGS = (Verb.BLOB_READ, Verb.EVIDENCE_OPENED)
EVENTS_A_STATEMENT = 5000


def actor() -> AuditEvent.Actor:
    """The role of this process; anything that is not a service is an operator."""
    return getattr(AuditEvent.Actor, str(settings.ROLE).upper(), AuditEvent.Actor.OPERATOR)


# Written out, as every change of anything personal comes by here: building it from the model took
# several times as long as sending it.
_WRITE: Final = """
    INSERT INTO privacy_auditevent (id, at, verb, actor, reason, count, object_id, subject_id)
    SELECT id, %s, %s, %s, %s, %s, object_id, subject_id
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS event (id, object_id, subject_id)
"""


def record(
    verb: AuditEvent.Verb,
    *,
    subject_id: uuid.UUID | None = None,
    object_id: uuid.UUID | None = None,
    count: int = 1,
    reason: AuditEvent.Reason = AuditEvent.Reason.NONE,
) -> None:
    """Insert one event, in the caller's transaction."""
    _write(verb, [(object_id, subject_id)], count, reason)


def record_many(
    verb: AuditEvent.Verb,
    objects: Iterable[tuple[uuid.UUID, uuid.UUID]],
    *,
    reason: AuditEvent.Reason,
) -> None:
    """One event for each (object, subject), in the caller's transaction."""
    found = list(objects)
    for start in range(0, len(found), EVENTS_A_STATEMENT):
        _write(verb, found[start : start + EVENTS_A_STATEMENT], 1, reason)


def _write(
    verb: AuditEvent.Verb,
    objects: Sequence[tuple[uuid.UUID | None, uuid.UUID | None]],
    count: int,
    reason: AuditEvent.Reason,
) -> None:
    said: list[Any] = [timezone.now(), int(verb), int(actor()), int(reason), count]
    ids = [uuid7() for _ in objects]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*said, ids, *map(list, zip(*objects, strict=True))])


def opened(
    start: datetime, end: datetime, *, actor: AuditEvent.Actor | None = None
) -> Iterator[AuditEvent]:
    """Everything that was opened from `start` on and before `end`, by one role or by any."""
    rows = AuditEvent.objects.filter(verb__in=OPENINGS, at__gte=start, at__lt=end)
    if actor is not None:
        rows = rows.filter(actor=actor)
    return rows.order_by("at", "pk").iterator()
