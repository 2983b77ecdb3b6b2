"""The pocket engine enlarges four times: nearer to the truth than bicubic, in tiles, in time.

The photos are public domain and were never learnt from: the astronaut and Rear Admiral Hopper.
"""

import io
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from deploy.env import ROOT  # noqa: E402
from workers import fitness  # noqa: E402
from workers.engines import pocket_enlarger, tiles  # noqa: E402
from workers.engines.base import (  # noqa: E402
    CannotPaint,
    Engine,
    EngineError,
    Order,
    Stopped,
    Task,
    WeightsRefused,
)
from workers.engines.pocket import PocketEngine  # noqa: E402
from workers.engines.sizes import SCALE  # noqa: E402
from workers.engines.weights import write_manifest  # noqa: E402

WEIGHTS = ROOT / "workers" / "weights" / "pocket"
# In decibels, over bicubic.
GAIN = 0.5
# Two quiet cores take one or two; a test's machine is not quiet.
SECONDS = 40.0
MEGABYTES = 200
SMALL = Image.effect_noise((128, 128), 60).convert("RGB")


@pytest.fixture(scope="module")
def engine(pocket: Engine) -> PocketEngine:
    assert isinstance(pocket, PocketEngine)
    return pocket


def quiet(done: int, total: int) -> None:
    """Nobody is watching."""


def order(source: Image.Image | None = SMALL, **changes: Any) -> Order:
    sides = (source.width * SCALE, source.height * SCALE) if source else (512, 512)
    width, height = changes.pop("size", sides)
    # Its style may be another engine's: enlarging changes none.
    seed = changes.pop("seed", 1)
    return Order(Task.UPSCALE, "of-another-engine", width, height, seed, source=source, **changes)


def photo(name: str) -> Image.Image:
    found = Image.open(ROOT / "tests" / "photos" / f"{name}.jpg").convert("RGB")
    return found.resize((512, 512), Image.Resampling.LANCZOS)


def less(large: Image.Image, quality: int) -> Image.Image:
    """As training makes pictures small: a little blur, a smaller size, a JPEG."""
    soft = large.filter(ImageFilter.GaussianBlur(0.6))
    small = soft.resize((large.width // SCALE, large.height // SCALE), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def pixels(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(picture, dtype=np.float64)


def psnr(truth: Image.Image, made: Image.Image) -> float:
    error = (pixels(truth) - pixels(made))[16:-16, 16:-16]
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def detail(picture: Image.Image) -> float:
    """How steep it is from pixel to pixel."""
    return float(np.abs(np.diff(pixels(picture.convert("L")))).mean())


@pytest.mark.parametrize("name", ["astronaut", "grace_hopper"])
def test_it_is_nearer_to_the_truth_than_bicubic(engine: PocketEngine, name: str) -> None:
    truth = photo(name)
    small = less(truth, 90)
    plain = psnr(truth, small.resize(truth.size, Image.Resampling.BICUBIC))
    ours = psnr(truth, engine.render(order(small), quiet))
    print(f"{name}: bicubic {plain:.2f} dB, ours {ours:.2f} dB")  # noqa: T201
    assert ours > plain + GAIN


def test_rich_has_more_detail_by_its_seed_and_is_the_same_picture(engine: PocketEngine) -> None:
    truth = photo("astronaut")
    small = less(truth, 95)
    faithful, rich = (engine.render(order(small, rich=which), quiet) for which in (False, True))
    assert detail(rich) > 1.1 * detail(faithful)
    assert psnr(faithful, rich) > 27
    again, other = (engine.render(order(small, rich=True, seed=seed), quiet) for seed in (1, 2))
    assert again.tobytes() == rich.tobytes()
    assert np.abs(pixels(other) - pixels(rich)).mean() > 0.05


def test_tiles_leave_no_seam(engine: PocketEngine) -> None:
    network = engine._larger()
    piece = SMALL.crop((0, 0, 90, 70))

    def cut(tile: int, halo: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        like = network.first.weight
        with torch.no_grad():
            return pixels(tiles.enlarge(network, piece, quiet, like=like, tile=tile, halo=halo))

    whole = cut(128, 0)
    # Rounding to a byte may fall the other way.
    assert np.abs(whole - cut(32, pocket_enlarger.HALO)).max() <= 1
    assert np.abs(whole - cut(32, 0)).max() > 1


def test_a_portrait_is_enlarged_in_time_and_within_memory(engine: PocketEngine) -> None:
    source = photo("grace_hopper")
    before = source.tobytes()
    engine.render(order(), quiet)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    steps: list[tuple[int, int]] = []
    began = time.perf_counter()
    made = engine.render(order(source), lambda *step: steps.append(step))
    spent = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    print(f"512 to 2048 pixels: {spent:.1f} s, {grown:.0f} MB more")  # noqa: T201
    assert made.size == (2048, 2048)
    assert steps == [(done, 16) for done in range(1, 17)]
    assert spent < SECONDS
    assert grown < MEGABYTES
    assert source.tobytes() == before


def test_it_stops_between_two_tiles(engine: PocketEngine) -> None:
    steps: list[int] = []

    def stop(done: int, total: int) -> None:
        steps.append(done)
        raise Stopped

    with pytest.raises(Stopped):
        engine.render(order(photo("astronaut")), stop)
    assert steps == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": None},
        {"source": SMALL.convert("L")},
        {"size": (2048, 2048)},
        {"source": SMALL.resize((100, 100))},
        {"prompt": "a hat"},
    ],
)
def test_it_refuses_what_it_cannot_enlarge(engine: PocketEngine, wrong: dict[str, Any]) -> None:
    with pytest.raises(CannotPaint):
        engine.render(order(**wrong), quiet)


def test_it_does_not_paint_in_the_sizes_that_it_enlarges_to(engine: PocketEngine) -> None:
    with pytest.raises(CannotPaint):
        engine.render(Order(Task.TEXT, "oil", 2048, 2048, 1), quiet)


def test_the_fingerprint_and_the_fitness_are_of_both_networks(engine: PocketEngine) -> None:
    bias = engine._larger().faithful.bias
    assert bias is not None
    first, kept = engine.fingerprint(), bias.clone()
    fitness.try_out(engine)
    bias.view(torch.int32)[0] ^= 1
    assert engine.fingerprint() != first
    bias.fill_(float("nan"))
    with pytest.raises(EngineError):
        fitness.try_out(engine)
    bias.copy_(kept)
    assert engine.fingerprint() == first


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("config.json", b'{"width": 8, "depth": 8}'),
        ("config.json", b'{"width": "many"}'),
        ("config.json", b"[]"),
    ],
)
def test_a_network_of_another_class_is_refused(tmp_path: Path, file: str, made: bytes) -> None:
    folder = Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))
    (folder / pocket_enlarger.FOLDER / file).write_bytes(made)
    write_manifest(folder)
    with pytest.raises(WeightsRefused, match="enlarger"):
        PocketEngine(folder).load()
