"""What the web says of an engine is what the engine says of itself."""

import json
from typing import Any

import pytest

from portraits import abilities
from workers.engines import base, pocket
from workers.engines.flux2_klein import Flux2KleinEngine
from workers.engines.qwen_edit import QwenEditEngine
from workers.engines.z_image import ZImageEngine


def test_every_engine_of_the_registry_is_in_the_table_with_tasks_that_exist() -> None:
    table = json.loads(abilities.FILE.read_text())
    assert set(table) == set(base.REGISTRY)
    for name in table:
        assert {base.Task(task) for task in abilities.of(name).tasks}


@pytest.mark.parametrize("engine", [Flux2KleinEngine, ZImageEngine, QwenEditEngine])
def test_an_engine_does_what_the_table_says(engine: Any) -> None:
    assert set(abilities.of(engine.name).tasks) == set(engine.tasks)


def test_pocket_does_what_the_table_says() -> None:
    can = abilities.of("pocket")
    assert (set(can.tasks), can.words) == (set(pocket.TASKS), False)


def test_an_engine_that_nobody_wrote_down_is_taken_to_do_what_a_style_asks_for() -> None:
    assert abilities.of("my.house:Painter") == abilities.UNKNOWN
