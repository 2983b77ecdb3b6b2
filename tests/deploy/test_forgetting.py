"""The web collects its leftovers soon after a request, and only then."""

import asyncio
from typing import Any

import pytest

from deploy import forgetting
from deploy.forgetting import Forgetting, Message
from privacy import memory

LARGE = 100_000


async def echo(scope: Message, receive: Any, send: Any) -> None:
    """Takes a body and gives one back; breaks where it is told to."""
    await receive()
    if scope["breaks"]:
        raise ValueError
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": bytes(scope["answer"])})


def collected(monkeypatch: pytest.MonkeyPatch, *requests: tuple[int, int, bool]) -> int:
    """How often was collected after requests of (bytes in, bytes out, whether it breaks)."""
    seen: list[None] = []
    monkeypatch.setattr(forgetting, "SOON", 0.02)
    monkeypatch.setattr(memory, "forget", lambda: seen.append(None))

    async def run() -> None:
        app = Forgetting(echo)
        for given, answer, breaks in requests:
            sent: list[Message] = []

            async def receive(size: int = given) -> Message:
                return {"type": "http.request", "body": bytes(size)}

            async def send(message: Message, to: list[Message] = sent) -> None:
                to.append(message)

            scope = {"type": "http", "answer": answer, "breaks": breaks}
            try:
                await app(scope, receive, send)
            except ValueError:
                assert breaks
            else:
                assert len(sent[-1]["body"]) == answer
        assert seen == []
        await asyncio.sleep(0.1)

    asyncio.run(run())
    return len(seen)


@pytest.mark.parametrize("request_", [(200, 2000, False), (LARGE, LARGE, False), (LARGE, 0, True)])
def test_every_request_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, request_: tuple[int, int, bool]
) -> None:
    assert collected(monkeypatch, request_) == 1


def test_without_a_request_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert collected(monkeypatch) == 0


def test_many_at_once_are_forgotten_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert collected(monkeypatch, *[(LARGE, LARGE, False)] * 20) == 1
