""" "Was this made here?" A picture that anybody hands in, looked at once and destroyed.

It belongs to nobody: it is sealed to the fleet as a check that dies within two minutes and read by
the intake alone; what is kept for that long is the answer. Its id is random and known only to
whoever asked. Refuses what is too large, and who asks too often.
"""

import time
import uuid
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from portraits.errors import EmptyUpload, TooManyChecks, UnknownCheck, UploadTooLarge
from portraits.models import Check
from privacy import dispatch, keys, leases, limits, retention, vault
from privacy.audit import Reason
from privacy.models import Blob
from privacy.plain import Plain
from privacy.retention import Kind

LEASE: Final = "check"
PER_ADDRESS: Final = 30
# Pictures are looked at by the process that checks everybody's photos, which must not wait.
IN_ALL: Final = 600
WINDOW: Final = timedelta(minutes=10)


def admit(address: str, now: datetime) -> None:
    """Count a check from a network address. Raises TooManyChecks, NotReady."""
    wait = limits.take(
        [
            limits.Bucket("provenance", address, PER_ADDRESS, WINDOW),
            limits.Bucket("provenances", "all", IN_ALL, WINDOW),
        ],
        now,
    )
    if wait:
        refused = TooManyChecks()
        refused.retry_after = wait
        raise refused


def hand_in(picture: Plain, now: datetime) -> Check:
    """Seal it for the intake. Raises EmptyUpload, UploadTooLarge; then nothing is stored."""
    if not len(picture):
        raise EmptyUpload
    if len(picture) > settings.UPLOAD_MAX_BYTES:
        raise UploadTooLarge
    keys.ensure_owner(keys.SYSTEM_OWNER, now)
    draft = vault.draft(Kind.CHECK, keys.SYSTEM_OWNER, picture, now)
    try:
        with transaction.atomic():
            keys.hold_owner(keys.SYSTEM_OWNER)
            check = Check.objects.create(
                blob_id=draft.blob_id,
                created_at=now,
                expires_at=retention.deadline(Kind.CHECK, now),
            )
            if not vault.commit([draft]):
                raise UnknownCheck
            leases.open_work(LEASE, check.pk, keys.SYSTEM_OWNER)
            dispatch.send(LEASE, check.pk)
    except Exception:
        vault.discard([draft])
        raise
    return check


def find(check_id: uuid.UUID, now: datetime) -> Check:
    """A check by its id. Raises UnknownCheck, two minutes later too."""
    found = Check.objects.filter(pk=check_id, expires_at__gt=now).first()
    if found is None:
        raise UnknownCheck
    return found


def answer_to(check: Check, seconds: float) -> Check:
    """Wait a while for the intake; returns the check as it is then."""
    until = time.monotonic() + seconds
    while check.state == Check.State.LOOKING and time.monotonic() < until:
        time.sleep(0.1)
        check = Check.objects.filter(pk=check.pk).first() or check
    return check


def claim(now: datetime) -> tuple[leases.Claim, Check] | None:
    """Intake: take one to look at."""
    while held := leases.claim(LEASE):
        looking = Check.objects.filter(pk=held.work_id, state=Check.State.LOOKING)
        check = looking.filter(expires_at__gt=now).first()
        if check is None or held.attempts > leases.MAX_ATTEMPTS:
            end(held, Check.State.REFUSED, code="decode_failed")
            continue
        return held, check
    return None


def end(
    held: leases.Claim, state: Check.State, *, code: str = "", made_here: bool | None = None
) -> bool:
    """Intake: note the answer, and destroy the picture at once."""
    with transaction.atomic():
        if not leases.still_held(held):
            return False
        row = Check.objects.filter(pk=held.work_id).first()
        Check.objects.filter(pk=held.work_id, state=Check.State.LOOKING).update(
            state=state, code=code, made_here=made_here
        )
        if row is not None and row.blob_id is not None:
            vault.destroy(Blob.objects.filter(pk=row.blob_id), why=Reason.SERVED)
        return leases.close(held)


def expire(now: datetime) -> int:
    """Upkeep: forget what is older than two minutes, answered or not."""
    with transaction.atomic():
        over = list(Check.objects.filter(expires_at__lte=now).values_list("pk", flat=True))
        leases.revoke(LEASE, over)
        Check.objects.filter(pk__in=over).delete()
    return len(over)
