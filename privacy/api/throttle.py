"""How often one person, one device and one network address may ask, over all web processes.

It protects the service from a client that runs wild, and is no promise to anybody: allowances and
caps, which are, stand in the database. So when Valkey does not answer, requests pass; what must
not pass uncounted (signing in, reports without an account) asks privacy.limits itself.
"""

from datetime import timedelta
from typing import Any, Final

import structlog
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from privacy.errors import NotReady, TooManyRequests
from privacy.limits import Bucket, take

log = structlog.get_logger(__name__)
MINUTE: Final = timedelta(minutes=1)
# Somebody has more than one device, and behind one address there may be a whole company.
DEVICES: Final = 2
PEOPLE: Final = 10


def admit(person: str | None, device: str | None, address: str | None) -> None:
    """Count one request. Raises TooManyRequests."""
    limit = settings.REQUESTS_A_MINUTE
    if not limit:
        return
    buckets = [
        Bucket("device", device or "", limit, MINUTE),
        Bucket("person", person or "", DEVICES * limit, MINUTE),
        Bucket("address", address or "", (PEOPLE if person else 1) * limit, MINUTE),
    ]
    try:
        wait = take([bucket for bucket in buckets if bucket.who], timezone.now())
    except NotReady:
        log.warning("requests_not_counted")
        return
    if wait:
        refused = TooManyRequests()
        refused.retry_after = wait
        raise refused


class Throttle(BaseThrottle):
    """For every view of REST framework."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """True, or TooManyRequests."""
        person = str(request.user.pk) if request.user and request.user.pk else None
        # The session is the device; its key is the token, of which only a hash is kept.
        device = request.headers.get("X-Session-Token") if person else None
        admit(person, device, get_adapter().get_client_ip(request._request))
        return True
