"""Turns a training run into the folder that an engine loads.

Owns the model card and the manifest. Refuses every format but safetensors and JSON.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from deploy.models.pictures import SOURCES
from workers.engines import pocket_enlarger
from workers.engines.bridge import STYLES
from workers.engines.pocket_pipeline import BridgeScheduler, PocketPipeline
from workers.engines.weights import write_manifest

CARD = """---
license: apache-2.0
library_name: diffusers
pipeline_tag: image-to-image
---

# Pocket

A small network that paints a portrait from one photo, without a GPU. It is a diffusers pipeline
of {parameters:.1f} million parameters, stored in half precision.

- **Styles:** {styles}.
- **Licence:** Apache-2.0, weights and code.
- **Made by:** `python -m deploy.models.pocket --steps {steps} --seed {seed}`, one run of {steps:,}
  steps of 12 crops in {minutes:.0f} minutes of two processor cores that had other work as well.
- **Loss at the end:** {loss:.4f} (absolute error plus half the absolute error of the slopes,
  pictures in -1..1, mean over the last hundred or so batches).

## How it paints

The network leaps from a start to the painting in one step. It is given the photo, the style and a
canvas: four channels of grain, hatching lines, tiles or brush strokes that follow the directions in
the photo and change with the seed. The start is the photo for the drawn and printed styles. For
oil, pastel and mosaic it is an underpainting, in which each stroke or tile already has the colour
under its centre; for watercolour and comic the photo is blocked in with a few tones. The paper's
margin is added and the one-ink styles are kept to their ink afterwards, by plain arithmetic.

A bridge of two steps with noise on the way, and a network of half the size, were trained alike and
compared: `python -m deploy.models.compare`, numbers in
`deploy/docs/measured/pocket_training.json`.

## What it learnt from

Pairs of a picture and its rendering by classical painters (`deploy/models/renderers.py`).
**No photo of a person was used**, neither a face nor any other part of a body. Heads drawn by code,
and round shapes, strands and almonds lit in every complexion, stand in for faces.

| picture | from | licence |
|---|---|---|
{pictures}
| drawn shapes | `deploy/models/pictures.py` | Apache-2.0 |
| drawn heads | `workers/engines/figure.py` | Apache-2.0 |

The CC BY pictures were cropped, recoloured and rendered in training; none of them is in the
weights folder.

## Limits

- It repaints one photo; it invents no pose, clothes or place, and reads no prompt.
- It keeps the light of the photo: a dark or blurred selfie becomes a dark or soft portrait.
- Faces smaller than about 100 pixels in the finished frame lose their eyes in oil, pastel and
  mosaic.
- The single-colour styles give up skin tone on purpose. The others keep it: washes and chalk, which
  bleach dark skin, are darkened again from afar (`workers/engines/finishing.py`). Measured on two
  people in five skin tones made by recolouring: see `skin-kept` in `deploy/docs/measured/bench.md`.
- It has been looked at on few faces: two photos of people and drawn heads. Ages, sexes and skins of
  more people, photographed, were not at hand.
"""


ENLARGING = "## Enlarging"
ENLARGER = """
## Enlarging

A second network, `enlarger/`, makes a picture four times as wide and high: {parameters:,}
parameters, ten convolutions, a correction to bicubic enlargement, tile by tile. It has two ends.
The one used by default is trained for the smallest absolute error. The other, for "rich", is also
trained to show as much fine structure in each area as the truth had; where that structure lies is
its own invention, so it is further from the truth. It is given noise, from the seed. The noise
changes a photo, where that was measured, by a tenth of a level; a sibling without it drew a mesh
over hair, and on some even shading a faint mesh is left in this one.

- **Made by:** `python -m deploy.models.pocket --part upscale --steps {steps} --seed {seed}`,
  in {minutes:.0f} minutes of one processor thread. The same seed makes the same bytes on the same
  machine.
- **Learnt from:** the photographs above without the cup of coffee, which is measured on; drawn
  shapes; heads drawn by `workers/engines/figure.py`; lines, dots and flat shapes. **No photo of a
  person.** They were made small by blur, three ways of resizing, noise and JPEG (quality 75 to 98).

PSNR in decibels on two pictures that it did not see (both CC0, of `skimage.data`), blurred a
little, made four times smaller, once clean and once as a JPEG of quality 90:

| picture | bicubic | default | rich |
|---|---|---|---|
{scores}

It brings back edges, not what is lost: a face of 40 pixels stays a face of 40 pixels, with clean
lines.
"""


def _enlarger(folder: Path) -> str:
    """What the card says of the enlarging network."""
    said = json.loads((folder / pocket_enlarger.CONFIG).read_text())
    ends = said["psnr"]
    rows = [
        f"| {name} | {plain:.2f} | {ours:.2f} | {ends['rich'][name][1]:.2f} |"
        for name, (plain, ours) in ends["faithful"].items()
    ]
    return ENLARGER.format(scores="\n".join(rows), **said)


def _card(state: dict[str, Any], parameters: int) -> str:
    rows = [f"| {source.what} | `{source.package}` | {source.licence} |" for source in SOURCES]
    return CARD.format(
        parameters=parameters / 1e6,
        styles=", ".join(STYLES),
        seed=state["seed"],
        steps=state["steps"],
        minutes=state["seconds"] / 60,
        loss=state["loss"],
        pictures="\n".join(rows),
    )


def complete(out: Path) -> None:
    """Card and manifest of a folder whose networks have come or changed."""
    card = out / "MODEL_CARD.md"
    painter = card.read_text().partition(ENLARGING)[0].rstrip() + "\n"
    enlarger = out / pocket_enlarger.FOLDER
    card.write_text(painter + (_enlarger(enlarger) if enlarger.exists() else ""))
    for path in out.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    write_manifest(out)


def package(run: Path, out: Path, unet: Any) -> None:
    """Write weights, configs, card and manifest; of what lay there, the enlarger alone stays."""
    state = json.loads((run / "run.json").read_text())
    unet.load_state_dict(load_file(run / "slow.safetensors"))
    parameters = sum(part.numel() for part in unet.parameters())
    for part in ("unet", "scheduler"):
        shutil.rmtree(out / part, ignore_errors=True)
    pipeline: Any = PocketPipeline(unet=unet.to(torch.float16), scheduler=BridgeScheduler())
    pipeline.save_pretrained(out, safe_serialization=True)
    (out / "MODEL_CARD.md").write_text(_card(state, parameters))
    complete(out)
