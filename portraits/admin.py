"""The admin's view of the product: styles and jobs as metadata, never a picture of a person."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.staff.pages import Editable, Inline, ReadOnly, act
from portraits import reports
from portraits.models import Item, Job, Report, Style


@admin.register(Style)
class StyleAdmin(Editable):
    """The catalogue. A version is retired, never deleted; its recipe is fixed."""

    list_display = ("slug", "version", "name", "engine", "published_at", "retired_at")
    fields = ("slug", "version", "name", "description", "engine", "recipe", "retired_at")
    readonly_fields = ("slug", "version", "engine", "recipe")


class ItemInline(Inline):
    """The portraits of a job and how far they are."""

    model = Item
    fields = ("position", "style", "state", "phase", "percent", "code")


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs, read only."""

    list_display = ("id", "state", "created_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("=id", "=owner__id")
    fields = ("id", "owner_id", "state", "consent_id", "created_at", "start_by", "ended_at")
    inlines = (ItemInline,)


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """What owners found wrong: by style and reason. No portrait can be opened from here."""

    list_display = ("created_at", "due_at", "style", "reason", "state")
    list_filter = ("state", "reason", "style")
    list_select_related = ("style",)
    fields = ("style", "reason", "state", "created_at", "due_at", "closed_at")
    actions = ("mark_closed",)

    @act("portraits.close_report", description="Mark as looked into")
    def mark_closed(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """One after the other; those that were closed before stay as they are."""
        for report in queryset:
            reports.close(report.pk, timezone.now())
