"""What the person at the terminal sees: a moving table, or plain lines where nobody watches."""

import time
from threading import Lock

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.stack.credentials import STAFF
from deploy.stack.folders import Folders
from deploy.stack.state import Urls

COLOURS = {"ready": "green", "starting": "yellow", "died": "red", "failed": "red"}


class Screen:
    """Give its `report` to the stack, and show it with `with`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()
        self._lines: dict[str, tuple[str, float]] = {}
        self._turn = Lock()
        self._live: Live | None = None

    def report(self, name: str, what: str) -> None:
        passed = time.monotonic() - self._begun
        with self._turn:
            self._lines[name] = (what, passed)
            if self._live:
                self._live.update(self._table())
            else:
                self.console.print(f"{passed:6.1f} s  {name:<9} {what}", highlight=False)

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self._live = Live(self._table(), console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        live, self._live = self._live, None
        if live:
            live.stop()

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2))
        for name, (what, passed) in self._lines.items():
            colour = COLOURS.get(what, "white")
            table.add_row(name, f"[{colour}]{what}[/]", f"[dim]{passed:.1f} s[/]")
        return table

    def welcome(self, urls: Urls, folders: Folders) -> None:
        passed = time.monotonic() - self._begun
        table = Table(box=None, show_header=False, padding=(0, 2))
        table.add_row("Try it", f"{urls.web}/try/")
        table.add_row("API", urls.docs)
        table.add_row("Admin", f"{urls.admin}  (user {STAFF}; sets up a second factor first)")
        table.add_row("Flower", f"{urls.admin}flower/  (behind the admin's login)")
        table.add_row("S3 endpoint", urls.s3)
        table.add_row("Passwords", str(folders.credentials))
        table.add_row("Mailbox", str(folders.mail))
        table.add_row("Logs", str(folders.logs))
        self.console.print(f"\n[bold]Sitter is ready[/] after {passed:.1f} s. Ctrl-C ends it.\n")
        self.console.print(table, soft_wrap=True)
