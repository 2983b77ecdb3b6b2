"""What an orchestrator asks inside a container, and the one port that the S3 server lets out."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import alive, forward


class Web(BaseHTTPRequestHandler):
    """Knows one host, as Django does."""

    def do_GET(self) -> None:
        known = self.headers["Host"] == "sitter.example.org" and self.path == "/livez"
        self.send_response(200 if known else 400)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        monkeypatch.setattr(alive, "PORT", server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_the_web_is_asked_under_its_own_name(web: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITTER_ALLOWED_HOSTS", '[".sitter.example.org", "web"]')
    assert alive.main(["web"]) == 0
    monkeypatch.setenv("SITTER_ALLOWED_HOSTS", '["other.example.org"]')
    assert alive.main(["web"]) == 1


def test_a_web_that_does_not_answer_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "PORT", 1)
    assert alive.main(["web"]) == 1


def test_a_worker_is_alive_once_it_has_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    monkeypatch.setenv(alive.READY_FILE, str(ready))
    assert alive.main(["worker"]) == 1
    ready.touch()
    assert alive.main(["worker"]) == 0


def test_a_process_that_is_stopped_or_gone_is_not_running() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as sleeper:
        assert alive.runs(sleeper.pid)
        os.kill(sleeper.pid, signal.SIGSTOP)
        os.waitpid(sleeper.pid, os.WUNTRACED)
        assert not alive.runs(sleeper.pid)
        sleeper.kill()
    assert not alive.runs(sleeper.pid)


def test_it_says_what_it_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert alive.main(["cluster"]) == 2
    assert "web or worker" in capsys.readouterr().err


def test_a_port_is_carried_both_ways_to_its_end() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    async def run() -> bytes:
        behind = await asyncio.start_server(echo, "127.0.0.1", 0)
        door = await forward.serve(("127.0.0.1", 0), behind.sockets[0].getsockname())
        async with behind, door:
            reader, writer = await asyncio.open_connection(*door.sockets[0].getsockname())
            writer.write(b"x" * 3_000_000)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(run()) == b"x" * 3_000_000


def test_a_door_before_nobody_closes() -> None:
    async def run() -> bytes:
        door = await forward.serve(("127.0.0.1", 0), ("127.0.0.1", 1))
        async with door:
            reader, writer = await asyncio.open_connection(*door.sockets[0].getsockname())
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(run()) == b""
