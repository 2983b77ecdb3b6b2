"""gunicorn's own ASGI worker, which tells the application when it is asked to end, gives up on
clients that never say what they want, and keeps a line open for longer than whoever dials it.

Without the first, an event stream would hold the process up for the whole graceful timeout, and
then be cut in the middle. Without the second, a line whose headers never end would stay open for
ever: gunicorn times what comes between two requests, and nothing before the first. Without the
third, a line is hung up at the moment at which a load balancer or a phone sends its next request on
it, which is a 502 for nothing. Named by the command line of the web role.
"""

from typing import Any, ClassVar, Final

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]

HEADER_SECONDS: Final = 10.0
# Longer than the 60 s for which the usual balancers keep an idle line, so that they hang up first.
KEPT_SECONDS: Final = 75


class Line(ASGIProtocol):
    """One connection; its first request must have begun in time."""

    # All that are open in this process.
    lines: ClassVar[set["Line"]] = set()
    _keepalive: int

    def connection_made(self, transport: Any) -> None:
        """Somebody dialled."""
        super().connection_made(transport)
        self._keepalive = max(self._keepalive, KEPT_SECONDS)
        self.lines.add(self)
        self._waited = self.worker.loop.call_later(HEADER_SECONDS, self._hang_up, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone, whoever hung up."""
        self._waited.cancel()
        self.lines.discard(self)
        super().connection_lost(exc)

    def part(self) -> None:
        """Hang up if nothing is being asked; an answer that is under way hangs up behind itself."""
        if self._awaiting_request:
            self._keepalive_timeout()

    def _hang_up(self, transport: Any) -> None:
        if self._current_request is None and self.req_count <= 1:
            transport.abort()


# The worker names the class of its connections by the name that it imported; there is no setting.
gasgi.ASGIProtocol = Line


class Worker(gasgi.ASGIWorker):
    """SIGTERM: streams end, long polls are answered, what is being done is finished."""

    def handle_exit_signal(self) -> None:
        """Asked to end; the server closes its doors within a second."""
        self.asgi.send_off()
        super().handle_exit_signal()
        # Whoever only keeps a line is not waited for.
        for line in list(Line.lines):
            line.part()
