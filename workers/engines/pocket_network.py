"""Pocket's first network: the parameters of diffusers' UNet2DModel without attention, by its names.

Owns how they are built and read from a folder that diffusers wrote. It computes nothing: strips.py
walks it. The library itself is not loaded, because painting needs none of what it brings along, and
a worker would hold that for good. Refuses a configuration that describes any other network.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from workers.engines.base import WeightsRefused

FOLDER: Final = "unet"
FILE: Final = "diffusion_pytorch_model.safetensors"
CONFIG: Final = "config.json"
SQUARE: Final = 3
# How slow the slowest wave is that tells the network where on its way it is.
SLOWEST: Final = 10_000
# What a configuration must say for the layers below to be the ones that it means.
MEANT: Final[dict[str, Any]] = {
    "_class_name": "UNet2DModel",
    "act_fn": "silu",
    "add_attention": False,
    "center_input_sample": False,
    "class_embed_type": None,
    "downsample_padding": 1,
    "downsample_type": "conv",
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2D",
    "resnet_time_scale_shift": "scale_shift",
    "time_embedding_dim": None,
    "time_embedding_type": "positional",
    "upsample_type": "conv",
}
DOWN, UP = "DownBlock2D", "UpBlock2D"


@dataclass(frozen=True)
class Shape:
    """What a configuration decides."""

    seen: int
    made: int
    channels: tuple[int, ...]
    layers: int
    groups: int
    eps: float
    styles: int

    @property
    def told(self) -> int:
        """How many numbers tell a layer of the time and the style."""
        return 4 * self.channels[0]


class Block(nn.Module):
    """What the library calls a ResnetBlock2D."""

    def __init__(self, shape: Shape, seen: int, made: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(shape.groups, seen, shape.eps)
        self.conv1 = nn.Conv2d(seen, made, SQUARE, padding=1)
        self.time_emb_proj = nn.Linear(shape.told, 2 * made)
        self.norm2 = nn.GroupNorm(shape.groups, made, shape.eps)
        self.conv2 = nn.Conv2d(made, made, SQUARE, padding=1)
        self.conv_shortcut = nn.Conv2d(seen, made, 1) if seen != made else None


class Sampler(nn.Module):
    """On the way down it halves; on the way up it follows a doubling."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, SQUARE, stride, padding=1)


class Level(nn.Module):
    """The blocks of one resolution, and the way to the next where there is one."""

    def __init__(self, blocks: list[Block], down: Sampler | None, up: Sampler | None) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(blocks)
        self.downsamplers = nn.ModuleList([down] if down else [])
        self.upsamplers = nn.ModuleList([up] if up else [])


class Time(nn.Module):
    """Where on its way a painting is: as waves, and from them what the layers are told."""

    def __init__(self, waves: int, made: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(waves, made)
        self.act = nn.SiLU()
        self.linear_2 = nn.Linear(made, made)

    def forward(self, waves: Tensor) -> Tensor:
        made: Tensor = self.linear_2(self.act(self.linear_1(waves)))
        return made


class Network(nn.Module):
    """Parameters only, in full precision."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = shape.channels
        self.conv_in = nn.Conv2d(shape.seen, channels[0], SQUARE, padding=1)
        self.time_embedding = Time(channels[0], shape.told)
        self.class_embedding = nn.Embedding(shape.styles, shape.told)
        self.down_blocks = nn.ModuleList(_down(shape))
        self.mid_block = Level(
            [Block(shape, channels[-1], channels[-1]) for _ in range(2)], None, None
        )
        self.up_blocks = nn.ModuleList(_up(shape))
        self.conv_norm_out = nn.GroupNorm(shape.groups, channels[0], shape.eps)
        self.conv_out = nn.Conv2d(channels[0], shape.made, SQUARE, padding=1)

    def time_proj(self, t: Tensor) -> Tensor:
        """Cosines, then sines, of a time of shape (1,)."""
        half = self.conv_in.out_channels // 2
        places = torch.arange(half, dtype=torch.float32)
        angles = t[:, None].float() * torch.exp(-math.log(SLOWEST) * places / half)[None]
        return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


def _down(shape: Shape) -> list[Level]:
    levels, seen = [], shape.channels[0]
    for at, made in enumerate(shape.channels):
        blocks = [Block(shape, made if k else seen, made) for k in range(shape.layers)]
        last = at + 1 == len(shape.channels)
        levels.append(Level(blocks, None if last else Sampler(made, 2), None))
        seen = made
    return levels


def _up(shape: Shape) -> list[Level]:
    levels, seen = [], shape.channels[-1]
    for at, made in reversed(list(enumerate(shape.channels))):
        # What lies beside is what the same level kept on the way down, its entry at the end.
        beside = [made] * shape.layers + [shape.channels[max(at - 1, 0)]]
        blocks = [Block(shape, (made if k else seen) + more, made) for k, more in enumerate(beside)]
        levels.append(Level(blocks, None, Sampler(made, 1) if at else None))
        seen = made
    return levels


def shape_of(said: dict[str, Any]) -> Shape:
    """The shape that a configuration describes. Raises ValueError, KeyError and TypeError."""
    other = [key for key, value in MEANT.items() if said[key] != value]
    depth = len(said["block_out_channels"])
    if said["down_block_types"] != [DOWN] * depth or said["up_block_types"] != [UP] * depth:
        other.append("block_types")
    if other:
        raise ValueError(f"Another network: {', '.join(other)}.")
    return Shape(
        seen=int(said["in_channels"]),
        made=int(said["out_channels"]),
        channels=tuple(int(count) for count in said["block_out_channels"]),
        layers=int(said["layers_per_block"]),
        groups=int(said["norm_num_groups"]),
        eps=float(said["norm_eps"]),
        styles=int(said["num_class_embeds"]),
    )


def read(folder: Path) -> Network:
    """The network in a folder whose bytes were verified. Raises WeightsRefused."""
    try:
        network = Network(shape_of(json.loads((folder / CONFIG).read_bytes())))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsRefused(f"{FOLDER}/{CONFIG}", "describes another network.") from error
    try:
        network.load_state_dict(load_file(folder / FILE))
    except (OSError, SafetensorError) as error:
        raise WeightsRefused(f"{FOLDER}/{FILE}", "cannot be loaded.") from error
    except RuntimeError as error:
        raise WeightsRefused(f"{FOLDER}/{FILE}", "is of another class.") from error
    # In place; the library's types know no layout.
    ready: Any = network.requires_grad_(False).eval()
    ready.to(dtype=torch.float32, memory_format=torch.channels_last)
    return network
