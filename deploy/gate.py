"""Nobody is served by a restored database before what people ended since has ended again.

The gate is shut when the process starts. It asks the ledger's bucket once and, open, only the
database: a count that falls means that the database was restored beneath a running web.
"""

from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext

from deploy.http import RETRY_SECONDS, DatabaseDown
from privacy import restore
from privacy.errors import PrivacyError, RestorePending

# What tells an operator how it stands, and nobody anything about a person.
ALWAYS_OPEN = ("/livez", "/readyz", "/metrics")


class Gate:
    """Shut while `seen` is None; else the database's count when it was last looked at."""

    def __init__(self) -> None:
        self.seen: int | None = None

    def check(self) -> None:
        """Raises RestorePending while a replay is due, StorageDown if the ledger does not answer.

        Once open, no bucket is asked, so a ledger that goes down later shuts nobody out.
        """
        count = restore.count()
        if self.seen is None or count < self.seen:
            self.seen = None
            if restore.pending():
                raise RestorePending
        self.seen = count


gate = Gate()


class AfterReplay:
    """Answers 503 to everything but the questions of health until the gate is open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request; behind an open gate it costs a comparison."""
        if gate.seen is None and request.path not in ALWAYS_OPEN and (refusal := shut()):
            return refusal
        return self.get_response(request)


def shut() -> HttpResponse | None:
    """Ask whether the gate may open; the answer to whoever stands before it, if it may not."""
    try:
        gate.check()
    except PrivacyError as refusal:
        return _later(refusal.code, str(refusal))
    except (OperationalError, InterfaceError):
        return _later(DatabaseDown.default_code, DatabaseDown.default_detail)
    return None


def _later(code: str, sentence: str) -> HttpResponse:
    errors: list[dict[str, Any]] = [{"code": code, "detail": gettext(sentence), "attr": None}]
    answer = JsonResponse({"type": "server_error", "errors": errors}, status=503)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
