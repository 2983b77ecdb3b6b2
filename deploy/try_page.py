"""`/try/`: the whole product in a browser. One page that knows no more than the public API."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

# Pictures that the API sent are shown from memory (blob:); nothing else may be loaded, run or sent.
CSP: Final = (
    "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


@require_safe
def try_page(request: HttpRequest) -> HttpResponse:
    """The page; its words are in try/words.js."""
    response = render(request, "try/page.html")
    response["Content-Security-Policy"] = CSP
    return response
