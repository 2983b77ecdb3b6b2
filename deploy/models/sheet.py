"""Paints two public-domain photos in every style on one sheet, for looking only.

Owns nothing that ships. The two faces (NASA; US Navy) are for trying: training never sees them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import cbook
from PIL import Image
from skimage import data

from workers.engines.base import Focus, Order, Task, create
from workers.engines.pocket_pipeline import STYLES

# Where the faces are: left, top, right, bottom as fractions.
FACES: tuple[Focus, Focus] = ((0.34, 0.13, 0.56, 0.36), (0.30, 0.22, 0.73, 0.58))


def photos() -> list[tuple[Image.Image, Focus]]:
    pixels: Any = data.astronaut
    astronaut = Image.fromarray(np.asarray(pixels()))
    hopper = Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).convert("RGB")
    return list(zip((astronaut, hopper), FACES, strict=True))


def main() -> None:
    words = argparse.ArgumentParser(description="Write a contact sheet of every style.")
    words.add_argument("out", type=Path)
    words.add_argument("--weights", type=Path, default=Path("workers/weights/pocket"))
    words.add_argument("--side", type=int, default=512)
    words.add_argument("--steps", type=int, default=None)
    words.add_argument("--seed", type=int, default=3)
    given = words.parse_args()
    engine = create("pocket", given.weights)
    engine.load()
    side = given.side
    found = photos()
    sheet = Image.new("RGB", (side * len(STYLES), side * len(found)))
    for column, style in enumerate(STYLES):
        for row, (photo, focus) in enumerate(found):
            order = Order(
                Task.IDENTITY,
                style,
                side,
                side,
                given.seed,
                steps=given.steps,
                references=(photo,),
                focus=(focus,),
            )
            begun = time.perf_counter()
            portrait = engine.render(order, lambda done, total: None)
            print(f"{style}: {time.perf_counter() - begun:.2f} s")
            sheet.paste(portrait, (column * side, row * side))
    sheet.save(given.out)


if __name__ == "__main__":
    main()
