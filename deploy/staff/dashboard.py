"""The admin's first page: how the installation stands, from the same questions that metrics ask.

Numbers of everybody together; no person is in it.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from portraits.endings import LEASE
from portraits.models import Item, Painter, Report
from portraits.painters import ALIVE_FOR
from privacy import periods, retention, sweeps
from privacy.models import Blob, Case

DAY: Final = timedelta(hours=24)
# Of Chart.js; what Unfold takes without any shows neither numbers nor names.
OPTIONS: Final = {
    "maintainAspectRatio": False,
    "spanGaps": True,
    "plugins": {"legend": {"display": True, "align": "end"}},
    "scales": {
        "x": {"grid": {"display": False}},
        "y": {"beginAtZero": True},
    },
}
_OPEN: Final = """
    SELECT count(*) FILTER (WHERE held_until >= statement_timestamp()),
        count(*) FILTER (WHERE held_until IS NULL OR held_until < statement_timestamp()),
        extract(epoch FROM statement_timestamp() - min(ready_at) FILTER (
            WHERE held_until IS NULL OR held_until < statement_timestamp()))::float8
    FROM privacy_lease WHERE kind = %s
"""
_HOURS: Final = """
    SELECT date_trunc('hour', item.ended_at) AS hour,
        count(*) FILTER (WHERE item.state = 'done'),
        count(*) FILTER (WHERE item.state = 'failed'),
        count(*) FILTER (WHERE item.state = 'blocked'),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
            ORDER BY extract(epoch FROM item.ended_at - job.created_at))
            FILTER (WHERE item.state = 'done')
    FROM portraits_item AS item JOIN portraits_job AS job ON job.id = item.job_id
    WHERE item.ended_at > %s GROUP BY 1 ORDER BY 1
"""
_QUANTILES: Final = """
    SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
        ORDER BY extract(epoch FROM item.ended_at - job.created_at))
    FROM portraits_item AS item JOIN portraits_job AS job ON job.id = item.job_id
    WHERE item.ended_at > %s AND item.state = 'done'
"""


@dataclass(frozen=True)
class Card:
    """A number with a name; `well` is None where it is neither good nor bad."""

    title: str
    value: str
    says: str
    well: bool | None = None
    link: str = ""


@dataclass(frozen=True)
class Hour:
    """What ended in an hour; the waits are in seconds, from asking to the end."""

    at: datetime
    done: int
    failed: int
    blocked: int
    p50: float | None
    p95: float | None


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    """For unfold's dashboard: the cards and the two charts."""
    now = timezone.now()
    hours = last_day(now)
    return {
        **given,
        "cards": cards(request.user, now, hours),
        "charts": charts(hours),
        "asked_at": now,
    }


def last_day(now: datetime) -> list[Hour]:
    """The last 24 hours by the clock, those without a portrait too."""
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [now - DAY])
        found = {row[0]: row for row in cursor.fetchall()}
    first = (now - DAY).replace(minute=0, second=0, microsecond=0)
    marks = [first + timedelta(hours=hour) for hour in range(25)]
    return [_hour(mark, found.get(mark)) for mark in marks]


def _hour(mark: datetime, row: tuple[Any, ...] | None) -> Hour:
    if row is None:
        return Hour(mark, 0, 0, 0, None, None)
    _, done, failed, blocked, waits = row
    p50, p95 = (float(wait) for wait in waits) if waits else (None, None)
    return Hour(mark, done, failed, blocked, p50, p95)


def cards(user: Any, now: datetime, hours: list[Hour]) -> list[Card]:
    """What somebody should see first; what leads to a page of their role has its link."""
    return [
        *_queue(user.has_perm("portraits.view_item"), now),
        *_success(now, hours),
        _kept(now),
        *_requests(user, now),
    ]


def _queue(linked: bool, now: datetime) -> list[Card]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [LEASE])
        painting, waiting, oldest = cursor.fetchone()
    fresh = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR, state=Painter.State.READY)
    workers = fresh.values("holder").distinct().count()
    full = waiting + painting >= settings.QUEUE_LIMIT
    link = reverse("admin:portraits_item_changelist") if linked else ""
    return [
        Card(
            *("In the queue", str(waiting), f"{painting} more are being painted"),
            well=not full,
            link=link and f"{link}?state__exact=queued",
        ),
        Card(
            "Waiting longest",
            "nobody" if oldest is None else _time(max(0.0, oldest)),
            "since it could have been taken",
            well=oldest is None or oldest < 300,
        ),
        Card("Workers that paint", str(workers), "seen within 30 s", well=workers > 0),
    ]


def _success(now: datetime, hours: list[Hour]) -> list[Card]:
    done, failed = sum(hour.done for hour in hours), sum(hour.failed for hour in hours)
    blocked = sum(hour.blocked for hour in hours)
    ended = done + failed + blocked
    with connection.cursor() as cursor:
        cursor.execute(_QUANTILES, [now - DAY])
        (waits,) = cursor.fetchone()
    lately = Item.objects.filter(ended_at__gt=now - timedelta(hours=1), state=Item.State.DONE)
    rate = f"{100 * done / ended:.1f} %" if ended else "no portraits"
    return [
        Card(
            *("Success", rate, f"{failed} failed and {blocked} held back in 24 h"),
            well=None if not ended else done >= 0.95 * ended,
        ),
        Card(
            "From asking to done",
            f"{_time(waits[0])} / {_time(waits[1])}" if waits else "no portraits",
            "half of them / 95 of 100, in 24 h",
        ),
        Card("Portraits in the last hour", str(lately.count()), f"{done} in 24 h"),
    ]


def _kept(now: datetime) -> Card:
    # The web may not read every table that a term ends, so those are as upkeep has counted them.
    counts, _ = periods.noted(sweeps.BACKLOG) or ({}, None)
    late = sum(count for name, count in counts.items() if name.endswith("_past_term"))
    late += (
        Blob.objects.filter(expires_at__lte=now - retention.BLOB_GRACE)
        .exclude(state=Blob.State.SHREDDED)
        .count()
    )
    says = "nothing is kept past its time" if not late else "see the runbook past-deadline"
    return Card("Past their time", str(late), says, well=not late)


def _requests(user: Any, now: datetime) -> list[Card]:
    """What people wait for staff to do, with the next date of each sort."""
    reports = Report.objects.filter(state=Report.State.OPEN).values_list("due_at", flat=True)
    # Of those that were asked for twice only the first is counted; they are answered together.
    cases = Case.objects.filter(state=Case.State.OPEN, lead=None)
    unanswered = cases.filter(answered_at=None).values_list("first_due_at", flat=True)
    answered = cases.exclude(answered_at=None).values_list("due_at", flat=True)
    sorts = (
        ("Requests", [*unanswered, *answered], "privacy", "case"),
        ("Reports", [*reports], "portraits", "report"),
    )
    return [_dated(user, now, *sort) for sort in sorts]


def _dated(user: Any, now: datetime, title: str, dates: list[datetime], app: str, of: str) -> Card:
    first = min(dates, default=None)
    says = "none is open" if first is None else _due(first - now)
    may = user.has_perm(f"{app}.view_{of}")
    link = reverse(f"admin:{app}_{of}_changelist") if may else ""
    return Card(title, str(len(dates)), says, well=first is None or first > now, link=link)


def _due(left: timedelta) -> str:
    late = left < timedelta(0)
    return f"the first is {_time(abs(left).total_seconds())} {'late' if late else 'from its date'}"


def _time(seconds: float) -> str:
    """In the largest unit that says enough."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def charts(hours: list[Hour]) -> dict[str, str]:
    """Two drawings, as Chart.js reads them."""
    labels = [f"{hour.at:%H}:00" for hour in hours]
    bars = {
        "Done": ([hour.done for hour in hours], "var(--color-primary-600)"),
        "Failed": ([hour.failed for hour in hours], "#dc2626"),
        "Held back": ([hour.blocked for hour in hours], "#d97706"),
    }
    lines = {
        "Half of them": ([hour.p50 for hour in hours], "var(--color-primary-600)"),
        "95 of 100": ([hour.p95 for hour in hours], "#d97706"),
    }
    return {
        "portraits": _drawing(labels, "backgroundColor", bars),
        "waits": _drawing(labels, "borderColor", lines),
        "options": json.dumps(OPTIONS),
    }


def _drawing(labels: list[str], paint: str, lines: dict[str, tuple[list[Any], str]]) -> str:
    sets = [
        {"label": name, "data": data, paint: tone, "pointRadius": 3}
        for name, (data, tone) in lines.items()
    ]
    return json.dumps({"labels": labels, "datasets": sets})
