"""Whether somebody has proved within the last minutes who they are, by whatever they have."""

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings


def recently(session: Any) -> bool:
    """allauth notes in the session when the person last confirmed who they are."""
    confirmed = [
        record.get("at", 0)
        for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        if record.get("reauthenticated")
    ]
    return time.time() - max(confirmed, default=0) <= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
