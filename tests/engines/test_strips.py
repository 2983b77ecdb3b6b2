"""Painted strip by strip, a picture is what diffusers' own network makes of it in one piece."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from diffusers import UNet2DModel  # noqa: E402

from deploy.env import ROOT  # noqa: E402
from workers.engines import strips  # noqa: E402
from workers.engines.pocket_pipeline import predict  # noqa: E402

WEIGHTS = ROOT / "workers" / "weights" / "pocket" / "unet"
# What keeping layers in half precision may change, of the 255 levels of a picture.
LEVELS = 0.5


@pytest.mark.parametrize("shape", [(64, 96), (200, 136)])
@pytest.mark.parametrize("threads", [True, False])
def test_it_paints_what_one_piece_would_be(
    pocket: Any, shape: tuple[int, int], threads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Strips of a few rows: many borders.
    monkeypatch.setattr(strips, "AT_ONCE", 6 * shape[1])
    chance = torch.Generator().manual_seed(4)
    pictures = [torch.randn((1, deep, *shape), generator=chance).clamp(-1, 1) for deep in (3, 3, 4)]
    kind: Any = UNet2DModel
    unet = kind.from_pretrained(WEIGHTS, use_safetensors=True, torch_dtype=torch.float32)
    painter = pocket._loaded()
    t, style = torch.ones(1), torch.tensor([5])
    with torch.inference_mode():
        whole = predict(unet, pictures[0], pictures[1], pictures[2], t, style)
        ours = strips.predict(
            painter.network, pictures, t, style, painter.hands if threads else None
        )
    assert ours.shape == whole.shape
    assert float((ours - whole).abs().max()) * 127.5 < LEVELS


def test_threads_that_sum_alone_leave_the_others_as_they_were() -> None:
    before = torch.get_num_threads()
    with strips.hands() as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == before
