"""`make bench SUITE=gpu` runs from end to end at toy sizes, and says so where there is no card."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from deploy.env import ROOT  # noqa: E402
from deploy.figures import best  # noqa: E402
from tests.bench import gpu, report  # noqa: E402

KEPT = report.FOLDER / "gpu-toy.json"


def figures() -> list[dict[str, Any]]:
    return [row for row in best() if row["id"] in gpu.FIGURES]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card here")
def test_without_a_card_it_says_so_and_counts_nothing_as_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert gpu.run() is None
    assert "no CUDA device: not run" in capsys.readouterr().out
    for row in figures():
        assert (row["value"] is None) == (row["holds"] is None), row


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_part_runs_at_toy_sizes_and_no_toy_is_a_figure() -> None:
    """The same functions as on a card: engines, compiler, worker and stack, all small."""
    before = figures()
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench", "gpu"],
        cwd=ROOT,
        env=os.environ | {"SITTER_BENCH_TOY": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    assert "toy sizes on a processor" in said
    raw = json.loads(KEPT.read_text())
    assert raw["toy"] is True
    assert all(value > 0 for value in raw["roofs"].values())
    painting = raw["painting"]
    for row in ("flux2-klein 0", "flux2-klein 1", "flux2-klein decoder", "z-image 0"):
        assert 0 < painting[row]["ms"] < 60_000, row
        assert "of_roof" not in painting[row]
    assert painting["flux2-klein room"]["estimated_gb"] > 16
    assert raw["swap"]["gb_s"] > 0
    assert raw["compile"]["recompiles"] == 0
    assert raw["compile"]["graphs"] > 0
    assert raw["gaps"]["jobs"] == 4
    assert 0 <= raw["gaps"]["gap_ms"] <= raw["gaps"]["longest_ms"]
    assert 0 < raw["gaps"]["busy"] <= 1
    assert figures() == before
