"""One job, read as cheaply as it is asked for: with a version, a pause, and a wait if wished."""

import uuid
from time import monotonic
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from portraits.asking import AskingView, look, look_again, read, token_of
from portraits.errors import NonsenseWait
from portraits.job_json import Snapshot
from portraits.listening import ear
from portraits.serializers import JobSerializer

LONGEST_WAIT: Final = 30
# A session that was looked at so long ago is looked at again before anything is told.
FRESH: Final = 4.0

WAIT = OpenApiParameter(
    "wait",
    int,
    description="Hold the answer back until the job differs from what If-None-Match names, or from "
    "what it was when asked, for so many seconds at most (0 to 30).",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of the last answer."
)
NOT_MODIFIED = OpenApiResponse(description="It is as If-None-Match says.")


class JobView(AskingView):
    """One job."""

    @extend_schema(
        operation_id="getJob",
        parameters=[WAIT, IF_NONE_MATCH],
        responses={200: JobSerializer, 304: NOT_MODIFIED},
    )
    async def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """State, progress, and the portraits that are finished.

        An open job says in Retry-After when asking again makes sense.
        """
        token, wait = token_of(request), wait_of(request)
        known = parse_etags(request.headers.get("If-None-Match", ""))
        owner_id, found = await read(look, token, pk)
        if wait and found.open and (not known or matches(found, known)):
            found = await _later(token, owner_id, found, wait)
        return answer(found, known)


async def _later(token: str, owner_id: uuid.UUID, first: Snapshot, wait: int) -> Snapshot:
    """The job once it has changed, or after so many seconds. Raises TooManyStreams."""
    began, checked = monotonic(), monotonic()
    listener = ear().listen(first.id, owner_id)
    try:
        while True:
            left = began + wait - monotonic()
            await listener.changed(left)
            listener.forget()
            if monotonic() - checked < FRESH:
                found = await read(look_again, owner_id, first.id)
            else:
                checked = monotonic()
                _, found = await read(look, token, first.id)
            over = listener.leaving or monotonic() - began >= wait
            if over or found.version != first.version:
                return found
    finally:
        listener.close()


def wait_of(request: HttpRequest) -> int:
    """How long the client is willing to wait. Raises NonsenseWait."""
    text = request.GET.get("wait", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 2 or int(text) > LONGEST_WAIT:
        raise NonsenseWait
    return int(text)


def matches(found: Snapshot, known: list[str]) -> bool:
    """Whether the client has this version already."""
    return "*" in known or any(tag.removeprefix("W/") == found.version for tag in known)


def answer(found: Snapshot, known: list[str]) -> HttpResponse:
    """200 with the job, or 304 to a client that has it."""
    if matches(found, known):
        response = HttpResponse(status=304)
        # An answer without a body has no type.
        del response["Content-Type"]
    else:
        response = HttpResponse(found.text, content_type="application/json")
    response["ETag"] = found.version
    if found.pause is not None:
        response["Retry-After"] = str(found.pause)
    return response
