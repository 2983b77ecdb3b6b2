"""Traces and error reports, made from our own log lines. Both are off unless they have an address.

Whatever leaves here was a line of deploy/logs.py first, so its allow-list is the one fence: ids,
routes by their pattern, statuses, codes and durations. No request, exception or query is ever
looked at. The libraries belong to extras, and are loaded only where they are used.
"""

import atexit
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from deploy import logs

# Setting → (module of ours, what it needs, the extra that brings it).
KINDS: Final = {
    "OTLP_ENDPOINT": ("deploy.telemetry.traces", "opentelemetry.exporter", "opentelemetry"),
    "SENTRY_DSN": ("deploy.telemetry.reports", "sentry_sdk", "sentry"),
}


def start() -> None:
    """Listen to this process's lines. Raises ImproperlyConfigured without the library."""
    for setting, (module, library, extra) in KINDS.items():
        address = getattr(settings, setting)
        if not address:
            continue
        if not _installed(library):
            raise ImproperlyConfigured(
                f"SITTER_{setting} is set and its library is not installed: it belongs to the extra"
                f" `{extra}` (pip install 'sitter[{extra}]')."
            )
        # By its name, because nothing else may load the library.
        listener: Any = import_module(module).Listener(
            address, role=str(settings.ROLE), version=settings.VERSION, build=settings.BUILD
        )
        logs.listeners.append(listener)
        atexit.register(listener.close)


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:
        return False
