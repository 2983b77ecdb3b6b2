"""A3 to A7: what a card does with the published architectures, in random weights of the real size.

Roofs first, because a time alone says nothing of what is left to gain. Where there is no card it
says so, and the figures stay unmeasured; `SITTER_BENCH_TOY=1` tries the code without one.
"""

from collections.abc import Callable
from typing import Any

from tests.bench import report

FIGURES = ("A3", "A4", "A5", "A6", "A7")
# Seconds, but for the gap.
A3, A4, A5_MS, A6, A7 = 0.65, 0.95, 5.0, 5.0, 1.5


def run() -> dict[str, Any] | None:
    """All parts, kept after each."""
    # torch, once it is loaded, competes with the other suites for the cores.
    from tests.bench.gpu import place

    where = place.here()
    if where is None:
        report.not_run(FIGURES, "no CUDA device")
        return None
    from tests.bench.gpu import compiling, gaps, moving, painting, roofs

    suite = "gpu-toy" if where.toy else "gpu"
    raw: dict[str, Any] = {"device": where.name, "toy": where.toy}
    parts: dict[str, Callable[[], Any]] = {
        "roofs": lambda: roofs.run(where),
        "painting": lambda: painting.run(where, raw["roofs"]["matmul_tflops"]),
        "swap": lambda: moving.run(where),
        "compile": lambda: compiling.run(where),
        "gaps": lambda: gaps.run(where),
    }
    for part, measure in parts.items():
        print(f"\n{part}, {where.name}")
        raw[part] = measure()
        report.keep(suite, raw)
    if not where.toy:
        _say(raw)
    return raw


def _say(raw: dict[str, Any]) -> None:
    one, words = raw["painting"]["flux2-klein 1"], raw["painting"]["z-image 0"]
    roof = f"{raw['roofs']['matmul_tflops']:.0f} TFLOP/s measured"
    for name, row, goal in (("A3", one, A3), ("A4", words, A4)):
        seconds = row["ms"] / 1000
        said = f"{100 * row['of_roof']:.0f} % of {roof}, {100 * row['of_peak']:.0f} % of 989"
        _figure(raw, name, round(seconds, 3), "s", seconds <= goal, said)
    gaps = raw["gaps"]
    said = f"median of {gaps['jobs']} jobs, busy {100 * gaps['busy']:.1f} %"
    _figure(raw, "A5", round(gaps["gap_ms"], 2), "ms", gaps["gap_ms"] <= A5_MS, said)
    made = raw["compile"]
    said = f"cold {made['cold_s']:.1f} s; {made['recompiles']} recompiles in {made['jobs']} jobs"
    good = made["cached_s"] <= A6 and made["recompiles"] == 0
    _figure(raw, "A6", round(made["cached_s"], 2), "s", good, said)
    swap = raw["swap"]
    _figure(raw, "A7", round(swap["s"], 2), "s", swap["s"] <= A7, f"{swap['gb_s']:.1f} GB/s")


def _figure(raw: dict[str, Any], name: str, value: float, unit: str, holds: bool, how: str) -> None:
    report.figure(
        name,
        value=value,
        unit=unit,
        n=1,
        holds=holds,
        how=f"{raw['device']}, random weights; {how}",
    )
