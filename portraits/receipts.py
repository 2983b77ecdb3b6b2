"""The receipt of a portrait: what made it, under which consent, and that the photos are gone.

Upkeep signs it once the portrait's job has ended and no photo of it is left; before that there is
none. It is stored with the portrait and ends with it. It holds the hash of the full picture's file,
without which nobody could say which file it speaks of: whoever has the file knows the hash already,
and whoever has not learns nothing from it. It names no account. `deploy/docs/verify_receipt.py`
checks it without this project.
"""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Q

from portraits.errors import ReceiptPending
from portraits.models import Job, Portrait
from privacy import signing
from privacy.models import Blob, Consent

VERSION: Final = 1
AT_ONCE: Final = 500
# Nothing of the photos is left: a job forgets its set in the transaction that shreds them.
_OVER: Final = Q(item__job__ended_at__isnull=False, item__job__references=None) & ~Q(
    item__job__state__in=Job.OPEN
)


def read(portrait: Portrait) -> dict[str, Any]:
    """The signed receipt. Raises ReceiptPending."""
    if portrait.receipt is None:
        raise ReceiptPending
    return dict(portrait.receipt)


def sign(now: datetime) -> int:
    """Upkeep: sign what can be signed by now; returns how many."""
    due = Portrait.objects.filter(_OVER, receipt__isnull=True, blob__state=Blob.State.STORED)
    rows = due.select_related("item__job", "item__style").order_by("pk")
    total = 0
    for row in rows[:AT_ONCE]:
        receipt = signing.sign(_statement(row, now))
        total += Portrait.objects.filter(pk=row.pk, receipt__isnull=True).update(receipt=receipt)
    return total


def _statement(portrait: Portrait, now: datetime) -> dict[str, Any]:
    item, job = portrait.item, portrait.item.job
    file = bytes(portrait.sha256).hex() if portrait.sha256 is not None else None
    return {
        "version": VERSION,
        "sort": "portrait",
        "portrait": str(portrait.pk),
        "picture_sha256": file,
        "engine": item.style.engine,
        "weights_sha256": portrait.weights_sha256 or None,
        "style": item.style.slug,
        "style_version": item.style.version,
        "seed": item.seed,
        "consent_text": _consent_text(job),
        # Seen gone at this moment, which is somewhat later than they went; none without photos.
        "references_destroyed_by": now.isoformat() if job.consent_id else None,
        "created_at": portrait.created_at.isoformat(),
        "signed_at": now.isoformat(),
        "code": {"version": settings.VERSION, "build": settings.BUILD},
    }


def _consent_text(job: Job) -> dict[str, Any] | None:
    if job.consent_id is None:
        return None
    signed = Consent.objects.select_related("document").filter(pk=job.consent_id).first()
    if signed is None:
        return None
    text = signed.document
    return {
        "purpose": text.purpose,
        "version": text.version,
        "language": text.language,
        "sha256": text.sha256,
    }
