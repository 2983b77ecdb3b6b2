"""The admin's view of the product: styles and jobs as metadata, never a picture of a person."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from portraits.models import Item, Job, Style


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
