"""The admin's view of the product: styles, jobs and reports, never a picture of a person."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.staff.pages import Editable, Inline, ReadOnly, act
from portraits import catalogue, helping, reports, timeline, trials
from portraits.models import Item, Job, Report, Style
from privacy.errors import PrivacyError


@contextmanager
def _telling(request: HttpRequest) -> Iterator[None]:
    """What is refused is told on the page, in its sentence."""
    try:
        yield
    except PrivacyError as refusal:
        messages.error(request, str(refusal.sentence))


class StyleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A style version; what no worker could paint is refused in a sentence."""

    class Meta:
        model = Style
        fields = ("slug", "name", "description", "engine", "recipe", "position")
        help_texts: ClassVar[dict[str, str]] = {
            "slug": "What apps call it. It stays for all versions.",
            "engine": "What paints it: an engine that a worker serves.",
            "recipe": "What the engine is told, as an object: at the least its own style's name.",
            "position": "Where it stands in the gallery; smaller numbers come first.",
        }

    def clean(self) -> dict[str, Any]:
        """Drafts alone carry an engine and a recipe here."""
        found: dict[str, Any] = super().clean() or {}
        if "recipe" in self.fields and "engine" in found and "recipe" in found:
            wrong = catalogue.problems(found["engine"], found["recipe"], timezone.now())
            for name, sentence in wrong.items():
                self.add_error(name, sentence)
        return found


@admin.register(Style)
class StyleAdmin(Editable):
    """The catalogue: drafts, the version that people order, and those that were retired."""

    form = StyleForm
    list_display = ("slug", "version", "life", "name", "engine", "published_at", "retired_at")
    list_filter = ("engine",)
    search_fields = ("slug", "name")
    search_help_text = "Its short name, or its name in the gallery"
    actions_detail = ("new_draft", "publish", "retire", "discard")

    @admin.display(description="Life")
    def life(self, style: Style) -> str:
        """DRAFT → CURRENT → RETIRED."""
        if style.published_at is None:
            return "draft"
        return "current" if style.retired_at is None else "retired"

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may change styles may begin one: as a draft."""
        return bool(request.user.has_perm("portraits.change_style"))

    def get_fields(self, request: HttpRequest, obj: Style | None = None) -> tuple[str, ...]:
        """The picture and what is known of its painting, once there is a row."""
        given = StyleForm.Meta.fields
        return given if obj is None else (*given, "drawn", "fault", "published_at", "retired_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Style | None = None
    ) -> tuple[str, ...]:
        """What portraits were painted by is fixed; its name in the gallery is not."""
        if obj is None:
            return ()
        fixed = ("slug", "drawn", "fault", "published_at", "retired_at")
        return fixed if obj.published_at is None else (*fixed, "engine", "recipe")

    @admin.display(description="On the drawn subject")
    def drawn(self, style: Style) -> str | SafeString:
        """Nobody, painted by a worker; the only pictures that staff are shown."""
        if not trials.tried(style):
            return "Not painted yet. A worker does it when nothing else waits."
        where = reverse("admin:portraits_style_picture", args=[style.pk])
        return format_html('<img src="{}" alt="{}" width="192">', where, style)

    def get_urls(self) -> list[URLPattern]:
        """The picture of a version, drafts too."""
        view = self.admin_site.admin_view(self.picture)
        own = path("<uuid:pk>/picture/", view, name="portraits_style_picture")
        return [own, *super().get_urls()]

    def picture(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A JPEG of nobody."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        style = Style.objects.filter(pk=pk).first()
        found = style and trials.picture_of(style)
        if not found:
            raise Http404
        return HttpResponse(found.data, content_type="image/jpeg")

    def save_model(self, request: HttpRequest, obj: Style, form: Any, change: bool) -> None:
        """A new style begins as a draft, and a changed draft is painted anew."""
        if not change:
            obj.published_at = None
        super().save_model(request, obj, form, change)
        if obj.published_at is None and (not change or {"engine", "recipe"} & {*form.changed_data}):
            catalogue.try_out(obj)

    @act("portraits.draft_style", description="New draft")
    def new_draft(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A copy to change, while people go on ordering this one."""
        with _telling(request):
            made = catalogue.draft(uuid.UUID(object_id))
            return HttpResponseRedirect(reverse("admin:portraits_style_change", args=[made.pk]))
        return None

    @act(
        "portraits.publish_style",
        description="Publish",
        says="People order this version from now on. What was ordered of the one before is painted"
        " as it was ordered.",
    )
    def publish(self, request: HttpRequest, object_id: str) -> None:
        """People order it from now on, and the version before no more."""
        with _telling(request):
            made = catalogue.publish(uuid.UUID(object_id), timezone.now())
            messages.success(request, f"{made} can be ordered now.")

    @act(
        "portraits.retire_style",
        description="Retire",
        says="Nobody can order this style any more. What was ordered is painted, and finished"
        " portraits stay. To bring the style back, make a draft of it and publish that.",
    )
    def retire(self, request: HttpRequest, object_id: str) -> None:
        """Nobody can order it any more; what was ordered is painted."""
        if catalogue.retire(uuid.UUID(object_id), timezone.now()):
            messages.success(request, "Nobody can order this style any more.")
        else:
            messages.error(request, "Nobody could order this version.")

    @act("portraits.draft_style", description="Throw the draft away")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """Of what was published nothing can be thrown away."""
        with _telling(request):
            catalogue.discard(uuid.UUID(object_id))
            return HttpResponseRedirect(reverse("admin:portraits_style_changelist"))
        return None


class ItemInline(Inline):
    """The portraits of a job and how far they are."""

    model = Item
    fields = readonly_fields = ("position", "style", "state", "phase", "percent", "code")
    show_change_link = True


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs: what happened to them, what they wait for, and how to end one."""

    list_display = ("id", "state", "lane", "created_at", "ended_at")
    list_filter = ("state", "lane")
    ordering = ("-created_at",)
    search_fields = ("=id", "=owner__id", "=items__id")
    search_help_text = "The id of an account, of a job, or of a portrait"
    # What a person asks first stands first.
    fields = readonly_fields = (
        *("state", "waits", "story", "id", "owner_id", "lane", "consent_id"),
        *("created_at", "start_by", "end_by", "ended_at"),
    )
    inlines = (ItemInline,)
    actions_detail = ("cancel",)

    @admin.display(description="Right now")
    def waits(self, job: Job) -> str | SafeString:
        """What its open portraits wait for."""
        said = timeline.now_of(job, timezone.now())
        return format_html_join("", "<div>{}</div>", ((line,) for line in said)) or "It has ended."

    @admin.display(description="What happened")
    def story(self, job: Job) -> SafeString:
        """Oldest first."""
        moments = ((f"{at:%Y-%m-%d %H:%M:%S}", what) for at, what in timeline.of(job))
        return format_html_join("", "<div><code>{}</code> {}</div>", moments)

    @act(
        "portraits.cancel_job",
        description="Cancel",
        says="What is finished stays with its owner; the rest ends and is not counted. It cannot be"
        " taken up again.",
    )
    def cancel(self, request: HttpRequest, object_id: str) -> None:
        """Portraits that are finished stay with their owner."""
        with _telling(request):
            helping.cancel(uuid.UUID(object_id), timezone.now())
            messages.success(request, "The job is cancelled; what it had not begun is not counted.")


@admin.register(Item)
class ItemAdmin(ReadOnly):
    """Single portraits: those that failed, and those that stand still."""

    list_display = ("id", "job", "style", "state", "phase", "percent", "code", "ended_at")
    list_filter = ("state", "code", "style__engine")
    list_select_related = ("style", "job")
    search_fields = ("=id", "=job__id")
    search_help_text = "The id of a portrait, or of its job"
    fields = readonly_fields = (
        *("id", "job", "position", "style", "task", "state", "phase", "percent", "code", "why"),
        *("retried", "reseeded", "charged", "started_at", "ended_at"),
    )
    actions_detail = ("send_on",)

    @admin.display(description="Why")
    def why(self, item: Item) -> str:
        """The code in words."""
        return timeline.WHY.get(item.code, item.code) or "-"

    @act(
        "portraits.forward_item",
        description="Send on to another worker",
        says="The next free worker takes it; whoever has it now finishes nothing any more.",
    )
    def send_on(self, request: HttpRequest, object_id: str) -> None:
        """For one that is open and stands still; the try stays counted."""
        with _telling(request):
            helping.send_on(uuid.UUID(object_id), timezone.now())
            messages.success(request, "The next free worker takes it.")


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """What owners found wrong: by style and reason. No portrait can be opened from here."""

    list_display = ("created_at", "due_at", "style", "reason", "state")
    list_filter = ("state", "reason", "style")
    list_select_related = ("style",)
    fields = readonly_fields = ("style", "reason", "state", "created_at", "due_at", "closed_at")
    actions = ("mark_closed",)

    @act("portraits.close_report", description="Mark as looked into")
    def mark_closed(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """One after the other; those that were closed before stay as they are."""
        closed = sum(reports.close(report.pk, timezone.now()) for report in queryset)
        messages.success(request, f"Looked into, and closed: {closed}.")
