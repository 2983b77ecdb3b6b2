"""What a client may not take: a body without end, or for ever; an answer that it never reads."""

import asyncio
import json
from typing import Any

import pytest

from deploy.bounds import Bounded
from deploy.forgetting import Message

LIMIT = 1000


async def takes_all(scope: Message, receive: Any, send: Any) -> None:
    """Reads a whole body, then answers with so many bytes."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(scope["answer"])})


class Client:
    """Sends pieces with pauses between them, and reads, or stops reading."""

    def __init__(self, pieces: list[bytes], *, pause: float = 0, reads: bool = True) -> None:
        self.pieces, self.pause, self.reads = list(pieces), pause, reads
        self.got: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.sleep(self.pause)
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Message) -> None:
        if not self.reads and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.got.append(message)

    def ask(self, announced: int | None = None) -> None:
        length = [] if announced is None else [(b"content-length", b"%d" % announced)]
        scope = {"type": "http", "headers": length, "answer": 10}
        app = Bounded(takes_all, LIMIT, arrive=0.2, leave=0.2)
        asyncio.run(asyncio.wait_for(app(scope, self.receive, self.send), 5))

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def code(self) -> str:
        return str(json.loads(self.got[1]["body"])["errors"][0]["code"])


def test_an_ordinary_request_passes() -> None:
    client = Client([b"x" * 500, b"x" * 500])
    client.ask(1000)
    assert [message.get("status") for message in client.got] == [200, None]


@pytest.mark.parametrize("announced", [None, LIMIT + 1])
def test_a_body_that_is_too_large_is_refused_announced_or_not(announced: int | None) -> None:
    client = Client([b"x" * 600, b"x" * 600])
    client.ask(announced)
    assert (client.status, client.code) == (413, "file_too_large")


def test_a_body_that_drips_is_given_up() -> None:
    """Each piece comes soon enough; the whole does not."""
    client = Client([b"x"] * 100, pause=0.02)
    client.ask()
    assert (client.status, client.code) == (408, "body_too_slow")
    assert (b"connection", b"close") in client.got[0]["headers"]
    assert (b"cache-control", b"no-store") in client.got[0]["headers"]


def test_a_client_that_does_not_read_is_let_go() -> None:
    client = Client([b""], reads=False)
    client.ask()
    assert [message["type"] for message in client.got] == ["http.response.start"]


def test_whoever_was_heard_out_may_wait_as_long_as_they_like() -> None:
    async def streams(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        heard = asyncio.ensure_future(receive())
        await asyncio.wait({heard}, timeout=0.5)
        assert not heard.done()
        heard.cancel()

    async def quiet() -> Message:
        if asked.pop():
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    asked = [True, False]
    app = Bounded(streams, LIMIT, arrive=0.1, leave=0.1)
    scope: Message = {"type": "http", "headers": []}
    asyncio.run(asyncio.wait_for(app(scope, quiet, Client([]).send), 5))
    assert asked == []


def test_what_is_no_request_passes_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        seen.append((scope["type"], receive, send))

    client = Client([])
    asyncio.run(Bounded(app, LIMIT)({"type": "lifespan"}, client.receive, client.send))
    assert seen == [("lifespan", client.receive, client.send)]
