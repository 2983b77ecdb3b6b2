"""What staff can do for a person's job: stop it, or send an item on that stands still.

They can start nothing, and see no more of it than states and codes. Each act is in the audit trail
beside the person's own.
"""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from portraits import jobs
from portraits.endings import LEASE
from portraits.errors import AlreadyEnded
from portraits.models import Item, Job
from portraits.staff_errors import StillMoving
from privacy import audit, dispatch, leases
from privacy.models import Lease

# Work that got on within so long does not stand still.
STILL: Final = timedelta(seconds=60)


def cancel(job_id: uuid.UUID, now: datetime) -> Job:
    """As its owner could: portraits that are finished stay, nothing is counted for the rest.

    Raises Job.DoesNotExist, AlreadyEnded, OwnerErased.
    """
    owner_id = Job.objects.values_list("owner_id", flat=True).get(pk=job_id)
    with transaction.atomic():
        job = jobs.cancel(owner_id, job_id, now)
        verb, reason = audit.Verb.JOB_CANCELLED, audit.Reason.STAFF
        audit.record(verb, subject_id=owner_id, object_id=job_id, reason=reason)
    return job


def send_on(item_id: uuid.UUID, now: datetime) -> None:
    """Let any worker take an open item now; whoever holds it commits nothing any more.

    The attempt stays counted, so that nothing is tried without end. Raises Item.DoesNotExist,
    AlreadyEnded, StillMoving.
    """
    item = Item.objects.select_related("job").get(pk=item_id)
    with transaction.atomic():
        lease = Lease.objects.select_for_update().filter(kind=LEASE, work_id=item_id).first()
        if lease is None:
            raise AlreadyEnded
        held = lease.held_until is not None and lease.held_until >= now
        if held and lease.progressed_at is not None and lease.progressed_at > now - STILL:
            raise StillMoving
        leases.take_from(LEASE, item_id)
        verb, reason = audit.Verb.ITEM_SENT_ON, audit.Reason.STAFF
        audit.record(verb, subject_id=item.job.owner_id, object_id=item_id, reason=reason)
        dispatch.send(LEASE, item_id)
