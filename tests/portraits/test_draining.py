"""A web process that is asked to end, or cut off from Valkey: nobody is cut in the middle."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from django.conf import settings

from portraits import listening, painting
from portraits.models import Item
from tests.chaos.person import say
from tests.portraits import making, serving

# What gunicorn gives requests that are being answered.
GRACE = 5.0
# Longer than gunicorn keeps a line by itself.
PAUSE = 3.0
STREAMS, POLLS = 8, 8


@pytest.mark.slow
def test_sigterm_ends_streams_answers_polls_and_finishes_requests(
    born: Any, key_folders: dict[str, Path], tmp_path: Path
) -> None:
    who, style = making.consenting(), making.style()
    job = making.submitted(who, style)
    token = serving.session(who)
    path = f"/v1/jobs/{job.pk}"
    with (
        serving.web(key_folders, tmp_path / "log") as web,
        web.client(token) as http,
        ThreadPoolExecutor(STREAMS + POLLS + 1) as crowd,
    ):
        heard = threading.Barrier(STREAMS + 1)

        def follow() -> list[str]:
            with web.client(token) as own, serving.stream(own, job.pk) as told:
                told.next()
                heard.wait(30)
                # An end in the middle of an answer would raise here.
                return [event.name for event in told.rest()]

        version = http.get(path).headers["ETag"]

        def wait() -> int:
            with web.client(token) as own:
                asked = own.get(path, params={"wait": 30}, headers={"If-None-Match": version})
                return asked.status_code

        streams = [crowd.submit(follow) for _ in range(STREAMS)]
        heard.wait(30)
        polls = [crowd.submit(wait) for _ in range(POLLS)]
        time.sleep(0.5)
        with closing(_half_a_post(web, token)) as slow:
            began = time.monotonic()
            web.process.send_signal(signal.SIGTERM)
            ends = [stream.result(10) for stream in streams]
            answers = [poll.result(10) for poll in polls]
            waited = time.monotonic() - began
            slow.sendall(b'"x"}]}')
            finished = slow.recv(2000)
        web.process.wait(20)
        took = time.monotonic() - began
    assert ends == [[]] * STREAMS
    assert answers == [304] * POLLS
    assert finished.startswith(b"HTTP/1.1 422")
    assert web.process.returncode == 0
    assert waited < 2
    assert took < GRACE + 3
    say(f"SIGTERM: waiters answered after {waited:.2f} s, the process ended after {took:.2f} s")


def _half_a_post(web: serving.Web, token: str) -> socket.socket:
    """A request whose body is still on its way."""
    line = socket.create_connection(("127.0.0.1", web.port), timeout=20)
    line.sendall(
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Idempotency-Key: one\r\nX-Session-Token: " + token.encode() + b"\r\n"
        b'Content-Length: 27\r\n\r\n{"items":[{"style":  '
    )
    time.sleep(0.3)
    return line


def test_a_kept_line_outlives_the_pauses_of_its_client_and_holds_up_no_end(
    key_folders: dict[str, Path], tmp_path: Path
) -> None:
    with (
        serving.web(key_folders, tmp_path / "log") as web,
        closing(HTTPConnection("127.0.0.1", web.port, timeout=20)) as http,
    ):
        http.connect()
        line = http.sock
        for _ in range(2):
            http.request("GET", "/livez")
            with http.getresponse() as answer:
                assert (answer.status, bool(answer.read())) == (200, True)
            time.sleep(PAUSE)
        began = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        # It is the same line still, and nothing but its end comes by it.
        assert http.sock is line
        assert line.recv(2000) == b""
        web.process.wait(20)
        took = time.monotonic() - began
    assert took < GRACE - 1, took


class Cuttable:
    """A way to Valkey that can be cut and mended."""

    def __init__(self) -> None:
        parts = urlsplit(settings.BROKER_URL)
        self._goal = (parts.hostname or "", parts.port or 6379)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.cut = False
        whose, _, _ = parts.netloc.rpartition("@")
        here = f"{whose}@127.0.0.1:{self._door.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=here))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if self.cut:
                    near.close()
                    continue
                far = socket.create_connection(self._goal)
                self._lines += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()

    def break_off(self) -> None:
        self.cut = True
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._lines.clear()

    def close(self) -> None:
        self.break_off()
        self._door.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(4096):
            other.sendall(data)


@contextmanager
def following(web: serving.Web, token: str, job_id: Any) -> Iterator[serving.Listening]:
    with web.client(token) as http, serving.stream(http, job_id) as told:
        told.next()
        yield told


def test_without_valkey_it_looks_by_itself_and_hears_again_when_it_is_back(
    born: Any, key_folders: dict[str, Path], tmp_path: Path
) -> None:
    who, style = making.consenting(), making.style()
    job = making.submitted(who, style)
    token = serving.session(who)
    work = making.claimed(style)

    def change(told: serving.Listening, percent: int) -> float:
        time.sleep(0.5)
        began = time.monotonic()
        assert painting.progress(work.held, Item.Phase.PAINTING, percent)
        event = told.next()
        assert event.data["percent"] == percent
        return event.at - began

    with closing(Cuttable()) as way:
        log = tmp_path / "log"
        with serving.web(key_folders, log, SITTER_BROKER_URL=way.url) as web:
            with following(web, token, job.pk) as told:
                change(told, 10)
                way.break_off()
                deaf = [change(told, percent) for percent in (20, 30, 40)]
                way.cut = False
                time.sleep(3 * listening.PAUSE + 1)
                heard = sorted(change(told, percent) for percent in (50, 60, 70))
            with web.client(token) as http:
                assert http.get(f"/v1/jobs/{job.pk}").json()["percent"] == 70
        assert b"changes_not_heard" in log.read_bytes()
    assert max(deaf) < listening.LOOK_DEAF + 2
    assert heard[1] < 0.5


def test_a_poll_needs_no_valkey(born: Any, key_folders: dict[str, Path], tmp_path: Path) -> None:
    who, style = making.consenting(), making.style()
    job = making.submitted(who, style)
    with closing(Cuttable()) as way:
        way.cut = True
        with (
            serving.web(key_folders, tmp_path / "log", SITTER_BROKER_URL=way.url) as web,
            web.client(serving.session(who)) as http,
        ):
            assert http.get(f"/v1/jobs/{job.pk}").status_code == 200
            waited: httpx.Response = http.get(f"/v1/jobs/{job.pk}", params={"wait": 1})
            assert waited.status_code == 200
