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

from deploy.http import page_not_found, plain_error
from deploy.metrics import collector

FRESH_FOR: Final = 3.0


class Kept:
    """The last answer, and who computes the next one."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._at = float("-inf")
        self._text = b""

    def text(self) -> bytes:
        """One caller computes; those who come meanwhile wait and are told the same."""
        with self._turn:
            if time.monotonic() - self._at >= FRESH_FOR:
                self._text = collector.text()
                self._at = time.monotonic()
            return self._text


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
    return HttpResponse(kept.text(), content_type=CONTENT_TYPE_LATEST)
