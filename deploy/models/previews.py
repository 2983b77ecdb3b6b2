"""Paints the drawn subject in every style: `python -m deploy.models.previews FOLDER`.

Owns the small pictures by which a user chooses and tries a style. They show nobody, and are marked
as portraits are.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image

from portraits import provenance
from workers.engines import figure
from workers.engines.base import Order, Task, create

SIDE = 384
QUALITY = 85


def main() -> None:
    words = argparse.ArgumentParser(description="Write one preview for each style.")
    words.add_argument("folder", type=Path)
    words.add_argument("--weights", type=Path, default=Path("workers/weights/pocket"))
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--subject", type=Path, help="Where to write the drawn subject as well.")
    given = words.parse_args()
    engine = create("pocket", given.weights)
    engine.load()
    given.folder.mkdir(parents=True, exist_ok=True)
    subject = figure.draw(figure.NOBODY, (1024, 1024))
    if given.subject:
        # What a worker paints trials of styles on that came later.
        subject.resize((768, 768), Image.Resampling.LANCZOS).save(given.subject, quality=90)
    # No machine here can paint the studio style, so its preview is the subject as it was drawn.
    _save(subject, given.folder / "studio.jpg")
    for style in sorted(engine.describe().styles):
        # Painted at the size of a portrait and then reduced, so that it looks like one.
        order = Order(Task.IDENTITY, style, 512, 512, given.seed, references=(subject,))
        portrait = engine.render(order, lambda done, total: None)
        _save(portrait, given.folder / f"{style}.jpg")
        print(style)


def _save(picture: Image.Image, file: Path) -> None:
    small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY, optimize=True)
    file.write_bytes(provenance.mark(stream.getvalue()))


if __name__ == "__main__":
    main()
