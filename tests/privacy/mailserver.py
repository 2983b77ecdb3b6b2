"""A mail server for tests: real SMTP on a real socket, refusing what it is told to refuse."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Talk(socketserver.StreamRequestHandler):
    """One connection, command by command."""

    server: "MailServer"

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 ready")
        to = ""
        for raw in self.rfile:
            line = raw.decode().strip()
            verb = line.upper()
            if verb.startswith("RCPT"):
                to = line[line.index("<") + 1 : -1]
                code = self.server.refused.get(to, 250)
                self.say(f"{code} {to}")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.take(to, self._body())
                self.say(f"{self.server.data_code} taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    """`refused` maps an address to the code that it is answered with."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.refused: dict[str, int] = {}
        self.data_code = 250
        self.mails: list[tuple[str, bytes]] = []

    def take(self, to: str, body: bytes) -> None:
        if self.data_code == 250:
            self.mails.append((to, body))

    def sent_to(self, address: str) -> list[bytes]:
        return [body for to, body in self.mails if to == address]


@contextmanager
def running(settings_of: Any) -> Iterator[MailServer]:
    """Inside, the process sends its mail here."""
    server = MailServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    settings_of(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=server.server_address[1],
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
    )
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
