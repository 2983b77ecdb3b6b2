"""A few shapes as SVG: boxes, words, lines with a head; on light and on dark paper. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

# The reader's own setting decides; without one, dark on light.
STYLE: Final = """
  :root { --ink: #1e293b; --soft: #64748b; --line: #94a3b8; --box: #f8fafc; --edge: #cbd5e1;
    --mark: #c2410c; --paper: #ffffff; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --soft: #94a3b8;
    --line: #64748b; --box: #1e293b; --edge: #475569; --mark: #fb923c; --paper: #0f172a; } }
  svg { background: var(--paper); }
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: var(--ink); }
  .name { font-weight: 600; }
  .small { font-size: 11px; fill: var(--soft); }
  .mark { fill: var(--mark); }
  .box { fill: var(--box); stroke: var(--edge); rx: 6px; }
  .end { stroke-dasharray: 4 3; }
  .row { fill: var(--box); }
  .dot { fill: var(--mark); }
  .arrow { fill: none; stroke: var(--line); stroke-width: 1.4; marker-end: url(#head); }
  marker path { fill: var(--line); }
"""
HEAD: Final = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>'
)


def page(title: str, width: float, height: float, shapes: Sequence[str]) -> str:
    """The whole file; `title` is what a screen reader says of it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        HEAD,
        *shapes,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def box(x: float, y: float, width: float, height: float, kind: str = "box") -> str:
    """A rectangle with round corners."""
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """One line; `y` is its foot."""
    said = f' class="{kind}"' if kind else ""
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{said} x="{x:g}" y="{y:g}"{placed}>{escape(words)}</text>'


def dot(x: float, y: float, radius: float = 5) -> str:
    """A full circle."""
    return f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'


def arrow(path: str, *, both: bool = False) -> str:
    """A line along SVG's path, with a head at its end, or at both."""
    start = ' marker-start="url(#head)"' if both else ""
    return f'<path class="arrow"{start} d="{path}"/>'


def wrapped(words: str, most: int) -> Iterator[str]:
    """Lines of so many characters at most, broken between words."""
    line = ""
    for word in words.split():
        if line and len(line) + 1 + len(word) > most:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line
