"""A job's changes as Server-Sent Events: what was missed, then what happens, then the end.

The rows are read anew for each event, so an event never says less than one before it, and a client
that comes back with the last id it saw is told what has changed since.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException

from portraits.asking import AskingView, look, look_again, read, token_of
from portraits.job_json import Snapshot, as_text
from portraits.job_views import FRESH
from portraits.listening import Listener, ear

# Milliseconds until a client that lost the stream should come back.
RETRY: Final = 2000
# At most four events a second: nobody sees more.
GAP: Final = 0.25
# Proxies close a line on which nothing moves.
KEEP_ALIVE: Final = 10.0

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="The id of the last event that was seen: only what has changed since is sent.",
)
EVENTS = OpenApiResponse(
    OpenApiTypes.STR,
    description="`job`: the whole job. `update`: the job with those items that have changed. "
    "`end`: nothing will follow. The data is a job in JSON, the id its sequence number.",
)


def event(name: str, number: int, body: dict[str, Any]) -> bytes:
    """One event on the wire; JSON has no line breaks of its own."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), as_text(body))


def last_seen(request: HttpRequest) -> int | None:
    """The sequence number that a client says it has seen; None for none, or for nonsense."""
    text = request.headers.get("Last-Event-ID", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


class Telling:
    """What one stream has said, and so what it must say next (pure)."""

    def __init__(self, seen: int | None) -> None:
        self.seen = seen
        self._head: dict[str, Any] | None = None

    def next(self, found: Snapshot) -> list[bytes]:
        """The events that this snapshot calls for: none, one, and the end."""
        said: list[bytes] = []
        if self.seen is None or (self._head is None and self.seen > found.sequence):
            # Nothing was seen, or something that cannot be: a client of a restored database.
            said.append(event("job", found.sequence, found.body()))
        elif found.sequence < self.seen:
            return []
        elif found.sequence > self.seen or self._moved(found):
            said.append(event("update", found.sequence, found.body(after=self.seen)))
        self.seen, self._head = found.sequence, found.head
        if not found.open:
            said.append(event("end", found.sequence, found.head))
        return said

    def _moved(self, found: Snapshot) -> bool:
        """Whether the place in the queue has changed, which has no number of its own."""
        return self._head is not None and found.head != self._head


class Stream:
    """One open stream. It holds a listener from the start, and `close` lets go of it."""

    def __init__(self, token: str, listener: Listener, first: Snapshot, seen: int | None) -> None:
        self._token = token
        self._listener = listener
        self._found = first
        self._telling = Telling(seen)
        self._checked = monotonic()

    def close(self) -> None:
        """Called however the answer ends, even one that was never begun."""
        self._listener.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield b"retry: %d\n\n" % RETRY
            sent_at = 0.0
            while True:
                if said := self._telling.next(self._found):
                    yield b"".join(said)
                    sent_at = monotonic()
                if not self._found.open or self._listener.leaving:
                    return
                told = await self._listener.changed(sent_at + KEEP_ALIVE - monotonic())
                if told and not self._listener.leaving:
                    await asyncio.sleep(sent_at + GAP - monotonic())
                elif monotonic() - sent_at >= KEEP_ALIVE:
                    yield b": still here\n\n"
                    sent_at = monotonic()
                if not await self._look():
                    return
        finally:
            self.close()

    async def _look(self) -> bool:
        """Read it again; False when there is nothing more to tell this client.

        The session has ended, the person or the job is gone, or PostgreSQL is away: the client
        comes back and is told which.
        """
        self._listener.forget()
        try:
            if monotonic() - self._checked < FRESH:
                self._found = await read(look_again, self._listener.owner_id, self._found.id)
            else:
                _, self._found = await read(look, self._token, self._found.id)
                self._checked = monotonic()
        except (APIException, DatabaseError):
            return False
        return True


class EventsView(AskingView):
    """A job's changes as they happen."""

    @extend_schema(
        operation_id="streamJobEvents",
        parameters=[LAST_EVENT_ID],
        responses={
            (200, "text/event-stream"): EVENTS,
            204: OpenApiResponse(description="It has ended, and Last-Event-ID has seen its end."),
        },
    )
    async def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
        """Server-Sent Events until the job ends.

        Come back with Last-Event-ID to be told what was missed. 204: everything was seen.
        """
        token, seen = token_of(request), last_seen(request)
        owner_id, _ = await read(look, token, pk)
        listener = ear().listen(pk, owner_id)
        try:
            # Read once more: what happened before anybody listened was not heard.
            found = await read(look_again, owner_id, pk)
        except BaseException:
            listener.close()
            raise
        if not found.open and seen == found.sequence:
            listener.close()
            return HttpResponse(status=204)
        stream = Stream(token, listener, found, seen)
        response = StreamingHttpResponse(stream, content_type="text/event-stream")
        # A proxy that collects an answer before it passes it on would hold back every event.
        response["X-Accel-Buffering"] = "no"
        return response
