"""An answer as text: the sentence first, then the table, what gives way, and what was assumed."""

import math
from collections.abc import Iterator, Sequence

from deploy.capacity import measured
from deploy.capacity.limits import limits
from deploy.capacity.needs import ASKED, needs
from deploy.capacity.outcome import Outcome, percentile
from deploy.capacity.shapes import DAY, HOUR
from deploy.capacity.sizing import P95, Answer


def told(answer: Answer) -> str:
    """All of it."""
    parts = (sentence(answer), table(answer), waits(answer.day), given(answer), assumed(answer))
    return "\n\n".join(parts)


def sentence(answer: Answer) -> str:
    """The answer."""
    asked, (begin, end) = answer.question, answer.question.shape.busiest()
    peak = asked.portraits * asked.shape.share(begin, end)
    return (
        f"{asked.portraits:,.0f} portraits a day, {asked.shape.name} ({asked.shape.says}):"
        f" {answer.workers} GPU workers.\n"
        f"In the busiest hour ({_clock(begin)} to {_clock(end)}, {peak:,.0f} portraits) 95 of 100"
        f" orders of a few portraits are there within {answer.p95:.1f} s; {asked.p95:g} s were"
        " asked for."
    )


def table(answer: Answer) -> str:
    """What is needed, on the average of the day and in its busiest hour."""
    rows = [
        (need.what, number(need.mean, need.unit), number(need.busiest, need.unit), need.how)
        for need in needs(answer)
    ]
    return columns(("what", "mean", "busiest hour", "how it is known"), rows)


def waits(day: Outcome) -> str:
    """What people felt, by lane, over the whole day."""
    rows = []
    for lane, of in (("interactive", "a few"), ("pack", "a pack")):
        taken, whole = day.waits[lane], day.whole[lane]
        values = [percentile(taken, 0.5), percentile(taken, P95)]
        values += [percentile(whole, 0.5), percentile(whole, P95)]
        rows.append((of, *(f"{value:.1f} s" for value in values)))
    heads = ("orders of", "taken, p50", "taken, p95", "all there, p50", "all there, p95")
    counts = ", ".join(f"{name} {day.counts[name]:,}" for name in sorted(day.counts))
    return f"{columns(heads, rows)}\nOf the day: {counts}; the longest queue {day.longest_line:,}."


def given(answer: Answer) -> str:
    """What gives way first as the portraits a day grow."""
    rows = [(one.what, f"{one.portraits:,.0f}", one.then) for one in limits(answer)]
    return columns(("what gives way", "at portraits a day", "then"), rows)


def assumed(answer: Answer) -> str:
    """Every number that went in, the assumed ones first."""
    asked = answer.question
    lines = []
    for engine, share in asked.engines.items():
        _, paint = measured.paint(asked.folder, engine, asked.size, asked.photos, asked.tflops)
        size = "{} x {}".format(*asked.size)
        lines.append(
            f"- {share:.0%} of portraits by {engine}, {size}, {asked.photos} photos:"
            f" {paint.value:.2f} s; {paint.source}"
        )
    said = sorted(asked.figures().items(), key=lambda row: (not row[1].assumed, row[0]))
    lines += [f"- {name}: {number(one.value, one.unit)}; {one.source}" for name, one in said]
    lines.append(
        f"- {asked.packs:.0%} of orders are packs of {asked.pack}, the others of one to four;"
        " every order is another person's; assumed"
    )
    asks = "; ".join(
        f"{what}: {order:g} an order" if order else f"{what}: {portrait:g} a portrait"
        for what, (order, portrait, _) in ASKED.items()
    )
    lines.append(f"- requests: {asks}; assumed")
    return "What went in:\n" + "\n".join(lines)


def scaled(fixed: Answer, day: Outcome) -> str:
    """What an autoscaler would have done with the same day."""
    begin, end = fixed.question.shape.busiest()
    p95 = day.whole_p(P95, begin, end)
    whole = fixed.day.gpu_hours
    return (
        f"With an autoscaler: {day.most_workers} workers at most, {day.gpu_hours:,.0f} GPU hours"
        f" against {whole:,.0f} of a fixed fleet ({1 - day.gpu_hours / whole:.0%} fewer), p95"
        f" {p95:.1f} s in the busiest hour against {fixed.p95:.1f} s, and"
        f" {day.whole_p(P95, 0, DAY):.1f} s over the day."
    )


def calibrated(kept: dict[str, dict[str, float]]) -> str:
    """Both ways, and by how much they differ."""
    rows = [
        (name, f"{kept['measured'][name]:.3f}", f"{kept['simulated'][name]:.3f}", f"{off:+.1%}")
        for name, off in kept["error"].items()
    ]
    return columns(("", "measured", "simulated", "error"), rows)


def number(value: float, unit: str) -> str:
    """Three digits that count, and the unit."""
    if math.isnan(value):
        return "none"
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".rstrip().replace(" /s", "/s")


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in columns as wide as they must be; the last one runs out."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    widths[-1] = 0

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))

    return "\n".join(line(cells).rstrip() for cells in _ruled(heads, rows, widths))


def _ruled(
    heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Iterator[Sequence[str]]:
    yield heads
    yield ["-" * max(width, len(head)) for head, width in zip(heads, widths, strict=True)]
    yield from rows


def _clock(at: float) -> str:
    return f"{int(at // HOUR):02}:{int(at % HOUR // 60):02}"
