"""The admin's site: no page opens without both factors, and a session that nobody uses ends."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from accounts.staff import session
from accounts.staff.pages import stepped_up
from deploy.staff import addresses, enrolment, signin


class StaffSite(UnfoldAdminSite):
    """Named by deploy/staff/apps.py."""

    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, in a session that began with a password and a second factor."""
        return bool(super().has_permission(request) and session.of_staff(request.session))

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Each page that is opened puts off the end of the session."""

        def used(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            session.touch(request.session, timezone.now())
            return view(request, *args, **kwargs)

        guarded: Callable[..., Any] = super().admin_view(update_wrapper(used, view), cacheable)
        return guarded

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """By password and code."""
        return signin.page(request, here=self.has_permission(request))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own, behind a fresh proof."""
        return stepped_up(super().password_change, keep=False)(request, extra_context)

    def extra_urls(self) -> list[URLPattern]:
        """Unfold asks for them: what Django's admin has no page for."""
        return [
            path("enrol/", enrolment.page, name="enrol"),
            path("prove/", self.admin_view(signin.prove), name="prove"),
            *addresses.patterns(self.admin_view),
        ]
