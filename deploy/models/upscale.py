"""Trains pocket's enlarging network: `python -m deploy.models.pocket --part upscale --out FOLDER`.

Owns its losses and its place in the folder of weights. A run is counted in steps and uses one
thread, so that the same seed makes the same bytes on the same machine; eight minutes are too few
to be worth resuming.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers.utils import logging as progress
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from deploy.models import enlarging, pictures
from workers.engines import pocket_enlarger as network
from workers.engines import tiles
from workers.engines.sizes import SCALE

WIDTH: Final = 40
DEPTH: Final = 8
BATCH: Final = 12
CROP: Final = 36
# Pieces of a round, how many rounds of them are kept, and how long a round is learnt.
PIECES: Final = 160
KEPT: Final = 4
ROUND_STEPS: Final = 200
WARM: Final = 50
EMA: Final = 0.995
RATE: Final = 1.5e-3
# Over how many pixels fine structure is compared: as much of it, not each line in its place.
AREA: Final = 8
RICHNESS: Final = 1.5
# A mesh has fine structure as well, cheaply: what repeats from pixel to pixel is punished.
EVENNESS: Final = 3.0


def slopes(picture: Tensor) -> Tensor:
    """How much fine structure there is, area by area."""
    right = picture.diff(dim=-1)[..., :-1, :].abs()
    down = picture.diff(dim=-2)[..., :-1].abs()
    return functional.avg_pool2d(right + down, AREA)


def mesh(added: Tensor) -> Tensor:
    """How much of what was added is the same in each enlarged pixel of an area."""
    places = functional.pixel_unshuffle(added, SCALE)
    return functional.avg_pool2d(places, AREA, stride=AREA // 2).abs().mean()


def loss_of(faithful: Tensor, rich: Tensor, truth: Tensor) -> Tensor:
    """One end is to be right; the other is to have as much structure as the truth has."""
    right = functional.l1_loss(faithful, truth)
    near = functional.l1_loss(rich, truth)
    alike = functional.l1_loss(slopes(rich), slopes(truth))
    even = mesh(rich - faithful.detach())
    return right + 0.5 * near + RICHNESS * alike + EVENNESS * even


def batch(rng: np.random.Generator, pairs: list[enlarging.Pair]) -> tuple[Tensor, Tensor]:
    """Random crops of random pieces, small and large."""
    small, large = [], []
    for index in rng.integers(len(pairs), size=BATCH):
        top, left = (int(at) for at in rng.integers(0, enlarging.SIDE - CROP + 1, 2))
        less, more = pairs[int(index)]
        small.append(less[:, top : top + CROP, left : left + CROP])
        top, left, side = top * SCALE, left * SCALE, CROP * SCALE
        large.append(more[:, top : top + side, left : left + side])
    seen, truth = (torch.from_numpy(np.stack(each)).float() / 255 for each in (small, large))
    return seen.contiguous(memory_format=torch.channels_last), truth


class Trainer:
    """The network, its slow average and its optimiser."""

    def __init__(self, seed: int, steps: int, rate: float) -> None:
        torch.manual_seed(seed)
        self.seed, self.steps, self.rate = seed, steps, rate
        self.fast = network.Enlarger(WIDTH, DEPTH)
        laid: Any = self.fast
        laid.to(memory_format=torch.channels_last)
        # It begins as plain enlargement and learns what that gets wrong.
        for end in (self.fast.faithful, self.fast.rich):
            end.weight.data.mul_(0.1)
        self.slow = network.Enlarger(WIDTH, DEPTH)
        self.slow.load_state_dict(self.fast.state_dict())
        self.optimiser = torch.optim.AdamW(self.fast.parameters(), lr=rate, weight_decay=1e-5)
        self.loss = 0.1

    def step(self, index: int, seen: Tensor, truth: Tensor) -> None:
        level = 0.5 * (1 + float(np.cos(np.pi * index / self.steps)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * min(1.0, (index + 1) / WARM) * (0.01 + 0.99 * level)
        with torch.autocast("cpu", torch.bfloat16):
            plain, known = self.fast.look(seen)
            faithful = self.fast.right(known)
            rich = self.fast.more(known, torch.randn_like(known))
        loss = loss_of(plain + faithful.float(), plain + rich.float(), truth)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.fast.parameters(), 1.0)
        self.optimiser.step()
        self.loss = 0.99 * self.loss + 0.01 * float(loss.detach())
        with torch.no_grad():
            pace = min(EMA, (index + 1) / (index + 20))
            for slow, fast in zip(self.slow.parameters(), self.fast.parameters(), strict=True):
                slow.lerp_(fast, 1 - pace)


def train(trainer: Trainer) -> None:
    """Fresh pieces every round, and the last rounds' beside them."""
    torch.set_num_threads(1)
    photos, drawn = enlarging.photographs(), pictures.figures(trainer.seed)
    pairs: list[enlarging.Pair] = []
    with progress.tqdm(total=trainer.steps, unit="step", desc="enlarger", mininterval=5) as bar:
        for index in range(trainer.steps):
            if index % ROUND_STEPS == 0:
                fresh = enlarging.pairs([trainer.seed, index], PIECES, photos, drawn)
                pairs = (pairs + fresh)[-KEPT * PIECES :]
                rng = np.random.default_rng([trainer.seed, index, 1])
            trainer.step(index, *batch(rng, pairs))
            bar.set_postfix(loss=f"{trainer.loss:.4f}", refresh=False)
            bar.update()


def save(trainer: Trainer, out: Path, minutes: float) -> None:
    """The folder of the network beside the painter's; half precision is enough for what it adds."""
    folder = out / network.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: part.half().contiguous() for name, part in trainer.slow.state_dict().items()}
    save_file(halves, folder / network.FILE)
    shape = {"width": WIDTH, "depth": DEPTH}
    (folder / network.CONFIG).write_text(json.dumps(shape, indent=2) + "\n")
    made = network.read(folder)

    def enlarge(*, rich: bool) -> Any:
        def by(less: Image.Image) -> Image.Image:
            chance = torch.Generator().manual_seed(trainer.seed) if rich else None
            with torch.no_grad():
                return tiles.enlarge(
                    lambda piece: made(piece, chance),
                    less,
                    lambda done, total: None,
                    like=made.first.weight,
                    tile=network.TILE,
                    halo=network.HALO,
                )

        return by

    said = shape | {
        "seed": trainer.seed,
        "steps": trainer.steps,
        "minutes": round(minutes, 1),
        "loss": round(trainer.loss, 4),
        "parameters": sum(part.numel() for part in made.parameters()),
        "psnr": {
            "faithful": enlarging.compare(enlarge(rich=False)),
            "rich": enlarging.compare(enlarge(rich=True)),
        },
    }
    (folder / network.CONFIG).write_text(json.dumps(said, indent=2) + "\n")


def run(seed: int, steps: int, rate: float, out: Path) -> None:
    """Train and save; the caller packages."""
    trainer = Trainer(seed, steps, rate)
    began = time.monotonic()
    train(trainer)
    save(trainer, out, (time.monotonic() - began) / 60)
