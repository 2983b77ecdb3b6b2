"""gunicorn's own ASGI worker, which tells the application when it is asked to end.

Without that, an event stream would hold the process up for the whole graceful timeout, and then be
cut in the middle. Named by the command line of the web role.
"""

from gunicorn.workers.gasgi import ASGIWorker  # type: ignore[import-untyped]


class Worker(ASGIWorker):
    """SIGTERM: streams end, long polls are answered, what is being done is finished."""

    def handle_exit_signal(self) -> None:
        """Asked to end; the server closes its doors within a second."""
        self.asgi.send_off()
        super().handle_exit_signal()
