"""What waits and who works on it: open portraits, leases, GPU seconds, painters.

A lease exists only while its work is open, so the one reading of that table costs what is open and
not what has been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily

from deploy.metrics.families import Label, gauge, number, zeros
from portraits import demand, references, scheduling
from portraits.checks import LEASE as CHECK
from portraits.endings import LEASE
from portraits.events import LEASE as WEBHOOK
from portraits.models import Halt, Painter, Style
from portraits.painters import ALIVE_FOR
from privacy import erasure, export

KINDS: Final = (LEASE, references.LEASE, CHECK, erasure.LEASE, WEBHOOK, *export.LEASES.values())
STATES: Final = ("waiting", "resting", "held", "expired")
_LEASES: Final = """
    SELECT kind, CASE WHEN kind = %s THEN queue ELSE '' END, lane,
        CASE WHEN held_until >= statement_timestamp() THEN 'held'
             WHEN held_until IS NOT NULL THEN 'expired'
             WHEN ready_at > statement_timestamp() THEN 'resting'
             ELSE 'waiting' END AS state,
        count(*),
        count(*) FILTER (WHERE attempts > (held_until IS NOT NULL)::int),
        sum(cost),
        extract(epoch FROM statement_timestamp() - min(ready_at))::float8
    FROM privacy_lease GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Group:
    """Leases of one kind, engine, lane and state."""

    kind: str
    engine: str
    lane: str
    state: str
    count: int
    again: int
    cost: float
    oldest: float

    @property
    def free(self) -> bool:
        """Whether somebody could take it now."""
        return self.state in ("waiting", "expired")


def look(now: datetime) -> Iterator[GaugeMetricFamily]:
    """The queue and all other background work."""
    with connection.cursor() as cursor:
        cursor.execute(_LEASES, [LEASE])
        groups = [Group(*row) for row in cursor.fetchall()]
    engines = {group.engine for group in groups if group.kind == LEASE}
    engines |= set(Style.current().values_list("engine", flat=True))
    yield from _items([group for group in groups if group.kind == LEASE], engines, now)
    yield from _leases(groups)
    yield from _painters(engines, now)
    stopped: list[Label] = list(Halt.objects.values_list("engine", "kind"))
    yield gauge(
        "engines_stopped",
        "Engines that an operator has paused, or that take no orders.",
        "engine kind",
        dict.fromkeys(stopped, 1.0),
    )


def _items(groups: list[Group], engines: set[str], now: datetime) -> Iterator[GaugeMetricFamily]:
    lanes = tuple(scheduling.WEIGHTS)
    opened = zeros(
        (engine, lane, state) for engine in engines for lane in lanes for state in STATES
    )
    oldest = zeros(lanes)
    waiting, painting = dict.fromkeys(engines, 0.0), dict.fromkeys(engines, 0.0)
    for group in groups:
        opened[group.engine, group.lane, group.state] = group.count
        if group.free:
            oldest[group.lane] = max(oldest.get(group.lane, 0.0), group.oldest)
        if group.state == "held":
            painting[group.engine] += group.cost / 2
        else:
            waiting[group.engine] += group.cost
    yield gauge(
        "items_open",
        "Portraits that are asked for and not ended. Held: somebody paints it; expired: whoever"
        " painted it is gone; resting: to be tried again after a pause.",
        "engine lane state",
        opened,
    )
    yield number(
        "items_open_limit",
        "Open portraits beyond which new jobs are refused.",
        settings.QUEUE_LIMIT,
    )
    yield gauge(
        "item_oldest_waiting_seconds",
        "How long the portrait that has waited longest could have been taken.",
        "lane",
        oldest,
    )
    yield gauge(
        "gpu_seconds_waiting",
        "How long one worker of this engine would take for all that waits, by the table of costs"
        " and the rates that its workers have measured.",
        "engine",
        demand.seconds(waiting, now),
    )
    yield gauge(
        "gpu_seconds_painting",
        "The same for what is being painted, which is taken to be half done.",
        "engine",
        demand.seconds(painting, now),
    )


def _leases(groups: list[Group]) -> Iterator[GaugeMetricFamily]:
    counts = zeros((kind, state) for kind in KINDS for state in STATES)
    again, oldest = zeros(KINDS), zeros(KINDS)
    for group in groups:
        counts[group.kind, group.state] = counts.get((group.kind, group.state), 0) + group.count
        again[group.kind] = again.get(group.kind, 0) + group.again
        if group.free:
            oldest[group.kind] = max(oldest.get(group.kind, 0), group.oldest)
    yield gauge("leases", "Open background work by kind and by who has it.", "kind state", counts)
    yield gauge(
        "leases_tried_before",
        "Open background work of which at least one attempt has failed.",
        "kind",
        again,
    )
    yield gauge(
        "lease_oldest_waiting_seconds",
        "How long the work that has waited longest could have been taken.",
        "kind",
        oldest,
    )


def _painters(engines: set[str], now: datetime) -> Iterator[GaugeMetricFamily]:
    alive = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR).values_list("engine", "state")
    counts = zeros((engine, Painter.State.READY.value) for engine in engines)
    for engine, state, count in alive.annotate(count=Count("pk")).order_by("engine", "state"):
        counts[engine, state] = count
    yield gauge(
        "painters", "Workers that have said within 30 s that they live.", "engine state", counts
    )
