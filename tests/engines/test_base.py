"""The engine protocol: what it promises before any engine is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from workers.engines.base import (
    CannotPaint,
    Capabilities,
    Engine,
    EngineError,
    Order,
    Step,
    Stopped,
    Task,
    check,
    create,
)

CAN = Capabilities(
    name="sample",
    tasks=frozenset({Task.IDENTITY, Task.EDIT}),
    styles=frozenset({"plain"}),
    sizes=((64, 64),),
    max_references=2,
    licence="Apache-2.0",
    weights_sha256="0" * 64,
)
FACE = Image.new("RGB", (64, 64), (200, 150, 120))


class OwnEngine:
    """An engine that no registry knows."""

    def __init__(self, weights: Path) -> None:
        self.weights = weights

    def load(self) -> None:
        pass

    def describe(self) -> Capabilities:
        return CAN

    def fingerprint(self) -> str:
        return "0" * 64

    def render(self, order: Order, on_step: Step) -> Image.Image:
        on_step(1, 1)
        return order.references[0]

    def unload(self) -> None:
        pass


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "task": Task.IDENTITY,
        "style": "plain",
        "width": 64,
        "height": 64,
        "seed": 1,
        "references": (FACE,),
    }
    return Order(**(fields | changes))  # type: ignore[arg-type]


def test_it_is_imported_without_torch_and_without_django() -> None:
    program = (
        "import sys, workers.engines.base, workers.engines.weights;"
        "print(sorted({'torch', 'diffusers', 'django', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_an_order_prints_neither_words_nor_pictures() -> None:
    secret = order(prompt="my cousin Ada", source=FACE, mask=FACE, focus=((0.1, 0.1, 0.4, 0.4),))
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert "Ada" not in text
        assert "PIL" not in text
        assert "0.4" not in text
        assert "redacted" in text


def test_it_accepts_what_lies_within_the_capabilities() -> None:
    check(order(), CAN)
    check(order(task=Task.EDIT, references=(), source=FACE), CAN)


@pytest.mark.parametrize(
    "changes",
    [
        {"task": Task.UPSCALE},
        {"style": "unheard of"},
        {"width": 65},
        {"references": ()},
        {"references": (FACE, FACE, FACE)},
        {"focus": (None, None)},
        {"steps": 0},
        {"task": Task.EDIT, "references": ()},
    ],
)
def test_it_refuses_what_lies_outside(changes: dict[str, object]) -> None:
    with pytest.raises(CannotPaint):
        check(order(**changes), CAN)


def test_an_engine_outside_the_registry_is_found_by_its_place(tmp_path: Path) -> None:
    engine = create("tests.engines.test_base:OwnEngine", tmp_path)
    assert isinstance(engine, Engine)
    assert engine.render(order(), lambda done, total: None) is FACE


@pytest.mark.parametrize("name", ["unheard-of", "no.such.module:Engine", "tests.engines:Nothing"])
def test_it_says_so_when_there_is_no_such_engine(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        create(name, tmp_path)


def test_being_stopped_is_not_a_failure_of_the_engine() -> None:
    assert not issubclass(Stopped, EngineError)
