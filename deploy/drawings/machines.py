"""The state machines, read from the sentences beside the enums that the code moves by.

The sentence is `OPEN ⇄ IN_USE → (row deleted); OPEN → (row deleted).`: names of the enum's members
or an end in brackets, `|` between alternatives, `;` between paths. What a state means stands as a
comment behind its member.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.apps import apps
from django.db import models

from deploy.drawings import svg

BOTH, ONE = "⇄", "→"
WIDE, HIGH = 176.0, 74.0
ACROSS, DOWN = 232.0, 92.0
ABOVE: Final = 50.0
LETTERS: Final = 27


@dataclass(frozen=True)
class Machine:
    """States in the order of the enum, ends behind them, and the moves between them."""

    name: str
    says: dict[str, str]  # state → what it means; an end means nothing more
    moves: tuple[tuple[str, str], ...]

    @property
    def ranks(self) -> dict[str, int]:
        """How many moves each state is away from the first, the longest way that never turns."""
        first = next(iter(self.says))
        ranks = {first: 0}
        for _ in self.says:
            for begin, end in self.moves:
                if begin in ranks and (end, begin) not in self.moves:
                    ranks[end] = max(ranks.get(end, 0), ranks[begin] + 1)
                elif begin in ranks:
                    ranks.setdefault(end, ranks[begin] + 1)
        return {state: ranks.get(state, 0) for state in self.says}


def found() -> list[Machine]:
    """Every machine of our models, by the model's name. ValueError: one that cannot be read."""
    rooms = ("accounts", "privacy", "portraits")
    ours = [model for model in apps.get_models() if model._meta.app_label in rooms]
    enums = [(model, getattr(model, name, None)) for model in ours for name in ("State", "Stage")]
    machines = [read(model, kind) for model, kind in enums if kind is not None]
    return sorted(machines, key=lambda machine: machine.name)


def read(model: type[models.Model], kind: Any) -> Machine:
    """A model's machine, from the sentence beside its enum or beside itself."""
    name = model.__name__
    told = next((doc for doc in (kind.__doc__, model.__doc__) if doc and ONE in doc), None)
    if told is None:
        raise ValueError(f"{name}.{kind.__name__} does not say how it moves ({ONE}).")
    sentence = next(line for line in textwrap.dedent(told).split("\n") if ONE in line)
    # What stands before a colon or behind a full stop says what it is, not how it moves.
    path = sentence.rpartition(": ")[2].partition(".")[0].strip()
    moves = tuple(dict.fromkeys(_moves(path)))
    members = {member.name: _comment(kind, member.name) for member in kind}
    ends = {state for move in moves for state in move if state not in members}
    if wrong := [state for state in ends if not state.startswith("(")]:
        raise ValueError(f"{name}.{kind.__name__} has no state {wrong[0]}.")
    if idle := members.keys() - {state for move in moves for state in move}:
        raise ValueError(f"{name}.{kind.__name__} does not say how it comes to {min(idle)}.")
    return Machine(name, {**members, **dict.fromkeys(sorted(ends), "")}, moves)


def _moves(sentence: str) -> Iterator[tuple[str, str]]:
    for path in re.split(r"; |, or ", sentence):
        parts = re.split(f" ([{ONE}{BOTH}]) ", path)
        groups = [[state.strip() for state in part.split("|")] for part in parts[::2]]
        for sign, (before, after) in zip(parts[1::2], pairwise(groups), strict=True):
            for begin in before:
                for end in after:
                    yield begin, end
                    if sign == BOTH:
                        yield end, begin


def _comment(kind: Any, member: str) -> str:
    source = inspect.getsource(kind)
    match = re.search(rf"^\s+{member} = .*?  # (.+)$", source, re.MULTILINE)
    return match[1] if match else ""


def draw(machine: Machine) -> str:
    """Columns by how far a state is from the first; dashed: the row itself is gone."""
    places = _places(machine)
    shapes = []
    for state, (x, y) in places.items():
        ended = state.startswith("(")
        shapes.append(svg.box(x, y, WIDE, HIGH, "box end" if ended else "box"))
        words = state.strip("()") if ended else state.lower().replace("_", " ")
        first, *rest = svg.wrapped(words, LETTERS - 2)
        shapes.append(svg.text(x + 12, y + 20, first, "small" if ended else "name"))
        lines = [*rest, *svg.wrapped(machine.says[state], LETTERS)]
        shapes += [
            svg.text(x + 12, y + 35 + 13 * at, line, "small") for at, line in enumerate(lines[:3])
        ]
    done = set()
    for begin, end in machine.moves:
        if (end, begin) in done:
            continue
        done.add((begin, end))
        both = (end, begin) in machine.moves
        shapes.append(svg.arrow(_path(places[begin], places[end]), both=both))
    width = max(x for x, _ in places.values()) + WIDE + 20
    height = max(y for _, y in places.values()) + HIGH + 20
    title = f"{machine.name}: " + ", ".join(f"{a} to {b}" for a, b in machine.moves)
    return svg.page(title, width, height, shapes)


def _places(machine: Machine) -> dict[str, tuple[float, float]]:
    columns: dict[int, list[str]] = {}
    for state, rank in machine.ranks.items():
        columns.setdefault(rank, []).append(state)
    rows = {state: at for states in columns.values() for at, state in enumerate(states)}
    ranks = machine.ranks
    # A line over a box needs room above the first row.
    over = any(ranks[b] - ranks[a] > 1 and rows[a] == rows[b] == 0 for a, b in machine.moves)
    top = 20 + (ABOVE / 2 if over else 0)
    return {state: (20 + ranks[state] * ACROSS, top + rows[state] * DOWN) for state in ranks}


def _path(begin: tuple[float, float], end: tuple[float, float]) -> str:
    (left, upper), (right, lower) = begin, end
    y1, y2 = upper + HIGH / 2, lower + HIGH / 2
    if left == right:
        # Within a column, along its left side.
        return f"M{left:g} {y1:g} C{left - 26:g} {y1:g} {left - 26:g} {y2:g} {left:g} {y2:g}"
    if right < left:
        x1, x2 = left, right + WIDE
        return f"M{x1:g} {y1:g} L{x2:g} {y2:g}"
    middle = left + WIDE / 2
    if right - left > ACROSS and upper == lower:
        # Over what stands between them.
        far, above = right + WIDE / 2, upper - ABOVE
        return f"M{middle:g} {upper:g} Q{(middle + far) / 2:g} {above:g} {far:g} {upper:g}"
    if right - left > ACROSS:
        # Below what stands between them.
        foot = upper + HIGH
        return f"M{middle:g} {foot:g} C{middle:g} {y2:g} {middle + 70:g} {y2:g} {right:g} {y2:g}"
    x1, x2 = left + WIDE, right
    bend = (x2 - x1) * 0.5
    return f"M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
