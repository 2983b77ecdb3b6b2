"""The admin's view of the product: styles and jobs as metadata, never a picture of a person."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from portraits import reports
from portraits.models import Item, Job, Report, Style


@admin.register(Style)
class StyleAdmin(ModelAdmin):
    """The catalogue. A version is retired, never deleted; its recipe is fixed."""

    list_display = ("slug", "version", "name", "engine", "published_at", "retired_at")
    fields = ("slug", "version", "name", "description", "engine", "recipe", "retired_at")
    readonly_fields = ("slug", "version", "engine", "recipe")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Versions come with migrations."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Portraits point at the version that they were painted by."""
        return False


class ItemInline(TabularInline):
    """The portraits of a job and how far they are."""

    model = Item
    fields = readonly_fields = ("position", "style", "state", "phase", "percent", "code")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody but its owner starts a generation."""
        return False


@admin.register(Job)
class JobAdmin(ModelAdmin):
    """Jobs, read only."""

    list_display = ("id", "state", "created_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("=id", "=owner__id")
    fields = ("id", "owner_id", "state", "consent_id", "created_at", "start_by", "ended_at")
    inlines = (ItemInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody but its owner starts a generation."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Metadata is looked at, not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Erasure deletes; staff do not."""
        return False


@admin.register(Report)
class ReportAdmin(ModelAdmin):
    """What owners found wrong: by style and reason. No portrait can be opened from here."""

    list_display = ("created_at", "due_at", "style", "reason", "state")
    list_filter = ("state", "reason", "style")
    list_select_related = ("style",)
    fields = readonly_fields = ("style", "reason", "state", "created_at", "due_at", "closed_at")
    actions = ("mark_closed",)

    @admin.action(description="Mark as looked into")
    def mark_closed(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """One after the other; those that were closed before stay as they are."""
        for report in queryset:
            reports.close(report.pk, timezone.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Owners report."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """The sweep ends them by their term."""
        return False
