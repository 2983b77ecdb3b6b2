"""The web lets go of pictures and names: soon after a request its leftovers are collected.

A request, its view and its answer refer to each other in circles, which Python takes apart only
when it happens to look; in a quiet process a photo or an address would lie there for hours. So
somebody looks, a second after a request and once a second at the most.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from privacy import memory

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

SOON: Final = 1.0


def _nobody_waits() -> None:
    """An application without streams has nobody to send off."""


class Forgetting:
    """Wraps an application. `send_off` is what it does when the process is asked to end."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.send_off: Callable[[], None] = _nobody_waits
        self._due = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            await self.app(scope, receive, send)
        finally:
            if not self._due:
                self._due = True
                # Not at once: the answer itself is still held by whoever called.
                asyncio.get_running_loop().call_later(SOON, self._forget)

    def _forget(self) -> None:
        self._due = False
        memory.forget()
