"""Append-only events: verb, actor, ids, count, time. There is no room for words."""

import uuid

from django.conf import settings

from privacy.models import AuditEvent

Verb = AuditEvent.Verb
Reason = AuditEvent.Reason


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
