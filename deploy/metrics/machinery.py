"""What everything runs on: periodic tasks, the webhook, database connections, readiness."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily

from deploy import health
from deploy.metrics.families import Label, gauge, number, zeros
from portraits.events import REMEMBERED
from portraits.models import Event
from privacy import periods
from privacy.models import Period
from workers.schedule import PERIODS

# What hangs must not hang a scrape, or Prometheus would see now one answer and now none: whatever
# has not answered by then counts as away.
ANSWERS_IN: Final = 1.0
_LOGINS: Final = ("web", "intake", "gpu", "upkeep", "keeper", "courier", "other")
# Who is connected, and nothing of what they ask, which this login could not see anyway.
_CONNECTIONS: Final = """
    SELECT usename, count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND usename IS NOT NULL GROUP BY 1
"""
_asker: Final = ThreadPoolExecutor(2, thread_name_prefix="metrics-needs")
_asked: dict[str, Future[bool]] = {}


def schedule(now: datetime) -> Iterator[GaugeMetricFamily]:
    """When each periodic task ran last. One that has never run is not there."""
    ran = {row.name: row.ran_at for row in Period.objects.all() if row.ran_at is not None}
    known: dict[str, Label] = {name: (name, queue) for name, (_, queue, _) in PERIODS.items()}
    yield gauge(
        "period_age_seconds",
        "How long ago this periodic task began last, by the role that runs it.",
        "period role",
        {known[name]: (now - at).total_seconds() for name, at in ran.items() if name in known},
    )
    lengths: dict[Label, float] = {
        (name, queue): seconds for name, (_, queue, seconds) in PERIODS.items()
    }
    yield gauge(
        "period_length_seconds",
        "How often this periodic task is due.",
        "period role",
        lengths,
    )
    silent = periods.silent_for() or timedelta(0)
    yield number(
        "beat_silent_seconds", "How long no periodic task has begun.", silent.total_seconds()
    )


def webhook(now: datetime) -> Iterator[GaugeMetricFamily]:
    """What the operator's endpoint has not taken."""
    waiting = Event.objects.filter(state=Event.State.WAITING)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    lost = Event.objects.filter(state=Event.State.GIVEN_UP, ended_at__gt=now - REMEMBERED)
    yield number(
        "webhook_events_waiting", "Events that the webhook has not taken yet.", found["count"]
    )
    yield number(
        "webhook_event_oldest_seconds",
        "How long the oldest of them has waited.",
        (now - (found["oldest"] or now)).total_seconds(),
    )
    yield number(
        "webhook_events_given_up_lately",
        "Events that were given up in the last day: the endpoint will not hear of them.",
        lost.count(),
    )


def connections(now: datetime) -> Iterator[GaugeMetricFamily]:
    """How much of what PostgreSQL allows is in use."""
    logins = zeros(_LOGINS)
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        for name, count in cursor.fetchall():
            login = name.removeprefix("sitter_")
            logins[login if login in _LOGINS else "other"] += count
        cursor.execute("SELECT current_setting('max_connections')::int")
        limit = cursor.fetchone()[0]
    yield gauge(
        "database_connections",
        "Connections to this database, by the role's login.",
        "login",
        logins,
    )
    yield number("database_connections_limit", "How many PostgreSQL allows in all.", limit)


def readiness() -> Iterator[GaugeMetricFamily]:
    """What `/readyz` asks; with the database away, nothing is asked that only it could tell."""
    needs: dict[str, float] = {health.DATABASE.name: _answers(health.DATABASE)}
    needs[health.BUCKET.name] = _answers(health.BUCKET)
    there = bool(needs[health.DATABASE.name])
    needs |= {need.name: there and health.met(need) for need in health.ROWS}
    needs["ledger"] = there and not health.without_ledger()
    yield gauge(
        "need_met",
        "Whether this is there; without any of them nobody is served.",
        "need",
        needs,
    )
    yield number("ready", "Whether requests can be served, as /readyz says.", all(needs.values()))


def _answers(need: health.Need) -> bool:
    before = _asked.get(need.name)
    if before is not None and not before.done():
        return False  # it was asked at an earlier scrape, and still has not answered
    asked = _asked[need.name] = _asker.submit(_met, need)
    try:
        return asked.result(ANSWERS_IN)
    except NotInTime:
        return False


def _met(need: health.Need) -> bool:
    """In a thread of its own, whose connection goes back to the pool."""
    try:
        return health.met(need)
    finally:
        connection.close()
