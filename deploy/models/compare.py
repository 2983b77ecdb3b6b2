"""Weighs designs of the pocket network: `python -m deploy.models.compare --steps 250`.

Owns the comparison: two formulations in two sizes, each trained alike from the same seed and for
as long, and measured on two public-domain photos that none has seen, against the classical
painters. Decides nothing; engines.md says what was chosen.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from scipy import ndimage

from deploy.env import ROOT
from deploy.models import renderers
from deploy.models.pocket import RATE, Design, Trainer, network, train
from deploy.models.sheet import PHOTOS, SIZE
from workers.engines import canvas, framing
from workers.engines.bridge import STYLES
from workers.engines.pocket_pipeline import BridgeScheduler, PocketPipeline

DESIGNS: Final = {
    "bridge, 32-64-96": Design((32, 64, 96), leap=False),
    "leap, 32-64-96": Design((32, 64, 96), leap=True),
    "bridge, 24-48-72": Design((24, 48, 72), leap=False),
    "leap, 24-48-72": Design((24, 48, 72), leap=True),
}
OUT: Final = ROOT / "deploy" / "docs" / "measured" / "pocket_training.json"
SEED: Final = 7
Pixels = NDArray[np.float32]


def _fine(picture: Pixels) -> float:
    """How much fine structure there is: the mean size of the Laplacian."""
    return float(np.abs(ndimage.laplace(canvas.luminance(picture))).mean())


def _distance(painted: Pixels, truth: Pixels) -> dict[str, float]:
    slopes = [np.abs(np.diff(painted - truth, axis=axis)).mean() for axis in (0, 1)]
    return {
        "error": float(np.abs(painted - truth).mean()),
        "error_of_slopes": float(sum(slopes)),
        "structure": _fine(painted) / _fine(truth),
    }


def _score(folder: Path, design: Design) -> dict[str, Any]:
    """Each style on each photo; numbers are means, in the range of pixels from 0 to 1."""
    unet = network(design.channels)
    unet.load_state_dict(load_file(folder / "slow.safetensors"))
    made: Any = PocketPipeline
    pipeline = made(unet=unet.eval(), scheduler=BridgeScheduler())
    pipeline.set_progress_bar_config(disable=True)
    found: dict[str, list[dict[str, float]]] = {style: [] for style in STYLES}
    seconds = []
    for name, focus in PHOTOS.items():
        whole = Image.open(ROOT / "tests" / "photos" / name).convert("RGB")
        photo = framing.frame(whole, focus, SIZE, SEED)
        pixels = np.asarray(photo, dtype=np.float32) / np.float32(255)
        for style in STYLES:
            sheet = canvas.prepare(pixels, style, SEED)
            truth = renderers.paint(pixels, sheet, style)
            begun = time.perf_counter()
            chance = torch.Generator().manual_seed(SEED)
            steps = 1 if design.leap else 2
            painted = pipeline(photo, sheet, style, steps, chance).images[0]
            seconds.append(time.perf_counter() - begun)
            picture = np.asarray(painted, dtype=np.float32) / np.float32(255)
            found[style].append(_distance(picture, truth))
    styles = {style: _mean(rows) for style, rows in found.items()}
    return {
        **_mean(list(styles.values())),
        "seconds_a_picture": round(float(np.median(seconds)), 3),
        "parameters": sum(part.numel() for part in unet.parameters()),
        "styles": styles,
    }


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def main() -> None:
    words = argparse.ArgumentParser(description="Train every design alike, and compare.")
    words.add_argument("--steps", type=int, default=250, help="of each design")
    words.add_argument("--run", type=Path, default=Path("var/compare"))
    words.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    given = words.parse_args()
    rows = {}
    for name, design in DESIGNS.items():
        folder = given.run / name.replace(", ", "-")
        trainer = Trainer(folder, SEED, RATE, design)
        train(trainer, given.steps, given.threads)
        scored = _score(folder, design)
        rows[name] = {"minutes": round(trainer.seconds / 60, 1), **scored}
        print(name, {key: value for key, value in rows[name].items() if key != "styles"})
    conditions = {"steps": given.steps, "threads": given.threads, "seed": SEED, "size": SIZE}
    said = {"conditions": {**conditions, "torch": torch.__version__}, "designs": rows}
    OUT.write_text(json.dumps(said, indent=2) + "\n")


if __name__ == "__main__":
    main()
