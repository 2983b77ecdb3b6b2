"""`GET /metrics`: for whoever knows the token, and not there at all where none is set.

What was computed a moment ago is told again, so that scraping, however often, costs the database
one reading every few seconds a process.
"""

import threading
import time
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from deploy.http import DatabaseDown, page_not_found, plain_error
from deploy.metrics import collector

FRESH_FOR: Final = 3.0
# Behind a reading that hangs nobody queues up for longer.
TURN_COMES_IN: Final = 5.0


class Kept:
    """The last answer, and who computes the next one."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._at = float("-inf")
        self._text = b""

    def text(self) -> bytes | None:
        """One caller computes; those who come meanwhile are told the same, or None if it hangs."""
        if not self._turn.acquire(timeout=TURN_COMES_IN):
            return None
        try:
            if time.monotonic() - self._at >= FRESH_FOR:
                self._text = collector.text()
                self._at = time.monotonic()
            return self._text
        finally:
            self._turn.release()


kept = Kept()


def metrics(request: HttpRequest) -> HttpResponse:
    """All numbers of the installation; none of them is a person's."""
    if not settings.METRICS_TOKEN:
        return page_not_found(request, LookupError())
    said = request.headers.get("Authorization", "")
    if not constant_time_compare(said, f"Bearer {settings.METRICS_TOKEN}"):
        refused = plain_error(401, "not_authenticated", "Send the token of the metrics as bearer.")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    text = kept.text()
    if text is None:
        return plain_error(503, DatabaseDown.default_code, DatabaseDown.default_detail)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
