"""An owner says that something is wrong with a portrait of theirs. A reason, an id, a clock.

It owns the report and its due time. It takes no words and shows staff no picture: what is looked
into is the style, its recipe and the gates. Reporting hides nothing from its owner; whoever wants
the portrait gone deletes it. "This shows my face" by somebody else is privacy/claims.py.
"""

import uuid
from datetime import datetime

from django.db import transaction

from portraits import gallery
from portraits.errors import UnknownPortrait
from portraits.models import Report
from privacy import keys, retention


def receive(
    owner_id: uuid.UUID, portrait_id: uuid.UUID, reason: Report.Reason, now: datetime
) -> Report:
    """Note it and start its clock; the same reason again is the same report.

    Raises UnknownPortrait, for somebody else's too, and OwnerErased.
    """
    with transaction.atomic():
        keys.hold_owner(owner_id)
        portrait = gallery.find(owner_id, portrait_id, now)
        if portrait is None:
            raise UnknownPortrait
        report, _ = Report.objects.get_or_create(
            owner_id=owner_id,
            portrait_id=portrait.pk,
            reason=reason,
            defaults={
                "style": portrait.item.style,
                "created_at": now,
                "due_at": now + retention.REPORT_ANSWER,
            },
        )
    return report


def close(report_id: uuid.UUID, now: datetime) -> bool:
    """Somebody has looked into it. False: it was closed before, or there is none."""
    waiting = Report.objects.filter(pk=report_id, state=Report.State.OPEN)
    return bool(waiting.update(state=Report.State.CLOSED, closed_at=now))


def backlog(now: datetime) -> dict[str, int]:
    """How many nobody has looked into in time."""
    late = Report.objects.filter(state=Report.State.OPEN, due_at__lte=now)
    return {"reports_overdue": late.count()}
