"""Trains the pocket engine: `python -m deploy.models.pocket --steps 2200 --out FOLDER`.

Owns the painter's optimiser; upscale.py has the other one. The run is seeded and counted in steps,
so that a slower machine learns the same; it shows its progress, saves itself every two minutes and
goes on from there when it is started again. With
`--part upscale` it trains the enlarging network instead, into the same folder.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.utils import logging as progress
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from deploy.models import pictures, renderers, upscale
from deploy.models.package import complete, package
from workers.engines import canvas
from workers.engines.bridge import STYLES, Bridge
from workers.engines.pocket_pipeline import predict
from workers.engines.strips import FOLD

TILE = 208
CROP = 96
BATCH = 12
# A round of fresh tiles is small enough to fit beside the network and large enough to be varied.
ROUND_TILES = 240
ROUND_STEPS = 300
SAVE_SECONDS = 120.0
EMA = 0.996
RATE = 2e-3

# How often each style comes up: the printed ones are learnt sooner than the painted ones.
SHARES = {
    "pencil": 2,
    "engraving": 1,
    "watercolour": 3,
    "oil": 2,
    "comic": 3,
    "pastel": 2,
    "mosaic": 1,
    "riso": 1,
    "linocut": 1,
}
CYCLE = tuple(STYLES.index(style) for style, share in SHARES.items() for _ in range(share))

Tile = tuple[int, tuple[NDArray[np.float16], ...]]


@dataclass(frozen=True)
class Design:
    """What compare.py weighs: the network's size, and whether it learns a bridge or one leap."""

    channels: tuple[int, int, int] = (32, 64, 96)
    # From the start alone, in one step; otherwise from every point of the way, in two.
    leap: bool = True


def network(channels: tuple[int, int, int] = Design.channels) -> Any:
    """The architecture; its sizes travel in the config that is saved with the weights."""
    model: Any = UNet2DModel
    return model(
        in_channels=(3 + 3 + canvas.CHANNELS) * FOLD**2,
        out_channels=3 * FOLD**2,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
        layers_per_block=2,
        norm_num_groups=8,
        add_attention=False,
        num_class_embeds=len(STYLES),
        resnet_time_scale_shift="scale_shift",
    )


def tiles(seed: int, count: int) -> list[Tile]:
    """Pairs of photo and painting on one canvas; every style gets its share."""
    rng = np.random.default_rng(seed)
    photos = pictures.load(seed)
    made: list[Tile] = []
    for index in range(count):
        style = STYLES[CYCLE[index % len(CYCLE)]]
        photo = pictures.one(rng, photos, TILE)
        sheet = canvas.prepare(photo, style, int(rng.integers(2**31)))
        painting = renderers.paint(photo, sheet, style)
        start = canvas.underpaint(photo, sheet, style)
        pictures_of = [image.transpose(2, 0, 1) * 2 - 1 for image in (photo, start, painting)]
        planes = (pictures_of[0], pictures_of[1], sheet, pictures_of[2])
        made.append((STYLES.index(style), tuple(plane.astype(np.float16) for plane in planes)))
    return made


@dataclass
class Batch:
    style: Tensor
    photo: Tensor
    start: Tensor
    canvas: Tensor
    painting: Tensor


def batches(rng: np.random.Generator, made: list[Tile], count: int) -> Iterator[Batch]:
    """Random crops, away from the tile's border, where a filter sees its mirror image."""
    by_style = [[tile for tile in made if tile[0] == k] for k in range(len(STYLES))]
    for turn in range(count):
        rows: list[tuple[NDArray[np.float16], ...]] = []
        labels = []
        for slot in range(BATCH):
            style = CYCLE[(slot + turn * BATCH) % len(CYCLE)]
            tile = by_style[style][int(rng.integers(len(by_style[style])))]
            top, left = rng.integers(8, TILE - CROP - 8, 2)
            rows.append(tuple(p[:, top : top + CROP, left : left + CROP] for p in tile[1]))
            labels.append(style)
        planes = [torch.from_numpy(np.stack([row[k] for row in rows])).float() for k in range(4)]
        yield Batch(torch.tensor(labels), *planes)


def loss_of(painting: Tensor, truth: Tensor) -> Tensor:
    """Absolute error of the picture and of its slopes: the second keeps strokes crisp."""
    flat = functional.l1_loss(painting, truth)
    right = functional.l1_loss(painting.diff(dim=-1), truth.diff(dim=-1))
    down = functional.l1_loss(painting.diff(dim=-2), truth.diff(dim=-2))
    return flat + 0.5 * (right + down)


class Trainer:
    """The state of a run: weights, their slow average, the optimiser and what was seen."""

    def __init__(self, folder: Path, seed: int, rate: float, design: Design | None = None) -> None:
        torch.manual_seed(seed)
        self.folder, self.seed, self.rate = folder, seed, rate
        self.design = design or Design()
        self.unet = network(self.design.channels).to(memory_format=torch.channels_last)
        self.slow = network(self.design.channels)
        self.slow.load_state_dict(self.unet.state_dict())
        self.optimiser = torch.optim.AdamW(self.unet.parameters(), lr=rate, weight_decay=1e-4)
        self.bridge = Bridge()
        self.steps, self.rounds, self.seconds, self.loss = 0, 0, 0.0, 1.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "run.json").exists():
            self._resume()

    def _resume(self) -> None:
        state = json.loads((self.folder / "run.json").read_text())
        self.steps, self.rounds = state["steps"], state["rounds"]
        self.seconds, self.loss = state["seconds"], state["loss"]
        self.unet.load_state_dict(load_file(self.folder / "fast.safetensors"))
        self.slow.load_state_dict(load_file(self.folder / "slow.safetensors"))
        moments = load_file(self.folder / "moments.safetensors")
        for index, parameter in enumerate(self.unet.parameters()):
            self.optimiser.state[parameter] = {
                "step": torch.tensor(float(self.steps)),
                "exp_avg": moments[f"{index}.mean"],
                "exp_avg_sq": moments[f"{index}.square"],
            }

    def save(self) -> None:
        moments = {}
        for index, parameter in enumerate(self.unet.parameters()):
            kept = self.optimiser.state[parameter]
            moments[f"{index}.mean"] = kept["exp_avg"].contiguous()
            moments[f"{index}.square"] = kept["exp_avg_sq"].contiguous()
        fast = {name: value.contiguous() for name, value in self.unet.state_dict().items()}
        for name, part in (("fast", fast), ("slow", self.slow.state_dict()), ("moments", moments)):
            scratch = self.folder / f"{name}.part"
            save_file(part, scratch)
            os.replace(scratch, self.folder / f"{name}.safetensors")
        state = {
            "steps": self.steps,
            "rounds": self.rounds,
            "seconds": round(self.seconds, 1),
            "loss": round(self.loss, 5),
            "seed": self.seed,
        }
        (self.folder / "run.json").write_text(json.dumps(state, indent=2) + "\n")

    def step(self, batch: Batch) -> None:
        """All of a batch starts where painting begins; of a bridge's, a third is on the way."""
        t = torch.rand(len(batch.style))
        at_start = torch.rand_like(t) < (1.0 if self.design.leap else 0.65)
        t = torch.where(at_start, torch.ones_like(t), t)
        noise = torch.randn_like(batch.photo)
        state = self.bridge.mix(batch.painting, batch.start, noise, t)
        # Half precision is enough for the way up; weights, averages and loss stay in full.
        with torch.autocast("cpu", torch.bfloat16):
            painting = predict(self.unet, state, batch.photo, batch.canvas, t, batch.style)
        loss = loss_of(painting.float(), batch.painting)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimiser.step()
        self.steps += 1
        self.loss = 0.99 * self.loss + 0.01 * float(loss.detach())
        with torch.no_grad():
            pace = min(EMA, self.steps / (self.steps + 20))
            for slow, fast in zip(self.slow.parameters(), self.unet.parameters(), strict=True):
                slow.lerp_(fast, 1 - pace)

    def pace(self, done: float) -> None:
        """Warm up briefly, then sink along a cosine to nearly nothing at the end of the run."""
        warm = min(1.0, (self.steps + 1) / 100)
        level = 0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, done))))
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm * level


def train(trainer: Trainer, steps: int, threads: int) -> None:
    """Rounds of fresh tiles; the next round is rendered while this one is learnt."""
    torch.set_num_threads(threads)
    begun, saved, spent = time.monotonic(), time.monotonic(), trainer.seconds
    with (
        ProcessPoolExecutor(1, get_context("spawn"), os.nice, (5,)) as renderer,
        progress.tqdm(total=steps, unit="step", desc="pocket", mininterval=5) as bar,
    ):
        # The first round is short, so that learning starts at once.
        first = ROUND_TILES // 3
        coming: Any = renderer.submit(tiles, trainer.seed + trainer.rounds, first)
        made: list[Tile] = []
        try:
            while trainer.steps < steps:
                made = (made + coming.result())[-3 * ROUND_TILES :]
                trainer.rounds += 1
                coming = renderer.submit(tiles, trainer.seed + trainer.rounds, ROUND_TILES)
                rng = np.random.default_rng([trainer.seed, trainer.rounds])
                for batch in batches(rng, made, ROUND_STEPS):
                    trainer.pace(trainer.steps / steps)
                    trainer.step(batch)
                    trainer.seconds = spent + time.monotonic() - begun
                    bar.n = trainer.steps
                    bar.set_postfix(loss=f"{trainer.loss:.4f}", refresh=False)
                    bar.update(0)
                    if time.monotonic() - saved > SAVE_SECONDS:
                        trainer.save()
                        saved = time.monotonic()
                    if trainer.steps >= steps:
                        break
        finally:
            coming.cancel()
            trainer.save()


def main() -> None:
    words = argparse.ArgumentParser(description="Train the pocket engine and package its weights.")
    words.add_argument("--part", choices=("styles", "upscale"), default="styles")
    words.add_argument("--steps", type=int, help="2200 for styles, 2000 for upscale where left out")
    words.add_argument("--out", type=Path, required=True, help="where the finished weights go")
    words.add_argument("--run", type=Path, default=Path("var/pocket"), help="the resumable run")
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--rate", type=float, default=None)
    words.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    given = words.parse_args()
    if given.part == "upscale":
        upscale.run(given.seed, given.steps or 2000, given.rate or upscale.RATE, given.out)
        complete(given.out)
        return
    # An interrupted run ends through its `finally`, so that nothing learnt is lost.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    trainer = Trainer(given.run, given.seed, given.rate or RATE)
    train(trainer, given.steps or 2200, given.threads)
    package(given.run, given.out, network())


if __name__ == "__main__":
    main()
