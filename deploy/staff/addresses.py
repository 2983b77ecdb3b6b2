"""Pages of the admin that belong to no model, each behind a permission of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from deploy.staff import engines, flower

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Page:
    """`path` lies under /admin/; `name` is its name behind "admin:"."""

    path: str
    name: str
    view: View
    permission: str

    def guarded(self) -> View:
        """Answers 403 to who does not have the permission."""

        @wraps(self.view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(self.permission):
                raise PermissionDenied
            return self.view(request, *args, **kwargs)

        return inner


PAGES: Final[tuple[Page, ...]] = (
    Page("engines/", "engines", engines.page, "deploy.open_engines"),
    Page("flower/", "flower", flower.page, "deploy.open_flower"),
    Page("flower/<path:rest>", "flower_page", flower.page, "deploy.open_flower"),
)


def patterns(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """For the site; `admin_view` is what lets none but signed-in staff through."""
    return [path(page.path, admin_view(page.guarded()), name=page.name) for page in PAGES]
