"""Flower in the admin: passed on to whoever may see it, page by page, and nothing that acts.

Flower listens on a network of its own behind a password that the web alone has. Only its pages
that show something are asked for, only by GET; what it answers is passed on without its cookies.
"""

import re
from base64 import b64encode
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

PREFIX: Final = "/admin/flower/"
SHOWN: Final = re.compile(
    r"(workers|tasks|tasks/datatable|worker/[^/]+|task/[0-9a-f-]+|static/[\w./-]+)?"
)
SECONDS: Final = 10.0
# Its script asks for the table of tasks by POST, though it only reads; here it asks by GET.
SCRIPT: Final = "static/js/flower.js"
# It knows no queue of a broker like ours, so the link to them leads nowhere.
BROKER: Final = re.compile(
    rb'<li class="nav-item">\s*<a [^>]*href="/admin/flower/broker".*?</li>', re.S
)
ASKS: Final = re.compile(rb"type: 'POST',(\s+url: url_prefix\(\) \+ '/tasks/datatable')")


def page(request: HttpRequest, rest: str = "") -> HttpResponse:
    """One page of it, or a file that its pages are made of."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not settings.FLOWER_ADDRESS or not SHOWN.fullmatch(rest) or ".." in rest:
        raise Http404
    try:
        status, kind, body = _ask(rest, request.META.get("QUERY_STRING", ""))
    except (OSError, HTTPException):
        return HttpResponse("Flower does not answer.", content_type="text/plain", status=503)
    if rest == SCRIPT:
        body = ASKS.sub(rb"type: 'GET',\1", body)
    if kind.startswith("text/html"):
        body = BROKER.sub(b"", body)
    return HttpResponse(body, content_type=kind, status=status)


def _ask(rest: str, query: str) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = HTTPConnection(settings.FLOWER_ADDRESS, timeout=SECONDS)
    login = b64encode(settings.FLOWER_LOGIN.encode()).decode()
    try:
        address = f"{PREFIX}{quote(rest)}" + (f"?{query}" if query else "")
        connection.request("GET", address, headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", "text/html"), answer.read()
    finally:
        connection.close()
