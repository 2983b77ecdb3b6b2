"""The admin on a host of its own: there it answers and nothing else does, and nowhere else.

Another origin for the browser: no page of the API's host can read the admin's, and who may reach
that host can be decided outside (a VPN, an allow-list).
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from deploy.gate import ALWAYS_OPEN
from deploy.http import plain_error

# What the admin's pages are made of lies here.
SHARED: Final = ("/static/",)


def misplaced(request: HttpRequest) -> bool:
    """Whether this address is none of the host that was asked. Raises DisallowedHost."""
    if not settings.ADMIN_HOST:
        return False
    path = request.path
    if path in ALWAYS_OPEN or path.startswith(SHARED):
        return False
    there = split_domain_port(request.get_host())[0] == settings.ADMIN_HOST
    return there != (path == "/admin" or path.startswith("/admin/"))


class AdminHost:
    """Answers 404 to whatever is asked of the wrong host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        if misplaced(request):
            return plain_error(404, "not_found", "There is nothing at this address.")
        return self.get_response(request)
