"""A3, A4 and the decoder: how long one picture takes, how near that is to the roof, and what room.

Klein paints from words alone, from one photo and from four, each shown at 576 by 768 as the engine
does; speed.md's own rows for klein have references of a megapixel, and so more to read.
"""

from typing import Any

import torch
from PIL import Image

from deploy.models import costs as counting
from portraits import costs
from portraits.recipes import Recipe
from tests.bench.gpu.engines import STYLE, building, furnished
from tests.bench.gpu.place import PEAK_TFLOPS, Place
from workers import admission
from workers.engines.base import Order, Task

PHOTOS = {"flux2-klein": (0, 1, 4), "z-image": (0,)}
# A toy has neither the arithmetic nor the time for more.
TOYS = {"flux2-klein": (0, 1), "z-image": (0,)}


def run(place: Place, roof: float) -> dict[str, Any]:
    """Rows by engine and number of photos."""
    found: dict[str, Any] = {}
    for name, counts in place.pick(PHOTOS, TOYS).items():
        place.forget_peak()
        engine = furnished(name, place)
        for photos in counts:
            found[f"{name} {photos}"] = _row(place, roof, engine, photos)
        found[f"{name} decoder"] = _decoder(place, roof, engine)
        found[f"{name} room"] = _room(place, name, max(counts))
        engine.unload()
        del engine
    for row, said in found.items():
        print(row, said)
    return found


def order(photos: int, side: int, steps: int | None = None) -> Order:
    """Of nobody."""
    noise = Image.effect_noise((600, 800), 60).convert("RGB")
    task = Task.IDENTITY if photos else Task.TEXT
    words = None if photos else "a paper boat on a table"
    return Order(
        *(task, STYLE, side, side),
        seed=1,
        steps=steps,
        prompt=words,
        references=(noise,) * photos,
    )


def _row(place: Place, roof: float, engine: Any, photos: int) -> dict[str, float]:
    side = place.pick(1024, 512)
    wanted = order(photos, side, place.pick(None, 1))
    seconds = place.seconds(lambda: engine.render(wanted, lambda *_: None))
    tflop = costs.cost(engine.name, Recipe(STYLE, side, side, references=photos), photos)
    return _rated(place, seconds, tflop, roof)


def _rated(place: Place, seconds: float, tflop: float, roof: float) -> dict[str, float]:
    if place.toy:
        # What is counted is the real network's.
        return {"ms": 1000 * seconds}
    return {
        "ms": 1000 * seconds,
        "tflop": tflop,
        "tflops": tflop / seconds,
        "of_roof": tflop / seconds / roof,
        "of_peak": tflop / seconds / PEAK_TFLOPS,
    }


def _decoder(place: Place, roof: float, engine: Any) -> dict[str, float]:
    side = place.pick(1024, 512)
    vae = engine._parts["vae"]
    channels = vae.config.latent_channels
    with building(place), torch.no_grad():
        latents = torch.randn(1, channels, side // 8, side // 8)
        seconds = place.seconds(lambda: vae.decode(latents, return_dict=False))
    with torch.device("meta"):
        tflop = counting.ENGINES[engine.name]().decode((side, side))
    return _rated(place, seconds, tflop, roof)


def _room(place: Place, name: str, photos: int) -> dict[str, float | None]:
    """What it took at most, beside what memory.json thinks."""
    needs = admission.counted(name, "cuda")
    assert needs
    peak = place.peak()
    return {
        "peak_gb": peak / 1e9 if peak else None,
        "estimated_gb": (needs.weights + needs.painting((1024, 1024), photos)) / 1e9,
    }
