"""Bare sockets to the web, for requests that no HTTP library would send."""

import socket
from urllib.parse import urlsplit

from tests.api.people import People

QUIET = 2.0


def dial(people: People) -> socket.socket:
    """A line to the running web."""
    where = urlsplit(people.live.urls.web)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def said(line: socket.socket, sent: bytes) -> list[bytes]:
    """The status lines of everything that is answered before the server hangs up or is silent."""
    line.settimeout(QUIET)
    got = b""
    try:
        line.sendall(sent)
        while piece := line.recv(65536):
            got += piece
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass
    return [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]]
