"""Real-ESRGAN's network with random weights, tile by tile."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from workers.engines import tiles  # noqa: E402
from workers.engines.base import (  # noqa: E402
    CannotPaint,
    EngineError,
    Order,
    Stopped,
    Task,
    WeightsRefused,
    create,
)
from workers.engines.real_esrgan import Enlarger, RealEsrganEngine, build  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PHOTO = Image.effect_noise((512, 512), 60).convert("RGB")


@pytest.fixture(scope="module")
def engine(checkpoint: Callable[[str], Path], one_thread: None) -> Iterator[RealEsrganEngine]:
    made = create("real-esrgan", checkpoint("real_esrgan"))
    assert isinstance(made, RealEsrganEngine)
    made.load()
    yield made
    made.unload()


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {"width": 2048, "height": 2048, "seed": 1, "source": PHOTO}
    return Order(Task.UPSCALE, "plain", **fields | changes)


def enlarge(
    network: Enlarger, small: Image.Image, *, tile: int = 256, halo: int = 32
) -> Image.Image:
    like = network.conv_first.weight
    return tiles.enlarge(network, small, quiet, like=like, tile=tile, halo=halo)


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


def test_the_published_network_has_the_published_size() -> None:
    with torch.device("meta"):
        network = Enlarger()
    assert sum(each.numel() for each in network.parameters()) == 16_697_987


def test_it_enlarges_four_times(engine: RealEsrganEngine) -> None:
    steps: list[tuple[int, int]] = []
    large = engine.render(order(), lambda *step: steps.append(step))
    assert large.size == (2048, 2048)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert engine.describe().licence == "BSD-3-Clause"


def test_tiles_leave_no_seam(engine: RealEsrganEngine) -> None:
    small = PHOTO.crop((0, 0, 90, 70))
    network = engine._loaded()
    with torch.no_grad():
        whole = enlarge(network, small, tile=128)
        tiled = enlarge(network, small, tile=32, halo=34)
        torn = enlarge(network, small, tile=32, halo=0)
    first, second, third = (np.asarray(each).astype(int) for each in (whole, tiled, torn))
    # Rounding to a byte may fall the other way.
    assert np.abs(first - second).max() <= 1
    assert np.abs(first - third).max() > 1


def test_it_stops_between_two_tiles(engine: RealEsrganEngine) -> None:
    steps: list[int] = []

    def stop(done: int, total: int) -> None:
        steps.append(done)
        raise Stopped

    with pytest.raises(Stopped):
        engine.render(order(), stop)
    assert steps == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"source": PHOTO.resize((500, 500))},
        {"source": PHOTO.convert("L")},
        {"source": None},
        {"width": 1000},
        {"width": 2048, "height": 2560},
    ],
)
def test_it_refuses_what_it_cannot_do(engine: RealEsrganEngine, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(**changes), quiet)


def test_a_picture_of_nan_is_no_picture(engine: RealEsrganEngine) -> None:
    broken = Enlarger(4, 2, 1)
    torch.nn.init.constant_(broken.conv_last.bias, float("nan"))
    with torch.no_grad(), pytest.raises(EngineError):
        enlarge(broken, PHOTO.crop((0, 0, 8, 8)))


def test_parameters_of_another_network_are_refused() -> None:
    state = Enlarger(4, 2, 1).state_dict()
    for spoilt in ({}, {**state, "more": torch.zeros(1)}, {"conv_first.weight": torch.zeros(1)}):
        with pytest.raises(WeightsRefused):
            build(spoilt)


def test_its_fingerprint_follows_its_weights(engine: RealEsrganEngine) -> None:
    first = engine.fingerprint()
    bias = engine._loaded().conv_last.bias
    assert bias is not None
    bias.view(torch.int32)[0] ^= 1
    assert engine.fingerprint() != first
    bias.view(torch.int32)[0] ^= 1
    assert engine.fingerprint() == first


def test_it_must_be_loaded_first(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        create("real-esrgan", tmp_path).fingerprint()
