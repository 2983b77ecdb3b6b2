"""Compiling happens once for every size, and what was compiled is nobody else's to write."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as library  # noqa: E402

from workers.engines import prompts, speed  # noqa: E402
from workers.engines.base import EngineError, Order, Task, create  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PHOTO = Image.effect_noise((600, 800), 60).convert("RGB")


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what the test makes of them is taken back.
    for name in (speed.CACHE, speed.KERNELS):
        monkeypatch.setenv(name, "")


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """As little as a processor can do soon enough."""
    monkeypatch.setattr(prompts, "fixed", lambda: (prompts.identity("oil"),))
    monkeypatch.setattr(library, "VAE_IMAGE_SIZE", 128 * 128)
    monkeypatch.setattr(library, "CONDITION_IMAGE_SIZE", 112 * 112)


def paint(engine: Any, size: tuple[int, int], photos: int) -> Image.Image:
    task = Task.IDENTITY if Task.IDENTITY in engine.tasks else Task.TEXT
    seen = (PHOTO,) * photos if task is Task.IDENTITY else ()
    wanted = Order(task, "oil", *size, seed=1, steps=1, prompt="a boat", references=seen)
    made: Image.Image = engine.render(wanted, lambda *_: None)
    return made


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(("name", "blocks"), [("flux2-klein", 2), ("z-image", 3), ("qwen-edit", 1)])
def test_blocks_compile_once_for_all_sizes_and_numbers_of_photos(
    checkpoint: Callable[[str], Path], name: str, blocks: int
) -> None:
    """Through dynamo, with a backend that only runs: the kernels for CUDA are not made here."""
    graphs: list[Any] = []

    def count(graph: Any, _examples: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    engine: Any = create(name, checkpoint(name.replace("-", "_")))
    engine.load()
    plain = paint(engine, (512, 512), 1)
    torch._dynamo.reset()
    try:
        speed.compile_regions(engine._parts["transformer"], backend=count)
        assert paint(engine, (512, 512), 1).tobytes() == plain.tobytes()
        # One a kind of block.
        assert len(graphs) == blocks
        paint(engine, (512, 640), 3)
        paint(engine, (576, 768), 2)
        assert len(graphs) == blocks
    finally:
        torch._dynamo.reset()
        engine.unload()


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("name", ["flux2-klein", "z-image", "qwen-edit"])
def test_half_the_digits_paint_nearly_the_same(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What a card does: no part may insist on the other kind of number."""
    made = []
    for kind in (torch.float32, torch.bfloat16):
        monkeypatch.setattr(speed, "precision", lambda _, kind=kind: kind)
        engine: Any = create(name, checkpoint(name.replace("-", "_")))
        engine.load()
        assert engine._parts["transformer"].dtype is kind
        speed.prepare_decoder(engine._parts["vae"])
        made.append(np.asarray(paint(engine, (512, 512), 1)).astype(float))
        engine.unload()
    assert 0 < float(np.abs(made[0] - made[1]).mean()) < 8


def test_compiled_code_is_kept_where_it_was_said(tmp_path: Path) -> None:
    folder = speed.keep_compiled(tmp_path / "compiled")
    assert os.environ[speed.CACHE] == str(folder)
    assert os.environ[speed.KERNELS].startswith(str(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert speed.keep_compiled(folder) == folder


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "compiled"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(EngineError):
        speed.keep_compiled(folder)


def test_without_a_folder_it_is_a_new_one_of_this_process() -> None:
    folder = speed.keep_compiled(None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "sitter-compiled-" in folder.name
    folder.rmdir()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the opposite is true here")
def test_without_cuda_nothing_is_compiled() -> None:
    assert speed.precision(speed.device()) is torch.float32
    # Neither is looked at.
    speed.prepare(None, None, Path("/nowhere"))
    assert os.environ[speed.CACHE] == ""


def test_with_cuda_the_denoiser_is_compiled_and_counts_in_half_the_digits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As far as it goes without a card: what is asked of whom."""
    asked: list[tuple[str, dict[str, Any]]] = []

    class Model:
        def parameters(self) -> list[Any]:
            return [torch.empty(2, 2, 3, 3)]

        def to(self, **how: Any) -> None:
            asked.append(("to", how))

        def compile_repeated_blocks(self, **how: Any) -> None:
            asked.append(("compile", how))

    monkeypatch.setattr(speed, "device", lambda: torch.device("cuda"))
    speed.prepare(Model(), Model(), tmp_path / "compiled")
    assert speed.precision(speed.device()) is torch.bfloat16
    assert dict(asked) == {
        "to": {"memory_format": torch.channels_last},
        "compile": {"fullgraph": True, "dynamic": True, "backend": "inductor"},
    }
    assert (tmp_path / "compiled").is_dir()
    asked.clear()
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", os.devnull)
    speed.prepare(Model(), Model(), tmp_path / "compiled")
    assert [name for name, _ in asked] == ["to"], "Without a C compiler it paints uncompiled."
