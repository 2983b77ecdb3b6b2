"""The five rooms and who imports whom, as the source says."""

import ast
import re
from typing import Final

from deploy.drawings import svg
from deploy.env import ROOT

# From the one that may import all to the one that imports nobody.
ROOMS: Final = ("deploy", "workers", "portraits", "privacy", "accounts")
OWNS: Final = ROOT / "deploy" / "docs" / "contributing.md"
WIDTH, HIGH, GAP = 460.0, 64.0, 26.0
LEFT, TOP = 20.0, 20.0
# How far the line between neighbours swings out, and each further one beyond it.
SWING = 44.0


def imports() -> set[tuple[str, str]]:
    """(room, other room) where some module of the one names a module of the other."""
    found: set[tuple[str, str]] = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if "migrations" not in file.parts:
                named = {name.split(".")[0] for name in _named(ast.parse(file.read_text()))}
                found |= {(room, other) for other in named if other in ROOMS and other != room}
    return found


def _named(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def owns() -> dict[str, str]:
    """Room → what it owns, as contributing.md has it."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", OWNS.read_text(), re.MULTILINE)
    return {room: said for room, said in rows if room in ROOMS}


def draw() -> str:
    """Boxes one below the other; an arrow for each room that another one imports."""
    said, found = owns(), imports()
    middles, shapes = {}, []
    for at, room in enumerate(ROOMS):
        y = TOP + at * (HIGH + GAP)
        middles[room] = y + HIGH / 2
        shapes += [
            svg.box(LEFT, y, WIDTH, HIGH),
            svg.text(LEFT + 16, y + 26, room, "name"),
            svg.text(LEFT + 16, y + 47, said[room], "small"),
        ]
    edge = LEFT + WIDTH
    for room, other in sorted(found):
        begin, end = middles[room], middles[other]
        steps = ROOMS.index(other) - ROOMS.index(room)
        if steps == 1:
            foot, head = begin + HIGH / 2, end - HIGH / 2
            shapes.append(svg.arrow(f"M{LEFT + WIDTH / 2:g} {foot:g} V{head:g}"))
            continue
        # Lines that begin or end at one room do so one below the other.
        begin, end = begin + 5 * (steps - 3), end - 5 * (steps - 3)
        out = edge + SWING * steps
        path = f"M{edge:g} {begin:g} C{out:g} {begin:g} {out:g} {end:g} {edge + 2:g} {end:g}"
        shapes.append(svg.arrow(path))
    height = TOP * 2 + len(ROOMS) * HIGH + (len(ROOMS) - 1) * GAP
    title = "The rooms: each imports those below it alone."
    return svg.page(title, edge + SWING * 4, height, shapes)
