"""A TCP proxy that misbehaves on request, between the product and one of its servers.

It cuts with a reset and not with a goodbye, refuses, waits, or answers S3's requests with errors of
its own. It reads no more of what passes than the first line of a request, and only where it is to
answer some of them itself.
"""

import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
TOGETHER = 0.2
# Closing such a socket sends RST, whatever is still under way.
AT_ONCE = struct.pack("ii", 1, 0)
REQUEST = re.compile(rb"(?P<verb>GET|PUT|POST|DELETE|HEAD) [^\r\n]* HTTP/1\.1\r\n")
ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error, please try again.</Message></Error>"
)
ANSWER = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/xml\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(ERROR), ERROR)
)


class Proxy:
    """Listens on a port of its own on 127.0.0.1 from the moment it is made until `close`."""

    def __init__(self, target: tuple[str, int], *, seed: int = 0) -> None:
        self.target = target
        self.delay = 0.0
        # How many of the requests fail, and of which verbs.
        self.failing = 0.0
        self.verbs: tuple[bytes, ...] = (b"GET", b"PUT", b"POST", b"DELETE", b"HEAD")
        self.passed = self.failed = self.refused = 0
        self._random = random.Random(seed)
        self._down = self._closed = False
        self._turn = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._door.getsockname()[1])
        self._waiter = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._waiter.start()

    @classmethod
    def to(cls, url: str, *, seed: int = 0) -> Self:
        """A proxy to the host and port of a URL."""
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        return cls((parts.hostname, parts.port), seed=seed)

    def url(self, url: str) -> str:
        """The same URL, by way of this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self.port}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cut everything and listen no more."""
        self._closed = True
        # Closing alone would not wake whoever accepts.
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._waiter.join()
        self.cut()

    @property
    def lines(self) -> int:
        """How many connections are open now."""
        with self._turn:
            return len(self._pairs)

    def cut(self) -> int:
        """Reset every connection that is open now, at both ends; returns how many there were."""
        with self._turn:
            pairs = list(self._pairs)
            self._pairs.clear()
        for pair in pairs:
            for end in pair:
                _reset(end)
        return len(pairs)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Inside, what is open is cut and whoever comes is reset."""
        self._down = True
        self.cut()
        try:
            yield
        finally:
            self._down = False

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Inside, every request waits so long before it goes on."""
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0

    @contextmanager
    def faulty(self, share: float, *verbs: bytes) -> Iterator[None]:
        """Inside, this share of HTTP requests is answered with 500 and never arrives."""
        before, self.verbs = self.verbs, verbs or self.verbs
        self.failing = share
        try:
            yield
        finally:
            self.failing, self.verbs = 0.0, before

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if self._down or self._closed:
                self.refused += 1
                _reset(near)
                continue
            try:
                far = socket.create_connection(self.target, timeout=10)
            except OSError:
                self.refused += 1
                _reset(near)
                continue
            far.settimeout(None)
            pair = (near, far)
            with self._turn:
                self._pairs.add(pair)
            for way in (self._there, self._back):
                threading.Thread(target=way, args=[pair], daemon=True).start()

    def _there(self, pair: tuple[socket.socket, socket.socket]) -> None:
        near, far = pair
        heard = 0.0
        with suppress(OSError):
            while data := near.recv(CHUNK):
                begins = REQUEST.match(data)
                # The parts of one message come close behind each other and wait once.
                if self.delay and time.monotonic() - heard > TOGETHER:
                    time.sleep(self.delay)
                heard = time.monotonic()
                if begins and self._fails(begins["verb"]):
                    near.sendall(ANSWER)
                    break
                far.sendall(data)
        self._part(pair)

    def _back(self, pair: tuple[socket.socket, socket.socket]) -> None:
        near, far = pair
        with suppress(OSError):
            while data := far.recv(CHUNK):
                near.sendall(data)
        self._part(pair)

    def _fails(self, verb: bytes) -> bool:
        with self._turn:
            fails = verb in self.verbs and self._random.random() < self.failing
            self.failed += fails
            self.passed += not fails
            return fails

    def _part(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._turn:
            ours = pair in self._pairs
            self._pairs.discard(pair)
        # Whoever was cut is closed by that: a goodbye would come before the reset.
        for end in pair if ours else ():
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        # Wakes the thread that reads from it, which a close alone would leave waiting.
        end.shutdown(socket.SHUT_RD)
    end.close()
