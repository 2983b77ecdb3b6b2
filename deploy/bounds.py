"""What no client may take from the web: endless bodies, endless patience.

A body that is too large is refused before or while it comes, one that comes too slowly is given up,
and so is a client that does not read its answer. None of them ever held a thread; these bounds give
back the memory and the connection.
"""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any, Final

from deploy.forgetting import App, Message, Receive, Send

# A photo of 15 MB over a line of 1 Mbit/s takes two minutes.
BODY_SECONDS: Final = 120.0
# For a piece of an answer to find room on its way; events are small, a picture is one piece.
SEND_SECONDS: Final = 60.0


def _refusal(code: str, detail: str, attr: str | None) -> bytes:
    errors = [{"code": code, "detail": detail, "attr": attr}]
    return json.dumps({"type": "client_error", "errors": errors}).encode()


TOO_LARGE: Final = _refusal(
    "file_too_large", "The photo is larger than 15 MB. Send a smaller one.", "photo"
)
TOO_SLOW: Final = _refusal(
    "body_too_slow", "The request took too long to arrive. Send it again on a better line.", None
)


class _Overflow(Exception):
    """The body turned out to be larger than it may be."""


class _Late(Exception):
    """The body did not come to its end in time."""


class _Unread(Exception):
    """The client does not take its answer."""


class Bounded:
    """Answers 413 to a body that is too large and 408 to one that is too slow; see above."""

    def __init__(
        self, app: App, limit: int, *, arrive: float = BODY_SECONDS, leave: float = SEND_SECONDS
    ) -> None:
        self.app = app
        self.limit = limit
        self.arrive = arrive
        self.leave = leave

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.limit:
            await _refuse(send, 413, TOO_LARGE)
            return
        try:
            await self.app(scope, self._counted(receive), self._hurried(send))
        except _Overflow:
            await _refuse(send, 413, TOO_LARGE)
        except _Late:
            await _refuse(send, 408, TOO_SLOW)
        except _Unread:
            # The server closes a line whose answer was left off in the middle.
            return

    def _counted(self, receive: Receive) -> Receive:
        seen, whole, end = 0, False, time.monotonic() + self.arrive

        async def counted() -> Message:
            nonlocal seen, whole
            # Behind its body a client is only listened to for hanging up.
            left = None if whole else max(0.0, end - time.monotonic())
            try:
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError:
                raise _Late from None
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _Overflow
            whole = not message.get("more_body", False)
            return message

        return counted

    def _hurried(self, send: Send) -> Send:
        async def hurried(message: Message) -> None:
            try:
                async with asyncio.timeout(self.leave):
                    await send(message)
            except TimeoutError:
                raise _Unread from None

        return hurried


async def _refuse(send: Send, status: int, body: bytes) -> None:
    # Django's middleware does not see this answer, so its headers are set here.
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": headers}
    # Whoever was too slow may be gone.
    with suppress(OSError):
        await send(start)
        await send({"type": "http.response.body", "body": body})
