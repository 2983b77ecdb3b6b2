"""`python -m deploy.prove`: a fresh stack, a canary person who comes and goes, and every check.

It exits with 0 only if all of it held. The rows land in var/figures/prove.json, with what was
looked at; `--json` prints them as well.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from deploy import figures
from deploy.demo.client import Client
from deploy.demo.errors import DemoError
from deploy.demo.screen import Screen
from deploy.prove.canary import Canary
from deploy.prove.look import Result
from deploy.prove.walk import walk
from deploy.stack.errors import StackError
from deploy.stack.screen import Screen as StackScreen
from deploy.stack.supervisor import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, prove, print, write down."""
    parser = argparse.ArgumentParser(prog="python -m deploy.prove", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console(stderr=options.json)
    data = Path(tempfile.mkdtemp(prefix="sitter-prove-"))
    try:
        results = prove(data, console)
    except (StackError, DemoError) as error:
        console.print(f"[red]{type(error).__name__}:[/] {error}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(data, ignore_errors=True)
    _print(console, results, as_json=options.json)
    return 0 if all(result.holds for result in results) else 1


def prove(data: Path, console: Console) -> list[Result]:
    """The whole proof on a stack of its own."""
    since = time.time()
    with StackScreen(console) as starting:
        stack = Stack(data, preferred_ports=False, report=starting.report)
        stack.start()
    try:
        stack.wait_ready()
        canary = Canary(Client(stack.urls.web))
        results = walk(stack, canary, Screen(console), since)
    finally:
        with suppress(KeyboardInterrupt):
            stack.stop()
    _write_down(results)
    return results


def _print(console: Console, results: list[Result], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([vars(result) for result in results], indent=1) + "\n")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for result in results:
        mark = "[green]✓[/]" if result.holds else "[red]✗[/]"
        table.add_row(mark, result.name, result.says)
    console.print(table)
    failed = [result.name for result in results if not result.holds]
    word = f"[red]Does not hold: {', '.join(failed)}.[/]" if failed else "[bold]Everything held.[/]"
    console.print("", f"{word} {len(results)} checks.", sep="\n")


def _write_down(results: list[Result]) -> None:
    failed = [result.name for result in results if not result.holds]
    figures.record(
        "prove",
        "prove",
        value=f"{len(results) - len(failed)} of {len(results)}",
        unit="checks",
        n=len(results),
        holds=not failed,
        conditions="fresh embedded stack, one canary person"
        + (f"; failed: {', '.join(failed)}" if failed else ""),
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
