"""Who outside must be told that something was erased (GDPR 19), and whether they have confirmed.

Pictures go to nobody but the bucket, so the list holds Apple alone (signins.py), and only for those
who sign in by it. Whoever tells somebody else registers them in an AppConfig. The erasure goes on
meanwhile; each is asked again for ever, and the receipt lists those who have not confirmed. `tell`
gets the erasure's row and nothing else, because by then there may be nothing else: what a recipient
must be told has to be kept by whoever registers it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Least

from privacy import audit
from privacy.models import Erasure, ErasureRecipient

log = logging.getLogger(__name__)

RETRY_AFTER: Final = timedelta(seconds=30)
RETRY_AT_MOST: Final = timedelta(hours=1)
COUNTED_UP_TO: Final = 1000


@dataclass(frozen=True)
class Recipient:
    """Somebody outside: `tell` answers whether they have confirmed; it may be called again.

    `concerns` says whether they know this person from us at all.
    """

    tell: Callable[[Erasure], bool]
    scopes: frozenset[str] = frozenset({Erasure.Scope.ACCOUNT})
    concerns: Callable[[Erasure], bool] = lambda erasure: True


recipients: dict[str, Recipient] = {}


def tell(erasure: Erasure, now: datetime) -> None:
    """Ask everybody who is due, once each. What they answer is noted; nothing here raises."""
    wanted = [
        name
        for name, each in recipients.items()
        if erasure.scope in each.scopes and each.concerns(erasure)
    ]
    ErasureRecipient.objects.bulk_create(
        [ErasureRecipient(erasure=erasure, name=name, next_at=now) for name in wanted],
        ignore_conflicts=True,
    )
    due = ErasureRecipient.objects.filter(erasure=erasure, confirmed_at=None, next_at__lte=now)
    for row in due.order_by("name"):
        if _confirms(row, erasure):
            _note_confirmed(row, erasure, now)
        else:
            wait = min(RETRY_AT_MOST, RETRY_AFTER * 2 ** min(row.attempts, 10))
            ErasureRecipient.objects.filter(pk=row.pk).update(
                attempts=Least(F("attempts") + 1, Value(COUNTED_UP_TO)), next_at=now + wait
            )


def pending(erasure: Erasure) -> list[str]:
    """Those who have not confirmed yet, by name."""
    rows = ErasureRecipient.objects.filter(erasure=erasure, confirmed_at=None)
    return list(rows.order_by("name").values_list("name", flat=True))


def confirmed(erasure: Erasure) -> list[str]:
    """Those who have."""
    rows = ErasureRecipient.objects.filter(erasure=erasure).exclude(confirmed_at=None)
    return list(rows.order_by("name").values_list("name", flat=True))


def next_at(erasure: Erasure, now: datetime) -> datetime:
    """When somebody is to be asked again."""
    rows = ErasureRecipient.objects.filter(erasure=erasure, confirmed_at=None)
    return rows.order_by("next_at").values_list("next_at", flat=True).first() or now


def _confirms(row: ErasureRecipient, erasure: Erasure) -> bool:
    known = recipients.get(row.name)
    told: dict[str, object] = {"erasure_id": str(erasure.pk), "kind": row.name}
    told["attempts"] = row.attempts + 1
    try:
        answer = known is not None and known.tell(erasure)
    except Exception as error:  # noqa: BLE001 - whatever they do, the erasure goes on
        log.warning("recipient_failed", extra={**told, "error": type(error).__name__})
        return False
    if not answer:
        log.warning("recipient_has_not_confirmed", extra=told)
    return answer


def _note_confirmed(row: ErasureRecipient, erasure: Erasure, now: datetime) -> None:
    with transaction.atomic():
        rows = ErasureRecipient.objects.filter(pk=row.pk, confirmed_at=None)
        if rows.update(confirmed_at=now):
            audit.record(
                audit.Verb.RECIPIENT_CONFIRMED,
                subject_id=erasure.subject_id,
                object_id=erasure.pk,
                reason=audit.Reason.ERASURE,
            )
