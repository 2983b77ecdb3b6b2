"""The command: a question gets the fewest workers that keep it, and says what it went by."""

import json
from pathlib import Path

import pytest

from deploy.capacity import cli, limits, measured, needs, report, sizing
from deploy.capacity.shapes import SHAPES
from deploy.capacity.sizing import Answer, Question, Unreachable

SMALL = Question(20_000, SHAPES["evening"], 10.0)


@pytest.fixture(scope="module")
def small() -> Answer:
    return sizing.answer(SMALL)


def test_one_worker_fewer_would_not_keep_it(small: Answer) -> None:
    assert small.tried[small.workers] <= SMALL.p95
    fewer = small.workers - 1
    assert fewer > 0
    kept = sizing.busiest_hour(SMALL, SMALL.mix(), fewer) <= SMALL.p95
    # Or they could not paint what comes.
    assert not kept or fewer < sizing.busiest_load(SMALL, SMALL.mix())


def test_a_stricter_question_and_a_larger_one_take_more(small: Answer) -> None:
    for question in (Question(60_000, SMALL.shape, 10.0), Question(20_000, SHAPES["launch"], 10.0)):
        workers, _ = sizing.fewest(question)
        assert workers > small.workers


def test_what_no_number_of_workers_can_do_is_refused() -> None:
    with pytest.raises(Unreachable, match="by itself; no number of workers"):
        sizing.answer(Question(1000, p95=0.5))


def test_every_number_has_a_source_and_the_assumed_ones_come_first(small: Answer) -> None:
    text = report.told(small)
    told = text[text.index("What went in:") :]
    assert all(one.source for one in SMALL.figures().values())
    for name in SMALL.figures():
        assert f"- {name}: " in told
    figures = [line for line in told.splitlines() if any(
        line.startswith(f"- {name}: ") for name in SMALL.figures())]  # fmt: skip
    marks = ["; assumed" in line for line in figures]
    assert marks == sorted(marks, reverse=True)


def test_what_is_needed_grows_towards_the_busiest_hour(small: Answer) -> None:
    found = {need.what: need for need in needs.needs(small)}
    for what in ("portraits asked for", "orders", "requests", "broker messages"):
        assert found[what].busiest > 1.5 * found[what].mean
    assert found["portraits asked for"].mean == pytest.approx(20_000 / 86_400, rel=0.1)
    # Whoever paints keeps its pool and one more.
    most = found["database connections at most"].busiest
    assert most > small.workers * 9


def test_what_gives_way_first_stands_first(small: Answer) -> None:
    rows = limits.limits(small)
    assert [row.portraits for row in rows] == sorted(row.portraits for row in rows)
    assert rows[0].portraits < 20_000


def test_a_measured_card_is_gone_by_before_an_assumed_one(tmp_path: Path) -> None:
    for file in measured.MEASURED.glob("*.json"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "gpu.json").unlink(missing_ok=True)
    cost, guessed = measured.paint(tmp_path, "flux2-klein", (1024, 1024), 4, None)
    assert guessed.assumed
    rows = {"flux2-klein 1": {"tflops": 300.0}, "flux2-klein 4": {"tflops": 500.0}}
    (tmp_path / "gpu.json").write_text(json.dumps({"painting": rows}))
    _, real = measured.paint(tmp_path, "flux2-klein", (1024, 1024), 4, None)
    assert not real.assumed
    assert real.value == pytest.approx(cost / 500.0)
    asked = measured.paint(tmp_path, "flux2-klein", (1024, 1024), 4, 1000.0)[1]
    assert asked.value == pytest.approx(cost / 1000.0)


def test_pocket_goes_by_what_was_measured() -> None:
    _, seconds = measured.paint(measured.MEASURED, "pocket", (512, 512), 5, None)
    assert 0.1 < seconds.value < 3
    assert not seconds.assumed
    with pytest.raises(KeyError):
        measured.paint(measured.MEASURED, "pocket", (123, 456), 5, None)


def test_the_command_answers_keeps_its_numbers_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["--portraits", "3000", "--shape", "flat", "--p95", "20", "--plots", "--autoscale"]
    assert cli.main([*said, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("3,000 portraits a day, flat")
    assert "GPU workers" in told
    assert "With an autoscaler:" in told
    kept = json.loads((tmp_path / "answer.json").read_text())
    assert kept["counts"]["asked"] == pytest.approx(3000, rel=0.1)
    for name in ("day.png", "workers.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--p95", "0.1"], 1),
        (["--engines", "pocket", "--size", "1x1"], 2),
        (["--portraits", "-5"], 2),
        (["--shape", "triangle"], 2),
        (["--size", "large"], 2),
        (["--set", "luck=1"], 2),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_a_sentence(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found: int | str | None = cli.main(arguments)
    except SystemExit as ended:
        found = ended.code
    assert found == status
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert told.err.strip().endswith((".", "nothing", ")", "'large'", "'luck'", "launch)"))
