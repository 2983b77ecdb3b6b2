"""The web process: Django behind a bound on the size of every body.

Django's ASGI handler spools a body to a temporary file once it outgrows a setting; the bound here
lies below that setting, so that no byte of an upload ever touches a disk in clear.
"""

import json
import os
import resource
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from deploy.forgetting import App, Forgetting, Message, Receive, Send
from privacy import memory

# A core file would hold opened keys and pictures.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
memory.overwrite_freed()

TOO_LARGE = json.dumps(
    {
        "type": "client_error",
        "errors": [
            {
                "code": "file_too_large",
                "detail": "The photo is larger than 15 MB. Send a smaller one.",
                "attr": "photo",
            }
        ],
    }
).encode()


class _Overflow(Exception):
    """The body turned out to be larger than it may be."""


class BoundedBody:
    """Answers 413 to a body that is announced, or turns out, to be too large."""

    def __init__(self, app: App, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.limit:
            await _refuse(send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _Overflow
            return message

        try:
            await self.app(scope, counted, send)
        except _Overflow:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    # Django's middleware does not see this answer, so its headers are set here.
    headers = [
        (b"content-type", b"application/json"),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": TOO_LARGE})


_django: Any = get_asgi_application()
# An answer lies in memory whole, so it goes to the server whole: cut into pieces of 64 kB, it would
# be copied once more.
_django.chunk_size = settings.BODY_MAX_BYTES

from deploy import quick, start  # noqa: E402 - what they look at exists only now

start.with_keys()
application = Forgetting(BoundedBody(quick.Quick(_django), settings.BODY_MAX_BYTES))
# Who runs it (deploy/server.py) calls this before it ends.
application.send_off = quick.send_off
memory.settle()
