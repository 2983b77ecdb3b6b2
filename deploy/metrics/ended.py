"""What has ended lately: portraits by outcome with their waits, photos by verdict.

Portraits are found by a BRIN index on the time of their end, photos by their id, whose first bits
are the time of its making; nothing older is read.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily

from deploy.metrics.families import Label, gauge, zeros
from portraits import refusals
from portraits.models import Item, Photo

LATELY: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
OUTCOMES: Final = tuple(state.value for state in Item.State if state not in Item.OPEN)
# What holds a portrait back (workers/outlet.py, which the web does not load because it opens
# pictures); any other code is counted as "other".
BLOCKED: Final = ("blocked_unsafe", "blocked_no_face", "blocked_input")
CODES: Final = (*refusals.FILE, *refusals.FACE)
QUANTILES: Final = (0.5, 0.95)
_ENDED: Final = """
    SELECT COALESCE(NULLIF(item.engine, ''), style.engine), item.state,
        CASE WHEN item.state = 'blocked' THEN item.code ELSE '' END, count(*)
    FROM portraits_item AS item JOIN portraits_style AS style ON style.id = item.style_id
    WHERE item.ended_at > %s GROUP BY 1, 2, 3
"""
_TAKEN: Final = """
    SELECT COALESCE(NULLIF(item.engine, ''), style.engine),
        percentile_cont(%s::float8[]) WITHIN GROUP (
            ORDER BY extract(epoch FROM item.started_at - job.created_at)),
        percentile_cont(%s::float8[]) WITHIN GROUP (
            ORDER BY extract(epoch FROM item.ended_at - item.started_at))
    FROM portraits_item AS item
    JOIN portraits_style AS style ON style.id = item.style_id
    JOIN portraits_job AS job ON job.id = item.job_id
    WHERE item.ended_at > %s AND item.state = 'done' GROUP BY 1
"""


def look(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Portraits of the last 15 minutes, photos of the last hour."""
    yield from _portraits(now - LATELY)
    yield from _times(now - LATELY)
    yield from _photos(now)


def _portraits(since: datetime) -> Iterator[GaugeMetricFamily]:
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [since])
        rows = cursor.fetchall()
    ended = zeros((engine, outcome) for engine, *_ in rows for outcome in OUTCOMES)
    held_back: Counter[Label] = Counter(dict.fromkeys((*BLOCKED, "other"), 0))
    for engine, state, code, count in rows:
        ended[engine, state] += count
        if state == Item.State.BLOCKED:
            held_back[code if code in BLOCKED else "other"] += count
    yield gauge(
        "items_ended_lately",
        "Portraits that have ended in the last 15 minutes.",
        "engine outcome",
        ended,
    )
    yield gauge(
        "items_blocked_lately",
        "Portraits that a safety gate has held back in the last 15 minutes, by its reason.",
        "code",
        dict(held_back),
    )


def _times(since: datetime) -> Iterator[GaugeMetricFamily]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [list(QUANTILES), list(QUANTILES), since])
        rows = cursor.fetchall()
    waits: dict[Label, float] = {}
    paints: dict[Label, float] = {}
    for engine, waited, painted in rows:
        for found, values in ((waits, waited), (paints, painted)):
            pairs = zip(QUANTILES, values or (), strict=False)
            found.update({(engine, str(q)): float(value) for q, value in pairs})
    yield gauge(
        "item_wait_seconds_lately",
        "From asking to being taken, of portraits done in the last 15 minutes.",
        "engine quantile",
        waits,
    )
    yield gauge(
        "item_paint_seconds_lately",
        "From being taken to being kept, of portraits done in the last 15 minutes.",
        "engine quantile",
        paints,
    )


def _photos(now: datetime) -> Iterator[GaugeMetricFamily]:
    recent = Photo.objects.filter(pk__gte=first_id(now - HOUR)).values_list("state", "code")
    states = zeros(state.value for state in Photo.State)
    codes: Counter[Label] = Counter(dict.fromkeys((*CODES, "other"), 0))
    for state, code, count in recent.annotate(count=Count("pk")).order_by("state", "code"):
        states[state] += count
        if state == Photo.State.REFUSED:
            codes[code if code in CODES else "other"] += count
    yield gauge(
        "photos_lately",
        "Photos sent in the last hour that are still in their sets, by what became of them.",
        "state",
        states,
    )
    yield gauge(
        "photos_refused_lately",
        "Refused photos of the last hour that are still in their sets, by reason.",
        "code",
        dict(codes),
    )


def first_id(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of a moment: what was made since has a greater one."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
