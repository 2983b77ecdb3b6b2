"""What an engine is thought to take is counted from its networks and covers what it takes."""

import json
import subprocess
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from deploy.env import ROOT  # noqa: E402
from deploy.models import costs, memory  # noqa: E402
from tests.engines.counted import engine_of  # noqa: E402
from tests.figures import figure  # noqa: E402
from workers import admission  # noqa: E402
from workers.engines import base  # noqa: E402
from workers.engines.bridge import STYLES  # noqa: E402

MEGABYTE = 2**20
# What painting with pocket may take in all.
MOST = 700e6
# Comic needs as much as any style in the network; oil draws the most planes before it.
LARGE = ("comic", "oil")
# A fresh process, whose high-water mark is set back to what it has once everything is there.
REAL = f"""
import re
from pathlib import Path
from privacy.memory import overwrite_freed
overwrite_freed()
from PIL import Image
from workers.engines.base import Order, Task, create
engine = create("pocket", Path("workers/weights/pocket"))
engine.load()
styles = sorted(engine.describe().styles)
photo = Image.effect_noise((600, 800), 60).convert("RGB")
def paint(style, side):
    order = Order(Task.IDENTITY, style, side, side, seed=1, references=(photo,))
    engine.render(order, lambda *_: None)
def held(what):
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(what + r":\\s+(\\d+) kB", status)[1])
def most(side, *some):
    Path("/proc/self/clear_refs").write_text("5")
    for style in some:
        paint(style, side)
    return held("VmHWM")
before = held("VmRSS")
print(before, most(512, *styles), most(1024, *{LARGE!r}))
"""


def numbers(megabytes: int) -> Any:
    return torch.empty(megabytes * MEGABYTE // 4)


def test_what_is_let_go_counts_no_more() -> None:
    def call() -> None:
        first = numbers(8)
        second = first + 1
        del first
        third = second * 2
        del second
        third.mul_(2)

    with torch.device("meta"):
        assert memory.peak(call) == 16 * MEGABYTE


def test_parameters_and_views_are_no_results() -> None:
    with torch.device("meta"):
        layer = torch.nn.Linear(1024, 1024, bias=False)
        seen = torch.empty(256, 1024)
        assert memory.peak(lambda: layer(seen).view(-1).view(256, 1024)) == MEGABYTE


def test_attention_counts_no_matrix_unless_its_heads_are_too_wide_to_be_fused() -> None:
    def attention(width: int) -> float:
        seen = torch.empty(1, 1, 1024, width)
        attend = torch.nn.functional.scaled_dot_product_attention
        return memory.peak(lambda: attend(seen, seen, value=seen)) / (4 * 1024)

    with torch.device("meta"):
        assert attention(128) == 128
        assert attention(512) == 512 + 2 * 1024


def test_the_readers_of_words_have_the_published_sizes() -> None:
    with torch.device("meta"):
        readers = {name: make() for name, make in memory.READERS.items()}
    counts = {
        name: sum(each.numel() for each in reader.parameters()) for name, reader in readers.items()
    }
    assert counts == {
        "flux2-klein": 4_022_468_096,
        "z-image": 4_022_468_096,
        "qwen-edit": 8_292_166_656,
    }


@pytest.mark.parametrize("name", sorted(costs.ENGINES))
def test_the_table_holds_what_is_estimated_now(name: str) -> None:
    """The largest size from the most photos stands for all; the rest would take a minute."""
    entry = json.loads(admission.FILE.read_text())["engines"][name]
    largest, counts = list(entry["sizes"].items())[-1]
    wide, high = map(int, largest.split("x"))
    entry["sizes"] = {largest: counts[-1:]}
    assert memory.entry(name, ((wide, high), len(counts) - 1)) == entry


def test_every_engine_is_in_it_in_every_size_that_it_paints() -> None:
    table = json.loads(admission.FILE.read_text())["engines"]
    assert set(table) == set(base.REGISTRY)
    for name, entry in table.items():
        sizes = engine_of(name).sizes
        assert set(entry["sizes"]) == {f"{width}x{height}" for width, height in sizes}


def test_a_larger_picture_from_more_photos_never_takes_less() -> None:
    for entry in json.loads(admission.FILE.read_text())["engines"].values():
        assert entry["weights"] > 0
        sizes = {
            tuple(int(side) for side in size.split("x")): counts
            for size, counts in entry["sizes"].items()
        }
        for counts in sizes.values():
            assert counts == sorted(counts)
        by_area = sorted(sizes, key=lambda size: size[0] * size[1])
        firsts = [sizes[size][0] for size in by_area]
        assert firsts == sorted(firsts)


def test_the_estimate_covers_what_pocket_really_takes() -> None:
    """Counted on shapes alone, and no more than three times as much as a real process grew by."""
    done = subprocess.run(
        [sys.executable, "-c", REAL], cwd=ROOT, check=True, capture_output=True, text=True
    )
    before, small, large = (float(word) for word in done.stdout.split())
    figure(
        "pocket-memory",
        value=f"{small / 1e6:.0f} / {large / 1e6:.0f}",
        unit="MB",
        n=len(STYLES) + len(LARGE),
        holds=max(small, large) <= MOST,
        conditions="the most that one process held which painted every style at 512 px, then"
        f" {' and '.join(LARGE)} at 1024 px, its libraries with it ({before / 1e6:.0f} MB before"
        " the first); freed memory overwritten",
    )
    assert max(small, large) <= MOST
    grew = large - before
    needs = admission.counted("pocket", "cpu")
    assert needs
    thought = needs.painting((1024, 1024), 1)
    # Canvas and last touches are not the network's; the libraries' share has room for them.
    assert 0 < grew <= thought + admission.BESIDE["cpu"], grew
    assert thought <= 3 * grew, grew
