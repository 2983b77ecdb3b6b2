"""Pictures of an answer. They need matplotlib, a development package, and so a checkout."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt

from deploy.capacity.outcome import Cell, percentile
from deploy.capacity.shapes import CELL, CELLS, DAY, HOUR
from deploy.capacity.sizing import P95, Answer

OURS: Final = "#c2410c"
QUIET: Final = "#94a3b8"
# A quarter of an hour a point.
TOGETHER: Final = 3


def draw(answer: Answer, folder: Path) -> list[Path]:
    """The day and the search, as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "day.png", folder / "workers.png"]
    _day(answer, made[0])
    _search(answer, made[1])
    return made


def _day(answer: Answer, file: Path) -> None:
    figure, (rate, busy, wait) = plt.subplots(
        3, 1, figsize=(8, 7), sharex=True, layout="constrained"
    )
    cells = answer.day.between(0, DAY)
    groups = [cells[at : at + TOGETHER] for at in range(0, CELLS, TOGETHER)]
    hours = [at * CELL / HOUR for at in range(0, CELLS, TOGETHER)]
    length = TOGETHER * CELL
    rate.plot(hours, [_sum(group, "asked") / length for group in groups], color=QUIET)
    rate.plot(hours, [_sum(group, "done") / length for group in groups], color=OURS)
    rate.legend(["asked for", "painted"], frameon=False)
    rate.set_ylabel("portraits a second")
    busy.plot(hours, [_sum(group, "busy") / length for group in groups], color=OURS)
    busy.plot(hours, [_sum(group, "running") / length for group in groups], color=QUIET)
    busy.legend(["paint", "run"], frameon=False)
    busy.set_ylabel("GPU workers")
    wait.plot(hours, [_p95(group) for group in groups], color=OURS)
    wait.axhline(answer.question.p95, color=QUIET, linestyle="--")
    wait.set_ylabel("p95 of a few portraits, s")
    wait.set_xlabel("hour of the day")
    wait.set_xticks(range(0, 25, 3))
    asked = answer.question
    rate.set_title(
        f"{asked.portraits:,.0f} portraits a day, {asked.shape.name}, {answer.workers} workers",
        loc="left",
    )
    _finish(figure, (rate, busy, wait), file)


def _search(answer: Answer, file: Path) -> None:
    """What each number of workers that was tried makes of the busiest hour."""
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    tried = sorted(answer.tried.items())
    axes.plot([workers for workers, _ in tried], [p95 for _, p95 in tried], "o-", color=OURS)
    axes.axhline(answer.question.p95, color=QUIET, linestyle="--")
    axes.set_xlabel("GPU workers")
    axes.set_ylabel("p95 in the busiest hour, s")
    if max(p95 for _, p95 in tried) > 10 * answer.question.p95:
        axes.set_yscale("log")
    _finish(figure, (axes,), file)


def _finish(figure: Any, panels: tuple[Any, ...], file: Path) -> None:
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=None if axes.get_yscale() == "log" else 0)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _sum(cells: list[Cell], name: str) -> float:
    return sum(float(getattr(cell, name)) for cell in cells)


def _p95(cells: list[Cell]) -> float:
    return percentile([span for cell in cells for span in cell.whole], P95)
