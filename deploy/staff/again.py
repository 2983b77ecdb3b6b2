"""A form that was sent with too old a proof: held while a code is typed, then offered again.

It may hold what somebody wrote to a person, so it is kept in no session and in no row: the page has
it, the browser sends it along with the code and gets it back as a form with one button. Whether it
may be sent at all is asked where it goes, as ever.
"""

import json
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest

HELD: Final = "held"
TOKEN: Final = "csrfmiddlewaretoken"  # noqa: S105, the name of a field
# What the page that asks for a code sends; no other form of the admin has a field of these names.
ANSWERS: Final = frozenset({"code", "credential"})


def arrives(request: HttpRequest) -> bool:
    """Whether a form was sent on to the page that asks, and no answer to it."""
    return request.method == "POST" and ANSWERS.isdisjoint(request.POST)


def held(request: HttpRequest) -> str:
    """The form that waits, as the text of one field; empty where none does."""
    if not arrives(request):
        return request.POST.get(HELD, "")
    said = [(name, value) for name, values in request.POST.lists() for value in values]
    return json.dumps([pair for pair in said if pair[0] != TOKEN])


def fields(text: str) -> list[tuple[str, str]]:
    """Its fields, in order. Raises BadRequest where no page of ours has made it."""
    try:
        said: Any = json.loads(text)
        return [(str(name), str(value)) for name, value in said]
    except (TypeError, ValueError):
        raise BadRequest from None
