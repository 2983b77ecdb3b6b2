"""Views that are asked all the time: on the event loop, with their few queries in one thread hop.

They stand in the urls and in the OpenAPI document like any other view of REST framework, and
answer refusals in the same shape. What they read, they read in threads of their own: Django would
start a thread and a connection for each request.
"""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, NotFound
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from accounts import authentication
from accounts.errors import SessionEnded
from portraits import job_rows
from portraits.job_json import Snapshot
from privacy.api import throttle

P = ParamSpec("P")
R = TypeVar("R")

# Fewer than the pool has connections, so that polls never starve what changes something.
_READERS: Final = ThreadPoolExecutor(4, thread_name_prefix="reader")


async def read(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run what asks the database, and give the connection back to the pool at once."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_READERS, partial(_read, partial(call, *args, **kwargs)))


def _read(call: Callable[[], R]) -> R:
    try:
        return call()
    finally:
        connection.close()


def look(token: str, job_id: uuid.UUID) -> tuple[uuid.UUID, Snapshot]:
    """(who asks, the job): the session and the job, as they are now.

    Raises SessionEnded, and NotFound for what does not exist or is somebody else's.
    """
    owner_id = authentication.owner_of(token)
    throttle.admit(str(owner_id), token, None)
    return owner_id, look_again(owner_id, job_id)


def look_again(owner_id: uuid.UUID, job_id: uuid.UUID) -> Snapshot:
    """The job of somebody whose session was looked at moments ago. Raises NotFound."""
    found = job_rows.read(owner_id, job_id, timezone.now())
    if found is None:
        raise NotFound("There is no such job.")
    return found


def token_of(request: HttpRequest) -> str:
    """The session token of a request. Raises NotAuthenticated without one."""
    token = request.headers.get("X-Session-Token")
    if not token:
        raise NotAuthenticated
    return token


class AskingView(APIView):
    """Answers GET with an `async def get`; tells drf-spectacular what any APIView would."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """A plain async view."""

        async def view(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return await cls(**initkwargs).answer(request, **kwargs)

        # What the document's generator looks for, and no cookie is ever believed here.
        vars(view).update(cls=cls, initkwargs=initkwargs, csrf_exempt=True)
        return view

    async def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """The answer, or the refusal in the one shape."""
        try:
            if request.method != "GET":
                raise MethodNotAllowed(request.method or "")
            answer: HttpResponseBase = await self.get(request, **kwargs)  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - the handler tells ours from faults
            return self._refuse(request, error, kwargs)
        return answer

    def _refuse(self, request: HttpRequest, error: Exception, kwargs: Any) -> HttpResponseBase:
        if isinstance(error, NotAuthenticated | SessionEnded):
            vars(error).update(auth_header=authentication.SCHEME)
        context = {"view": self, "args": (), "kwargs": kwargs, "request": request}
        handler: Any = api_settings.EXCEPTION_HANDLER
        refusal = handler(error, context)
        if refusal is None:
            # Only while debugging: the fault is shown as it is.
            raise error
        answer = JsonResponse(refusal.data, status=refusal.status_code)
        for name in ("Retry-After", "WWW-Authenticate"):
            if name in refusal.headers:
                answer[name] = refusal.headers[name]
        if isinstance(error, MethodNotAllowed):
            answer["Allow"] = "GET"
        return answer
