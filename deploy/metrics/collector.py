"""All metrics at one moment, computed when asked: one truth, however many processes answer.

A part that fails is left out and named; the others are told all the same. Every part reads in a
transaction of its own that can write nothing and ends after a few seconds.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from deploy.metrics import ended, machinery, promises, waiting
from deploy.metrics.families import Label, gauge, number

log = structlog.get_logger(__name__)

STATEMENT_TIMEOUT: Final = "3s"
PARTS: Final[dict[str, Callable[[datetime], Iterable[GaugeMetricFamily]]]] = {
    "waiting": waiting.look,
    "ended": ended.look,
    "promises": promises.look,
    "keys": promises.keys,
    "proof": promises.proof,
    "schedule": machinery.schedule,
    "webhook": machinery.webhook,
    "connections": machinery.connections,
}


class Collector:
    """What prometheus_client asks for everything."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Readiness first: with the database away, nothing else is asked."""
        now, began = timezone.now(), time.monotonic()
        answers = True
        for family in machinery.readiness():
            if family.name == "sitter_need_met":
                answers = any(s.value for s in family.samples if s.labels["need"] == "database")
            yield family
        failed: dict[Label, float] = {}
        for name, look in PARTS.items():
            found = _read(name, look, now) if answers else None
            failed[name] = found is None
            yield from found or ()
        yield gauge(
            "metrics_part_failed",
            "Whether this part of the metrics could not be read and is missing.",
            "part",
            failed,
        )
        yield number(
            "metrics_seconds", "How long computing all of this took.", time.monotonic() - began
        )


def _read(
    name: str, look: Callable[[datetime], Iterable[GaugeMetricFamily]], now: datetime
) -> list[GaugeMetricFamily] | None:
    try:
        with _bounded():
            return list(look(now))
    except (DatabaseError, InterfaceError, OperationalError) as error:
        log.warning("metrics_part_failed", kind=name, error=type(error).__name__)
        return None


@contextmanager
def _bounded() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
        yield


_registry: Final = CollectorRegistry()
_registry.register(Collector())


def text() -> bytes:
    """Everything, in Prometheus' own form."""
    return generate_latest(_registry)
