"""The drill at a terminal: what it prints, and the figures that it leaves."""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console
from rich.table import Table

from deploy import figures
from deploy.demo.errors import DemoError
from deploy.demo.screen import Screen
from deploy.drill.rehearsal import Rehearsal
from deploy.drill.story import Outcome
from deploy.stack.errors import StackError

# At 10,000 people; the law's month is longer, a person's patience is not.
RTO_AT_MOST: Final = 600.0


def run(people: int, *, as_json: bool) -> int:
    """The exit status: 0 only if every check holds and it took no longer than promised."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console(stderr=as_json)
    try:
        outcome = rehearse(people, console)
    except (StackError, DemoError) as error:
        console.print(f"[red]{type(error).__name__}:[/] {error}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    record("drill", outcome)
    if as_json:
        sys.stdout.write(json.dumps(outcome.as_json(), indent=1) + "\n")
    else:
        show(console, outcome)
    return 0 if outcome.holds and outcome.rto <= RTO_AT_MOST else 1


def rehearse(people: int, console: Console, extra_env: Mapping[str, str] | None = None) -> Outcome:
    """All of it in a folder of its own, which is deleted. Raises DemoError, StackError."""
    folder = Path(tempfile.mkdtemp(prefix="sitter-drill-"))
    screen = Screen(console)
    try:
        return Rehearsal(folder / "data", people, screen, extra_env).run()
    finally:
        screen.rest()
        shutil.rmtree(folder, ignore_errors=True)


def record(target: str, outcome: Outcome) -> None:
    """The two figures that a restore is measured by."""
    story, people = outcome.story, outcome.people
    conditions = (
        f"{people} people with a portrait each on the embedded stack; the clock runs from the loss"
        f" of the cluster to a green proof; {story.undecided} ledger entries undecided at the loss"
    )
    living, erased = outcome.named("living.open"), outcome.named("replay.before_ready")
    figures.record(
        target,
        "R-14",
        value=f"{living.says}; {outcome.rto:.0f} s",
        unit="",
        n=people,
        holds=outcome.holds and outcome.rto <= RTO_AT_MOST,
        conditions=conditions,
    )
    again = erased.holds and outcome.named("ended.stays_dead").holds
    figures.record(
        target,
        "E-10",
        value="100%" if again else erased.says,
        unit="",
        n=len(story.leavers),
        holds=again and outcome.named("receipts").holds,
        conditions=conditions,
    )


def show(console: Console, outcome: Outcome) -> None:
    """Checks, then what the way back took."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for result in outcome.results:
        mark = "[green]✓[/]" if result.holds else "[red]✗[/]"
        table.add_row(mark, result.name, result.says)
    console.print("", table, "")
    parts = ", ".join(f"{name} {value:.0f} s" for name, value in outcome.seconds.items())
    console.print(f"Back after {outcome.rto:.0f} s: {parts}.", highlight=False, soft_wrap=True)
    failed = [result.name for result in outcome.results if not result.holds]
    word = f"[red]Does not hold: {', '.join(failed)}.[/]" if failed else "[bold]Everything held.[/]"
    console.print(word)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
