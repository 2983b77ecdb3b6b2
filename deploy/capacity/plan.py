"""The tables of deploy/docs/capacity.md: the steps from one machine to a million portraits a day.

`python -m deploy.capacity --plan` simulates each step, keeps the numbers and writes the tables; the
words between them are written by hand.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from deploy.capacity import scaling, sizing
from deploy.capacity.limits import limits
from deploy.capacity.measured import MEASURED
from deploy.capacity.needs import needs
from deploy.capacity.report import number
from deploy.capacity.shapes import DAY, SHAPES
from deploy.capacity.sizing import P95, Answer, Question
from deploy.env import ROOT

PAGE: Final = ROOT / "deploy" / "docs" / "capacity.md"
KEPT: Final = MEASURED / "capacity-plan.json"
COMMAND: Final = "python -m deploy.capacity"


@dataclass(frozen=True)
class Step:
    """A question of the plan, and the options that ask it by hand."""

    name: str
    portraits: int
    shape: str = "evening"
    more: Mapping[str, Any] = field(default_factory=dict)
    options: str = ""

    @property
    def command(self) -> str:
        """What answers it."""
        said = f"{COMMAND} --portraits {self.portraits} --shape {self.shape} --p95 30"
        return f"{said} {self.options}".rstrip()

    @property
    def question(self) -> Question:
        """The same."""
        return Question(self.portraits, SHAPES[self.shape], 30.0, **self.more)


A_MILLION: Final = "a million in one time zone"
STEPS: Final = (
    Step(
        "one machine without a GPU",
        10_000,
        more={"engines": {"pocket": 1.0}, "size": (512, 512)},
        options="--engines pocket --size 512x512",
    ),
    Step("the first GPUs", 10_000),
    Step("a cluster", 100_000),
    Step("the same with a launch", 100_000, "launch"),
    Step("a large cluster", 300_000),
    Step("one region of three", 333_333),
    Step("three regions in one place", 1_000_000, "world"),
    Step(A_MILLION, 1_000_000),
)
# What of an answer is shown of each step: a need, at its busiest, and how it is headed.
SHOWN: Final = {
    "GPU workers": "GPU workers",
    "of their time painting": "painting, busiest hour",
    "requests": "requests/s",
    "web processes": "web",
    "intake processes": "intake",
    "broker messages": "broker messages/s",
    "database connections at most": "connections at most",
}


def write(say: Callable[[str], None]) -> None:
    """Simulate all steps, keep what came of them, write the tables."""
    rows, found = [], {}
    for step in STEPS:
        say(f"-- {step.name}")
        found[step.name] = answer = sizing.answer(step.question, say)
        rows.append(row(step, answer))
    million = found[A_MILLION]
    kept = {
        "steps": rows,
        "limits": [
            {"what": one.what, "portraits": one.portraits, "then": one.then}
            for one in limits(million)
        ],
        "figures": {name: asdict(one) for name, one in million.question.figures().items()},
    }
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    PAGE.write_text(filled(PAGE.read_text(), kept))


def row(step: Step, found: Answer) -> dict[str, Any]:
    """One step's numbers, and those of the same day with an autoscaler."""
    question = step.question
    rules = scaling.Rules(least=1, most=2 * found.workers)
    day = sizing.whole_day(question, question.mix(), question.fleet(1, rules))
    begin, end = question.shape.busiest()
    return {
        "name": step.name,
        "portraits": step.portraits,
        "shape": step.shape,
        "command": step.command,
        "p95": round(found.p95, 1),
        "gpu_hours": round(found.day.gpu_hours),
        "keda": {
            "workers": day.most_workers,
            "gpu_hours": round(day.gpu_hours),
            "p95": round(day.whole_p(P95, begin, end), 1),
            "p95_day": round(day.whole_p(P95, 0, DAY), 1),
        },
        "needs": {
            need.what: [float(f"{need.mean:.3g}"), float(f"{need.busiest:.3g}"), need.unit]
            for need in needs(found)
        },
    }


def filled(page: str, kept: Mapping[str, Any]) -> str:
    """The page with its tables as these numbers say. ValueError where one has no place in it."""
    for name, text in tables(kept).items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"The page has no place for {name}.")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def tables(kept: Mapping[str, Any]) -> dict[str, str]:
    """Name → Markdown."""
    steps = kept["steps"]
    return {
        "steps": _steps(steps),
        "scaling": _scaling(steps),
        "limits": _limits(kept["limits"]),
        "commands": "```bash\n" + "".join(f"{one['command']}\n" for one in steps) + "```\n",
    }


def _steps(steps: Sequence[Mapping[str, Any]]) -> str:
    heads = ("step", "portraits a day", "shape", "p95, s", *SHOWN.values())
    rows = [
        (
            one["name"],
            f"{one['portraits']:,}",
            one["shape"],
            f"{one['p95']:.1f}",
            *(_shown(one["needs"], what) for what in SHOWN),
        )
        for one in steps
    ]
    return markdown(heads, rows)


def _shown(found: Mapping[str, Any], what: str) -> str:
    _, busiest, _ = found[what]
    return f"{busiest:.0%}" if what == "of their time painting" else number(busiest, "")


def _scaling(steps: Sequence[Mapping[str, Any]]) -> str:
    heads = (
        *("step", "GPU hours, fixed", "GPU hours, KEDA", "workers at most"),
        *("p95 in the busiest hour, s", "p95 of the day, s"),
    )
    rows = [
        (
            one["name"],
            f"{one['gpu_hours']:,}",
            f"{one['keda']['gpu_hours']:,}",
            f"{one['keda']['workers']}",
            f"{one['keda']['p95']:.1f}",
            f"{one['keda']['p95_day']:.1f}",
        )
        for one in steps
    ]
    return markdown(heads, rows)


def _limits(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [(one["what"], f"{_about(one['portraits']):,}", one["then"]) for one in found]
    return markdown(("what gives way", "at about so many portraits a day", "then"), rows)


def _about(value: float) -> int:
    """Two digits; more would pretend to know."""
    return int(float(f"{value:.2g}"))


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
