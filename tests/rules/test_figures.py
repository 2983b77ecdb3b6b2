"""Figures: a run replaces its own ids only, and what was not run never counts as holding."""

from pathlib import Path

import pytest

from deploy import figures


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path)


def record(figure: str, value: int, n: int) -> None:
    figures.record("test", figure, value=value, unit="", n=n, holds=True, conditions="here")


def test_a_run_replaces_its_own_ids_only() -> None:
    record("R-04", 1, 10)
    record("R-12", 2, 10)
    record("R-04", 3, 10)
    rows = {row["id"]: row["value"] for row in figures.best()}
    assert (rows["R-04"], rows["R-12"]) == (3, 2)


def test_the_largest_run_of_each_figure_is_shown() -> None:
    record("R-04", 1, 10)
    figures.record("chaos", "R-04", value=9, unit="", n=100, holds=True, conditions="long")
    assert next(row for row in figures.best() if row["id"] == "R-04")["value"] == 9


def test_what_was_not_measured_is_listed_and_does_not_hold() -> None:
    row = next(row for row in figures.best() if row["id"] == "N-01")
    assert row["holds"] is None
    assert "not run" in figures.table([row])


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(KeyError):
        record("Z-99", 1, 1)
