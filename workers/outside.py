"""The one door to the outside: a request to a host that was looked at, over within a deadline.

It knows no Django, no keys and no events. It refuses every address that is not a public one, at
the moment of connecting and with the very address that was looked at, so that no answer of a name
server can change between the look and the call. It follows no redirect, asks no proxy, and keeps
nothing of an answer but its status and how long it asks us to wait; whoever needs the body says how
much of it at most.
"""

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

# Resolving and connecting, each; and everything together, against whoever drips a byte a second.
CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 10.0
# A head that is longer says nothing that we want to know.
HEAD_BYTES: Final = 16_384
PIECE: Final = 16_384
URL_LENGTH: Final = 2000
PORTS: Final = {"https": 443, "http": 80}
# Public by the registry's word, and still none of the internet's: relays into another address,
# and the address at which a cloud answers its own machines.
NOT_OUTSIDE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
# All that is handed out of IPv6 lies here; addresses that carry an IPv4 one in them do not.
GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")


class BadUrl(ValueError):
    """An address that is never called; the message says what is the matter."""


class NotReached(Exception):
    """No answer; `code` says why in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Target:
    """A URL taken apart and found possible."""

    scheme: str
    host: str
    port: int
    path: str
    private: bool


@dataclass(frozen=True)
class Answer:
    """All that is kept of an answer."""

    status: int
    retry_after: float | None = None
    body: bytes = field(default=b"", repr=False)


def target(url: str, *, insecure: bool = False, private: bool = False) -> Target:
    """Take a URL apart. `insecure` lets http pass, `private` addresses of one's own network."""
    if not url.isascii() or any(not 32 < ord(char) < 127 for char in url) or len(url) > URL_LENGTH:
        raise BadUrl("it must be ASCII without spaces, of 2000 characters at most")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl("it cannot be read") from error
    if parts.scheme not in PORTS or (parts.scheme == "http" and not insecure):
        raise BadUrl("it must begin with https://")
    if not parts.hostname:
        raise BadUrl("it names no host")
    if parts.username is not None or parts.password is not None:
        raise BadUrl("it must hold no user and no password; the signature says who sends")
    if parts.fragment:
        raise BadUrl("it must hold no fragment")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path, private)


def is_public(text: str) -> bool:
    """Whether an address is one of the internet's own."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if any(address.version == net.version and address in net for net in NOT_OUTSIDE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


@dataclass(frozen=True)
class _Question:
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    keep: int = 0


def post(
    to: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    context: ssl.SSLContext | None = None,
    seconds: float = TOTAL_SECONDS,
    keep: int = 0,
) -> Answer:
    """Send once. Raises NotReached; whatever happens, it is over within the time.

    `keep`: so many bytes of the answer are read at most; one that is longer is none.
    """
    return _send(to, _Question("POST", headers, body, keep), context, seconds)


def get(to: Target, *, keep: int, seconds: float = TOTAL_SECONDS) -> Answer:
    """Fetch something small. Raises NotReached."""
    return _send(to, _Question("GET", {"Accept": "application/json"}, None, keep), None, seconds)


def _send(
    to: Target, question: _Question, context: ssl.SSLContext | None, seconds: float
) -> Answer:
    deadline = time.monotonic() + seconds
    try:
        with _connect(to, deadline) as plain:
            if to.scheme == "http":
                return _ask(plain, to, question, deadline)
            secure = context or ssl.create_default_context()
            plain.settimeout(_left(deadline))
            with secure.wrap_socket(plain, server_hostname=to.host) as wrapped:
                return _ask(wrapped, to, question, deadline)
    except TimeoutError as error:
        raise NotReached("timed_out") from error
    except ssl.SSLError as error:
        raise NotReached("tls_failed") from error
    except http.client.HTTPException as error:
        raise NotReached("not_http") from error
    except OSError as error:
        raise NotReached("unreachable") from error


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(to: Target, deadline: float) -> socket.socket:
    """The first of the host's addresses that answers. One that is not public refuses them all."""
    found = _resolve(to, min(deadline, time.monotonic() + CONNECT_SECONDS))
    if not (to.private or all(is_public(str(address[0])) for *_, address in found)):
        raise NotReached("private_address")
    until = min(deadline, time.monotonic() + CONNECT_SECONDS)
    failure: OSError = OSError()
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(until))
            # A numeric address: nothing is resolved a second time.
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _resolve(to: Target, deadline: float) -> list[Any]:
    """Ask the resolver, which knows no deadline of ours, in a thread that is left behind."""
    said: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

    def ask() -> None:
        found: list[Any] = []
        with suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
        said.put(found)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = said.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if not found:
        raise NotReached("unknown_host")
    return found


def _ask(connection: socket.socket, to: Target, asked: _Question, deadline: float) -> Answer:
    connection.settimeout(_left(deadline))
    request = http.client.HTTPConnection(to.host, to.port)
    request.default_port = PORTS[to.scheme]
    request.sock = connection
    headers = {**asked.headers, "Connection": "close"}
    request.request(asked.method, to.path, asked.body, headers)
    head, rest = _head(connection, deadline)
    if asked.keep:
        rest = _rest(connection, rest, asked.keep, deadline)
    whole = _Read(head + (rest if asked.keep else b""))
    with http.client.HTTPResponse(whole, method=asked.method) as answer:  # type: ignore[arg-type]
        answer.begin()
        body = answer.read() if asked.keep else b""
        return Answer(answer.status, _seconds(answer.getheader("Retry-After")), body)


def _head(connection: socket.socket, deadline: float) -> tuple[bytes, bytes]:
    """Status and headers, and what came along; the clock is asked before each read."""
    head = b""
    while b"\r\n\r\n" not in head:
        connection.settimeout(_left(deadline))
        piece = connection.recv(4096)
        if not piece or len(head) > HEAD_BYTES:
            raise http.client.BadStatusLine("")
        head += piece
    end = head.index(b"\r\n\r\n") + 4
    return head[:end], head[end:]


def _rest(connection: socket.socket, begun: bytes, keep: int, deadline: float) -> bytes:
    """Until the other side closes, as it was asked to."""
    pieces, length = [begun], len(begun)
    while length <= keep:
        connection.settimeout(_left(deadline))
        piece = connection.recv(PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        length += len(piece)
    raise NotReached("too_long")


class _Read:
    """What was read already, in the shape in which http.client takes a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _seconds(retry_after: str | None) -> float | None:
    """Seconds or a date, as HTTP allows; anything else counts as not said."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    with suppress(ValueError, TypeError):
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    return None
