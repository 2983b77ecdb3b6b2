"""Contact sheets for the documents: `python -m deploy.models.sheet FOLDER`.

Owns two pictures: every style on two public-domain photos (NASA; US Navy) that training never saw,
and portraits from choices, of people who do not exist. Ships nothing else.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from deploy.env import ROOT
from portraits.prompts import Prompt
from workers.engines.base import Engine, Focus, Order, Task, create
from workers.engines.bridge import STYLES

# Where the faces are: left, top, right, bottom as fractions.
PHOTOS: Final[dict[str, Focus]] = {
    "astronaut.jpg": (0.34, 0.13, 0.56, 0.36),
    "grace_hopper.jpg": (0.30, 0.22, 0.73, 0.58),
}
WORDS: Final[dict[str, dict[str, str]]] = {
    "oil": {
        "subject": "woman",
        "skin": "dark",
        "hair": "coily",
        "hair_colour": "black",
        "expression": "smile",
        "clothing": "dress",
        "light": "golden",
        "background": "garden",
    },
    "pencil": {
        "subject": "man",
        "skin": "light",
        "hair_colour": "red",
        "expression": "serious",
        "clothing": "suit",
        "light": "dramatic",
        "background": "dark",
    },
    "watercolour": {
        "subject": "older_woman",
        "skin": "very_light",
        "hair": "bob",
        "hair_colour": "white",
        "expression": "laugh",
        "clothing": "turtleneck",
        "light": "window",
    },
    "comic": {
        "subject": "woman",
        "skin": "brown",
        "hair": "head_scarf",
        "background": "sky",
        "expression": "thoughtful",
        "clothing": "sweater",
    },
    "mosaic": {
        "subject": "man",
        "skin": "tan",
        "hair": "curly",
        "expression": "laugh",
        "clothing": "jacket",
        "light": "window",
        "background": "warm",
    },
    "riso": {
        "subject": "older_man",
        "skin": "medium",
        "hair": "shaved",
        "hair_colour": "grey",
        "clothing": "shirt",
        "background": "city",
    },
}
SIZE: Final = (512, 640)
SHOWN: Final = (256, 320)
LABEL: Final = 28
PAPER, INK = (250, 248, 243), (60, 56, 50)


def _rows(engine: Engine, folder: Path) -> list[list[Image.Image]]:
    rows: list[list[Image.Image]] = []
    for name, focus in PHOTOS.items():
        photo = Image.open(folder / name).convert("RGB")
        rows.append([])
        for style in STYLES:
            order = Order(Task.IDENTITY, style, *SIZE, 3, references=(photo,), focus=(focus,))
            rows[-1].append(_painted(engine, order))
    return rows


def _painted(engine: Engine, order: Order) -> Image.Image:
    begun = time.perf_counter()
    made = engine.render(order, lambda done, total: None)
    print(f"{order.task.value}, {order.style}: {time.perf_counter() - begun:.2f} s")
    return made.resize(SHOWN, Image.Resampling.LANCZOS)


def _sheet(rows: list[list[Image.Image]], labels: list[str], file: Path) -> None:
    wide, high = SHOWN
    sheet = Image.new("RGB", (wide * len(labels), high * len(rows) + LABEL), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for column, label in enumerate(labels):
        middle = (wide * column + wide // 2, high * len(rows) + LABEL // 2)
        pen.text(middle, label, INK, font, anchor="mm")
        for row, pictures in enumerate(rows):
            sheet.paste(pictures[column], (wide * column, high * row))
    sheet.save(file, quality=82, optimize=True)


def main() -> None:
    words = argparse.ArgumentParser(description="Write styles.jpg and words.jpg.")
    words.add_argument("folder", type=Path)
    words.add_argument("--weights", type=Path, default=ROOT / "workers" / "weights" / "pocket")
    given = words.parse_args()
    engine = create("pocket", given.weights)
    engine.load()
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = _rows(engine, ROOT / "tests" / "photos")
    _sheet(rows, list(STYLES), given.folder / "styles.jpg")
    drawn = [
        _painted(engine, Order(Task.TEXT, style, *SIZE, seed, choices=Prompt.of(asked).choices))
        for seed, (style, asked) in enumerate(WORDS.items())
    ]
    _sheet([drawn], list(WORDS), given.folder / "words.jpg")


if __name__ == "__main__":
    main()
