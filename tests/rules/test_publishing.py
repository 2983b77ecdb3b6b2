"""`make publish` adds to the page what was measured here, and takes away nothing that was not."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy import figures
from tests.bench import publish


def row(name: str, value: str, n: int) -> dict[str, Any]:
    what, goal = figures.KNOWN[name]
    said = {"unit": "", "holds": True, "conditions": "here", "measured_at": "2026-01-01T00:00"}
    return {"id": name, "what": what, "goal": goal, "value": value, "n": n, **said}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with three figures and two suites; two of the figures and one suite were measured."""
    for name in ("page", "raw"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(publish, "PAGE", tmp_path / "page")
    monkeypatch.setattr(publish, "RAW", tmp_path / "raw")
    published = [row("R-01", "old", 400), row("R-03", "old", 6), row("R-04", "old", 100)]
    (tmp_path / "page" / "figures.json").write_text(json.dumps(published))
    (tmp_path / "page" / "bench.md").write_text(
        "# Page\n\n## sched\n\nas it was\n\n## stack\n\nold\n"
    )
    (tmp_path / "raw" / "stack.json").write_text('{"conditions": "new"}')
    (tmp_path / "raw" / "gpu-toy.json").write_text('{"conditions": "small", "toy": true}')
    monkeypatch.setattr(figures, "best", lambda: [row("R-01", "small", 9), row("R-03", "new", 6)])
    assert publish.main() == 0
    return tmp_path / "page"


def test_a_figure_gives_way_to_one_that_took_as_much_and_to_no_smaller_one(page: Path) -> None:
    rows = json.loads((page / "figures.json").read_text())
    assert {one["id"]: one["value"] for one in rows} == {
        "R-01": "old",
        "R-03": "new",
        "R-04": "old",
    }


def test_the_section_of_a_suite_that_was_not_run_stays(page: Path) -> None:
    told = (page / "bench.md").read_text()
    assert "## sched\n\nas it was\n" in told
    assert "## stack\n\nnew\n" in told
    assert "\nold\n" not in told


def test_what_was_run_at_toy_sizes_is_not_published(page: Path) -> None:
    assert "gpu-toy" not in (page / "bench.md").read_text()
    assert not (page / "gpu-toy.json").exists()
