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
from deploy.prove import look
from deploy.prove.canary import Canary
from deploy.prove.look import Result
from deploy.stack.errors import StackError
from deploy.stack.screen import Screen as StackScreen
from deploy.stack.supervisor import Stack

# What is freed is overwritten at once; buffers of a finished request live a little longer.
SETTLED = 5.0


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
        results = _walk(stack, Screen(console), since)
    finally:
        with suppress(KeyboardInterrupt):
            stack.stop()
    _write_down(results)
    return results


def _walk(stack: Stack, screen: Screen, since: float) -> list[Result]:
    results: list[Result] = []
    canary = Canary(Client(stack.urls.web))
    try:
        with screen.step("A canary person is painted") as step:
            canary.live()
            step.say("two marked photos, one portrait, one report")
        with screen.step("They take their data out"):
            canary.take_out()
        results += [
            Result(
                f"control.{name}", held, "found where its owner sees it" if held else "not found"
            )
            for name, held in canary.controls.items()
        ]
        with screen.step("Look everywhere while they are here"):
            results += _renamed("before", look.everywhere(stack, canary.search, since))
        with screen.step("They erase everything") as step:
            seconds = canary.leave()
            step.say(f"signed receipt after {seconds:.1f} s")
        with screen.step("Rewrite the accounts' tables"):
            look.compact(stack)
    finally:
        canary.client.close()
    with screen.step("Look everywhere again, for the address too"):
        canary.search.join(canary.address)
        results += look.everywhere(stack, canary.search, since)
    with screen.step("Look into the memory of every role"):
        time.sleep(SETTLED)
        results += look.in_memory(stack, canary.search)
    with screen.step("Ask each role what it can open, and check the books"):
        results += look.live(stack, grace=0)
    screen.rest()
    return results


def _renamed(station: str, results: list[Result]) -> list[Result]:
    return [Result(f"{station}.{r.name}", r.holds, r.says, r.n) for r in results]


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
