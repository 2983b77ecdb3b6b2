"""`make publish`: what was measured last, copied from var/ into the docs, with a page and plots.

Nothing is computed here: numbers are those that the suites stored, with their conditions.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

from deploy import figures
from deploy.env import ROOT

RAW = ROOT / "var" / "bench"
PAGE = ROOT / "deploy" / "docs" / "measured"
INTRODUCTION = """\
# What was measured last

Made by `make bench`, `make chaos` and `make publish`; the raw numbers of each suite lie beside this
page as JSON. A figure that says NO does not reach its goal, and its conditions say what was seen.

"""


def main() -> int:
    """Copy the raw numbers, draw the plots, write the page; what was not measured here stays."""
    page, kept = PAGE / "bench.md", PAGE / "figures.json"
    sections = _published(page.read_text() if page.exists() else "")
    for file in sorted(RAW.glob("*.json")):
        raw = json.loads(file.read_text())
        if raw.get("toy"):
            continue
        (PAGE / file.name).write_text(file.read_text())
        sections[file.stem] = _section(file.stem, raw)
    rows = _newest(json.loads(kept.read_text()) if kept.exists() else [])
    kept.write_text(json.dumps(rows, indent=1) + "\n")
    told = "\n".join(sections[suite] for suite in sorted(sections))
    page.write_text(INTRODUCTION + _figures(rows) + "\n" + told)
    return 0


def _published(page: str) -> dict[str, str]:
    """The section of each suite, as the page has it."""
    _, *found = page.split("\n## ")
    return {part.split("\n", 1)[0]: f"## {part.rstrip()}\n" for part in found}


def _newest(published: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each figure once: what was measured here, unless what is published took more to measure."""
    rows = {row["id"]: row for row in published}
    for row in figures.best():
        before = rows.get(row["id"])
        larger = before is None or (row["n"] or 0) >= (before["n"] or 0)
        if row["value"] is not None and larger:
            rows[row["id"]] = row
    return [rows[name] for name in figures.KNOWN if name in rows]


def _figures(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| id | what | goal | measured | n | holds | conditions |",
        "|---|---|---|---|---|---|---|",
    ]
    words = {True: "yes", False: "NO", None: "too small a run to say"}
    for row in rows:
        value = f"{row['value']} {row['unit'] or ''}".strip()
        cells = (row["id"], row["what"], row["goal"], value, row["n"], words[row["holds"]])
        said = f"{row['conditions']}; {row['measured_at'][:10]}"
        lines.append(
            "| " + " | ".join(str(cell).replace("|", "/") for cell in (*cells, said)) + " |"
        )
    return "\n".join(lines) + "\n"


def _section(suite: str, raw: dict[str, Any]) -> str:
    lines = [f"## {suite}", "", str(raw.get("conditions", "")), ""]
    if bars := raw.get("bars"):
        _draw(PAGE / f"{suite}.svg", bars)
        lines += [f"![{bars['title']}]({suite}.svg)", ""]
    if points := raw.get("points"):
        _scatter(PAGE / f"{suite}.svg", points)
        lines += [f"![{points['title']}]({suite}.svg)", ""]
    said = RAW / f"{suite}.txt"
    if said.exists():
        lines += ["```", said.read_text().strip(), "```", ""]
    return "\n".join(lines)


def _draw(file: Path, bars: dict[str, Any]) -> None:
    """Horizontal bars, ours in another colour."""
    names, values = list(bars["values"]), list(bars["values"].values())
    colours = ["#c2410c" if name.startswith("sitter") else "#94a3b8" for name in names]
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.4 * len(names)), layout="constrained")
    drawn = axes.barh(names[::-1], values[::-1], color=colours[::-1])
    axes.bar_label(drawn, fmt="%.3g", padding=3)
    axes.margins(x=0.12)
    axes.set_title(bars["title"], loc="left")
    axes.set_xlabel(bars["unit"])
    axes.spines[["top", "right"]].set_visible(False)
    # Without a date and with fixed ids, the same numbers give the same file.
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def _scatter(file: Path, points: dict[str, Any]) -> None:
    """Each series against its place in the list, on a scale that shows small and large alike."""
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for name, values in points["values"].items():
        colour = "#c2410c" if name.startswith("sitter") else "#94a3b8"
        axes.plot(range(len(values)), values, "o", color=colour, label=name)
    longest = max(len(values) for values in points["values"].values())
    axes.set_xticks(range(0, longest, max(1, longest // 10)))
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.set_title(points["title"], loc="left")
    axes.set_xlabel(points["x"])
    axes.set_ylabel(points["y"])
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    mpl.rcParams["svg.hashsalt"] = "sitter"
    sys.exit(main())
