"""What the person at the terminal sees: moving lines, or plain ones where nobody watches.

It also keeps the seconds, so that what was shown and what journey.json says are the same.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

MARKS = {"done": Text("✓", "green"), "failed": Text("✗", "red"), "part": Text(" ")}


class _Mark(SpinnerColumn):
    """A spinner until it is known how it went."""

    def render(self, task: Task) -> RenderableType:
        return MARKS.get(task.fields["state"]) or super().render(task)


class _Note(ProgressColumn):
    """What is said beside a step; before it a bar, where something has a length."""

    def render(self, task: Task) -> RenderableType:
        note = Text(task.fields["note"], "dim")
        if not task.total:
            return note
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=task.total, completed=task.completed, width=24), note)
        return row


class _Seconds(ProgressColumn):
    def __init__(self) -> None:
        # On a narrow terminal the note is wrapped, and never the number.
        super().__init__(Column(no_wrap=True, justify="right"))

    def render(self, task: Task) -> Text:
        if task.fields["state"] == "part":
            return Text()
        return Text(f"{task.elapsed or 0:.1f} s", "dim")


@dataclass
class Step:
    """One step as it goes: a note beside it, and bars below it."""

    name: str
    screen: "Screen"
    facts: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    _bars: dict[str, Any] = field(default_factory=dict)
    _heard: dict[str, str] = field(default_factory=dict)

    def say(self, note: str, **facts: Any) -> None:
        """`facts` go into journey.json, beside the seconds."""
        self.said = note
        self.facts |= facts
        self.screen.note(self, note)

    def bar(self, name: str, percent: int, note: str) -> None:
        live = self.screen.live
        if live:
            if name not in self._bars:
                title = f"  {escape(name)}"
                self._bars[name] = live.add_task(title, total=100, state="part", note="")
            live.update(self._bars[name], completed=percent, note=note)
        elif self._heard.get(name) != note:
            self.screen.line(f"{'':11}{name}: {note}")
        self._heard[name] = note


class Screen:
    """Use `step` for each step and `show` for what is to be read in between."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live: Progress | None = None
        self.steps: list[dict[str, Any]] = []
        self.begun = time.monotonic()
        self._task: Any = None

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        step = Step(name, self)
        self._begin(step)
        begun = time.monotonic()
        state = "failed"
        try:
            yield step
            state = "done"
        finally:
            seconds = time.monotonic() - begun
            held = state == "done"
            told = {"name": name, "seconds": round(seconds, 3), "held": held, **step.facts}
            self.steps.append(told)
            self._end(step, state, seconds)

    def _begin(self, step: Step) -> None:
        if not self.console.is_terminal:
            return
        if self.live is None:
            columns = (_Mark("dots"), TextColumn("{task.description}"), _Note(), _Seconds())
            self.live = Progress(*columns, console=self.console)
            self.live.start()
        self._task = self.live.add_task(escape(step.name), total=None, state="going", note="")

    def _end(self, step: Step, state: str, seconds: float) -> None:
        if self.live:
            self.live.update(self._task, state=state)
            self.live.stop_task(self._task)
        else:
            mark = "ok" if state == "done" else "FAILED"
            self.line(f"{seconds:6.1f} s  {mark:<2} {step.name}" + (step.said and f": {step.said}"))

    def note(self, step: Step, note: str) -> None:
        if self.live:
            self.live.update(self._task, note=note)

    def line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, *parts: RenderableType) -> None:
        """Print below what has happened so far; later steps go below it."""
        self.rest()
        for part in parts:
            self.console.print(part, highlight=False, soft_wrap=isinstance(part, str))

    def rest(self) -> None:
        """Leave the lines as they are now."""
        live, self.live = self.live, None
        if live:
            live.stop()
