"""The admin's page of engines: what waits for each, who paints it, how to stop and resume it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.staff import acts
from accounts.staff.pages import stepped_up
from portraits import demand, halts
from portraits.endings import LEASE
from portraits.models import Halt, Painter, Style
from portraits.painters import ALIVE_FOR
from privacy import audit
from privacy.models import Lease

RESUME: Final = "resume"
ACTS: Final = {
    RESUME: "Resume",
    Halt.Kind.PAUSED.value: "Pause",
    Halt.Kind.DRAINING.value: "Drain",
}


@dataclass(frozen=True)
class Row:
    """One engine as it stands. `seconds`: what all that waits would take one worker."""

    engine: str
    state: str
    since: datetime | None
    waiting: int
    painting: int
    seconds: float | None
    oldest: datetime | None
    workers: int
    offers: list[tuple[str, str]]


class ActForm(forms.Form):
    """What is to be done with which engine."""

    engine = forms.CharField(max_length=80)
    act = forms.ChoiceField(choices=list(ACTS.items()))


@stepped_up
def page(request: HttpRequest) -> HttpResponse:
    """The table; a POST stops an engine or lets it go on."""
    if request.method == "POST":
        form = ActForm(request.POST)
        if form.is_valid():
            _do(request, form.cleaned_data["engine"], form.cleaned_data["act"])
        else:
            messages.error(request, "Choose an engine of the table and one of its buttons.")
        return HttpResponseRedirect(reverse("admin:engines"))
    given = {**admin.site.each_context(request), "title": "Engines", "rows": rows(timezone.now())}
    return render(request, "staff/engines.html", given)


def _do(request: HttpRequest, engine: str, act: str) -> None:
    if engine not in {row.engine for row in rows(timezone.now())}:
        messages.error(request, "There is no such engine.")
        return
    verb = audit.Verb.ENGINE_RESUMED if act == RESUME else audit.Verb.ENGINE_STOPPED
    # It is done and on record, or neither.
    with transaction.atomic():
        audit.record(verb, reason=audit.Reason.STAFF)
        acts.note(request, f"deploy.{act}_engine")
        if act == RESUME:
            halts.resume(engine)
        else:
            halts.stop(engine, Halt.Kind(act), timezone.now())
    said = {
        RESUME: "goes on",
        Halt.Kind.PAUSED: "begins nothing more; orders are taken and wait",
        Halt.Kind.DRAINING: "takes no orders; what waits is painted",
    }
    messages.success(request, f"{engine} {said[act]}.")


def rows(now: datetime) -> list[Row]:
    """Every engine that has a style, a worker, work or a stop."""
    stopped = {halt.engine: halt for halt in Halt.objects.all()}
    held = Q(held_until__gte=Now())
    queues = (
        Lease.objects.filter(kind=LEASE)
        .values("queue")
        .annotate(
            painting=Count("pk", filter=held),
            waiting=Count("pk", filter=~held | Q(held_until=None)),
            cost=Sum("cost", filter=~held | Q(held_until=None)),
            oldest=Min("ready_at", filter=~held | Q(held_until=None)),
        )
    )
    work: dict[str, dict[str, Any]] = {row["queue"]: dict(row) for row in queues}
    alive = Painter.objects.filter(seen_at__gt=now - ALIVE_FOR, state=Painter.State.READY)
    workers = Counter(alive.values_list("engine", flat=True))
    names = {*stopped, *work, *workers, *Style.current().values_list("engine", flat=True)}
    seconds = demand.seconds({name: work.get(name, {}).get("cost") or 0.0 for name in names}, now)
    return [
        _row(name, stopped.get(name), work.get(name, {}), seconds.get(name), workers[name])
        for name in sorted(names)
    ]


def _row(
    name: str, halt: Halt | None, work: dict[str, Any], seconds: float | None, workers: int
) -> Row:
    return Row(
        engine=name,
        state=halt.kind if halt else "running",
        since=halt.since if halt else None,
        waiting=work.get("waiting", 0),
        painting=work.get("painting", 0),
        seconds=seconds if work.get("waiting") else None,
        oldest=work.get("oldest"),
        workers=workers,
        offers=[
            (act, label) for act, label in ACTS.items() if act != (halt.kind if halt else RESUME)
        ],
    )
