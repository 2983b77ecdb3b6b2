"""Append-only events: verb, actor, ids, count, time. There is no room for words."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings

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


def record(
    verb: AuditEvent.Verb,
    *,
    subject_id: uuid.UUID | None = None,
    object_id: uuid.UUID | None = None,
    count: int = 1,
    reason: AuditEvent.Reason = AuditEvent.Reason.NONE,
) -> None:
    """Insert one event, in the caller's transaction."""
    AuditEvent.objects.create(
        verb=verb,
        actor=actor(),
        reason=reason,
        subject_id=subject_id,
        object_id=object_id,
        count=count,
    )


def record_many(
    verb: AuditEvent.Verb,
    objects: Iterable[tuple[uuid.UUID, uuid.UUID]],
    *,
    reason: AuditEvent.Reason,
) -> None:
    """One event for each (object, subject), in one statement, in the caller's transaction."""
    AuditEvent.objects.bulk_create(
        [
            AuditEvent(
                verb=verb, actor=actor(), reason=reason, object_id=object_id, subject_id=subject_id
            )
            for object_id, subject_id in objects
        ],
        batch_size=EVENTS_A_STATEMENT,
    )


def opened(
    start: datetime, end: datetime, *, actor: AuditEvent.Actor | None = None
) -> Iterator[AuditEvent]:
    """Everything that was opened from `start` on and before `end`, by one role or by any."""
    rows = AuditEvent.objects.filter(verb__in=OPENINGS, at__gte=start, at__lt=end)
    if actor is not None:
        rows = rows.filter(actor=actor)
    return rows.order_by("at", "pk").iterator()
