"""An operator's endpoint on this machine: real sockets, and every bad habit that one can have."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Receiver:
    """What it says next is `answers`; when they run out, `status`."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    body: bytes = b""
    pause: float = 0.0
    letters: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/sitter"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.letters]

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self.turn:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.letters.append((headers, body))
            status = self.answers.pop(0) if self.answers else self.status
        time.sleep(self.pause)
        with self.turn:
            self.at_once -= 1
        return status


class Server(ThreadingHTTPServer):
    """Says nothing about callers that hang up."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """They do it on purpose here."""


@contextmanager
def serving(receiver: Receiver, *, certificate: tuple[Path, Path] | None = None) -> Iterator[None]:
    """Run it; with a certificate and its key, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with suppress(OSError):
                self.send_response(receiver.take(headers, body))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

        def log_message(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", receiver.port), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            receiver.scheme = "https"
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def rude(*, says: bytes = b"", each: float | None = None) -> Iterator[int]:
    """A port that answers raw bytes: at once, one each so many seconds, or (nothing) never."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            if each is None:
                connection.sendall(says)
            else:
                for byte in says:
                    if over.wait(each):
                        return
                    connection.sendall(bytes([byte]))
            over.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        over.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
