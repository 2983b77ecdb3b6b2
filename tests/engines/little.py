"""Pocket's weights with a random network of a few thousand parameters in the place of its painter.

They are loaded through the same path, and what they paint means nothing.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DModel

from deploy.env import ROOT
from workers.engines.weights import write_manifest

WEIGHTS = ROOT / "workers" / "weights" / "pocket"
LESS = {"block_out_channels": [8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4}


def pocket(folder: Path) -> Path:
    """A folder of such weights, listed."""
    shutil.copytree(WEIGHTS, folder)
    kind: Any = UNet2DModel
    said = json.loads((folder / "unet" / "config.json").read_text())
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = kind.from_config(said | LESS)
    network.save_pretrained(folder / "unet")
    write_manifest(folder)
    return folder
