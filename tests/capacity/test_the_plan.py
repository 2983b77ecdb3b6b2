"""The page of the plan says what was kept, and its commands are questions that can be asked."""

import json
import shlex

import pytest

from deploy.capacity import cli, plan, sizing
from deploy.capacity.shapes import SHAPES

KEPT = json.loads(plan.KEPT.read_text())


def test_the_page_shows_the_numbers_that_were_kept() -> None:
    page = plan.PAGE.read_text()
    assert plan.filled(page, KEPT) == page, "run python -m deploy.capacity --plan"


def test_the_steps_that_were_kept_are_those_of_the_code() -> None:
    kept = [(one["name"], one["portraits"], one["shape"], one["command"]) for one in KEPT["steps"]]
    code = [(step.name, step.portraits, step.shape, step.command) for step in plan.STEPS]
    assert kept == code


@pytest.mark.parametrize("step", plan.STEPS, ids=lambda step: step.name)
def test_a_steps_command_asks_its_question(step: plan.Step) -> None:
    words = shlex.split(step.command)
    assert words[:3] == plan.COMMAND.split()
    options = cli._parser().parse_args(words[3:])
    assert cli._question(options) == step.question
    assert options.shape in SHAPES


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for limits"):
        plan.filled(plan.PAGE.read_text().replace("<!-- limits -->", ""), KEPT)


def test_a_step_comes_out_the_same_when_it_is_simulated_again() -> None:
    step = plan.STEPS[0]
    first, again = (plan.row(step, sizing.answer(step.question)) for _ in range(2))
    assert first == again
