"""The quick way in for what clients ask all the time: how far a job is, and its event stream.

Such a request is answered by the same view and leaves with the same headers, log line and id as any
other, on the event loop, without the sessions, cookies and forms that an API never uses, and
without the threads that Django starts for each request. What hangs up is let go of at once.
"""

import asyncio
import io
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final, TypeVar, cast

import structlog
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, ResolverMatch, URLResolver
from django.urls.resolvers import RegexPattern
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request

from deploy.forgetting import App, Message, Receive, Send
from deploy.gate import gate, shut
from deploy.http import bad_request, keep_private, log_request, page_not_found, server_error
from deploy.retiring import announce
from deploy.staff.hosts import misplaced
from portraits import listening, urls
from portraits.asking import read

T = TypeVar("T")
Answer = HttpResponse | StreamingHttpResponse

log = structlog.get_logger(__name__)
_ROUTES: Final = URLResolver(RegexPattern(r"^/v1/"), urls.quick)


def _unused(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


# The headers of Django's own middleware, set by that middleware.
_SECURITY: Final = SecurityMiddleware(_unused)
_FRAMES: Final = XFrameOptionsMiddleware(_unused)


class Quick:
    """Wraps an application: answers the routes of `quick`, and passes on everything else."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            match = _ROUTES.resolve(scope["path"])
        except Resolver404:
            await self.app(scope, receive, send)
            return
        try:
            request = ASGIRequest(scope, io.BytesIO())
        except UnicodeDecodeError:
            # Django has an answer to this, too.
            await self.app(scope, receive, send)
            return
        request.resolver_match = match
        response = await self._answer(request, match, receive)
        if response is not None:
            try:
                await _send(scope["method"], response, receive, send)
            finally:
                response.close()

    async def _answer(
        self, request: ASGIRequest, match: ResolverMatch, receive: Receive
    ) -> Answer | None:
        """The answer with its headers; None where nobody waits for it any more."""
        request_id, started = uuid.uuid4().hex, time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            # Only who may be waiting for long is watched for hanging up meanwhile.
            work = _respond(request, match)
            patient = bool(request.META["QUERY_STRING"])
            response = await (_unless_gone(work, receive) if patient else work)
            if response is None:
                return None
            log_request(request, response, started)
        # Made for answers that are whole; they set headers and read no body.
        whole = cast(HttpResponse, response)
        _SECURITY.process_response(request, whole)
        _FRAMES.process_response(request, whole)
        keep_private(request, response)
        announce(request, response)
        # As Django's own middleware for languages would say it.
        patch_vary_headers(whole, ["Accept-Language"])
        response["Content-Language"] = get_language_from_request(request)
        response["X-Request-Id"] = request_id
        return response


async def _respond(request: ASGIRequest, match: ResolverMatch) -> Answer:
    try:
        request.get_host()
        if misplaced(request):
            return page_not_found(request, Resolver404())
    except DisallowedHost as error:
        return bad_request(request, error)
    if gate.seen is None and (refusal := await read(shut)):
        return refusal
    try:
        answer: Answer = await match.func(request, *match.args, **match.kwargs)
    except Exception as error:  # as Django would: logged by its class, and a 500
        log.exception("request_failed", error=type(error).__name__, status=500)
        return server_error(request)
    return answer


async def _send(method: str, response: Answer, receive: Receive, send: Send) -> None:
    if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
        response["Content-Length"] = str(len(response.content))
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if isinstance(response, HttpResponse):
        # An answer to HEAD has the headers alone.
        body = b"" if method == "HEAD" else response.content
        await send({"type": "http.response.body", "body": body})
    else:
        await _unless_gone(_pass_on(aiter(response), send), receive)


async def _pass_on(parts: AsyncIterator[bytes], send: Send) -> None:
    async for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def _unless_gone(work: Coroutine[Any, Any, T], receive: Receive) -> T | None:
    """Do something for as long as the client is there; None if it hung up first."""
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((doing, gone), return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for task in (doing, gone):
            task.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def send_off() -> None:
    """The process is about to end: who waits is answered now. Called in the event loop."""
    listening.ear().send_off()
