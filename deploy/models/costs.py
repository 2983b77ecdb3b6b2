"""Counts what a portrait costs, without weights: `python -m deploy.models.costs` writes costs.json.

Each network is built on torch's meta device, which knows shapes and no numbers, and PyTorch counts
the operations of its matrix products, convolutions and attention. Configurations are the published
ones. One whose count strays from what was counted independently (speed.md, "work per image") is
refused instead of written down. Text encoders are left out: the prompts of styles are fixed, so
their embeddings can be kept.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    Flux2Transformer2DModel,
    QwenImageTransformer2DModel,
    UNet2DModel,
    ZImageTransformer2DModel,
)
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from deploy.env import ROOT
from portraits.costs import FILE
from workers.engines import pocket as pocket_engine
from workers.engines import pocket_enlarger, real_esrgan, sitting, strips
from workers.engines import sizes as painted
from workers.engines.pocket_pipeline import predict

try:
    from workers.engines import flux2_klein, qwen_edit, z_image
except ModuleNotFoundError as error:
    raise SystemExit(f"Counting needs the extra 'engines': {error.name} is missing.") from error

Size = tuple[int, int]
# Makes a call and says what it took: operations here, bytes in memory.py.
Meter = Callable[[Callable[[], Any]], float]
# What an engine is shown of each photo; qwen-edit's pipeline enlarges that to about a megapixel,
# in sides that are multiples of 32.
REFERENCE: Final[Size] = sitting.SHAPE
ENLARGED: Final[Size] = (896, 1184)
LARGE: Final[Size] = (1024, 1024)
# A token is a patch of two by two latents, a latent stands for eight by eight pixels.
PATCH: Final = 16
LATENT: Final = 8
STRAY: Final = 0.03


@dataclass(frozen=True)
class Engine:
    """How to count one engine: a step's by size and references, and what comes once."""

    steps: int
    # How many photos it is shown; what it is given beyond that costs nothing.
    references: int
    step: Callable[[Size, list[Size]], float]
    decode: Callable[[Size], float]
    encode: Callable[[Size], float]
    # (references of 1024 pixels, TFLOP of one call of the denoiser at 1024 pixels)
    known: tuple[tuple[int, float], ...] = ()
    # How often a step calls the denoiser.
    calls: int = 1
    reference: Size = REFERENCE
    sizes: tuple[Size, ...] = painted.PAINTED
    # What it is made of, text encoders left out.
    networks: tuple[nn.Module, ...] = ()
    # What enlarging to a size takes in all, for an engine that paints as well.
    larger: Callable[[Size], float] | None = None


def counted(call: Callable[[], Any]) -> float:
    """TFLOP of a call; a product of matrices counts two operations an element pair."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        call()
    return float(counter.get_total_flops()) / 1e12


def tokens(sizes: list[Size]) -> int:
    """How many tokens pictures take up."""
    return sum((width // PATCH) * (height // PATCH) for width, height in sizes)


def latent(size: Size, *shape: int) -> Tensor:
    """An empty latent of a picture; `shape` comes before its height and width."""
    return torch.empty(*shape, size[1] // LATENT, size[0] // LATENT)


def pixels(size: Size, *shape: int) -> Tensor:
    """An empty picture."""
    return torch.empty(*shape, size[1], size[0])


def pocket(meter: Meter = counted) -> Engine:
    """Ours, from the configuration beside its weights."""
    folder = ROOT / "workers" / "weights" / "pocket"
    kind: Any = UNet2DModel
    unet = kind.from_config(json.loads((folder / "unet" / "config.json").read_text()))
    shape = json.loads((folder / pocket_enlarger.FOLDER / pocket_enlarger.CONFIG).read_text())
    network = pocket_enlarger.Enlarger(shape["width"], shape["depth"])
    channels = unet.config.in_channels // strips.FOLD**2

    def step(size: Size, _references: list[Size]) -> float:
        picture, canvas = pixels(size, 1, 3), pixels(size, 1, channels - 6)
        style = torch.zeros(1, dtype=torch.long)
        seen = (picture, picture, canvas)
        if meter is counted:
            # Strips take the same operations together, and are a hundred times as many calls.
            return meter(lambda: predict(unet, *seen, torch.ones(1), style))
        return meter(lambda: strips.predict(unet, seen, torch.ones(1), style))

    return Engine(
        pocket_engine.STEPS,
        0,
        step,
        lambda _: 0.0,
        lambda _: 0.0,
        sizes=pocket_engine.SIZES,
        networks=(unet, network),
        larger=enlarging(network, pocket_enlarger.TILE, pocket_enlarger.HALO, meter),
    )


def klein(meter: Meter = counted) -> Engine:
    """black-forest-labs/FLUX.2-klein-4B."""
    kind: Any = Flux2Transformer2DModel
    model = kind(
        in_channels=128,
        num_layers=5,
        num_single_layers=20,
        attention_head_dim=128,
        num_attention_heads=24,
        joint_attention_dim=7680,
        mlp_ratio=3.0,
        axes_dims_rope=(32, 32, 32, 32),
        rope_theta=2000,
        guidance_embeds=False,
    )
    coder_kind: Any = AutoencoderKLFlux2
    coder = coder_kind()
    words = 512

    def step(size: Size, references: list[Size]) -> float:
        seen = tokens([size, *references])
        return meter(
            lambda: model(
                hidden_states=torch.empty(1, seen, 128),
                encoder_hidden_states=torch.empty(1, words, 7680),
                timestep=torch.empty(1),
                img_ids=torch.empty(seen, 4),
                txt_ids=torch.empty(words, 4),
                guidance=None,
                return_dict=False,
            )
        )

    return Engine(
        flux2_klein.STEPS,
        flux2_klein.SHOWN,
        step,
        lambda size: meter(lambda: coder.decoder(latent(size, 1, 32))),
        lambda size: meter(lambda: coder.encoder(pixels(size, 1, 3))),
        known=((0, 34.8), (1, 76.7)),
        networks=(model, coder),
    )


def turbo(meter: Meter = counted) -> Engine:
    """Tongyi-MAI/Z-Image-Turbo, whose configuration is the class's own."""
    kind: Any = ZImageTransformer2DModel
    model = kind()
    blocks = {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    coder_kind: Any = AutoencoderKL
    coder = coder_kind(
        **blocks, block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=16
    )
    words = 128

    def step(size: Size, _references: list[Size]) -> float:
        picture, prompt = latent(size, 16, 1), torch.empty(words, 2560)
        return meter(lambda: model([picture], torch.empty(1), [prompt], return_dict=False))

    return Engine(
        z_image.STEPS,
        0,
        step,
        lambda size: meter(lambda: coder.decoder(latent(size, 1, 16))),
        lambda size: meter(lambda: coder.encoder(pixels(size, 1, 3))),
        known=((0, 56.6),),
        networks=(model, coder),
    )


def premium(meter: Meter = counted) -> Engine:
    """Qwen/Qwen-Image-Edit-2511; guidance calls the denoiser twice a step."""
    kind: Any = QwenImageTransformer2DModel
    model = kind(num_layers=60)
    coder_kind: Any = AutoencoderKLQwenImage
    coder = coder_kind()
    words = 256

    def step(size: Size, references: list[Size]) -> float:
        pictures = [size, *references]
        shapes = [(1, height // PATCH, width // PATCH) for width, height in pictures]
        return meter(
            lambda: model(
                hidden_states=torch.empty(1, tokens(pictures), 64),
                encoder_hidden_states=torch.empty(1, words, 3584),
                encoder_hidden_states_mask=torch.ones(1, words, dtype=torch.bool),
                timestep=torch.empty(1),
                img_shapes=[shapes],
                return_dict=False,
            )
        )

    return Engine(
        qwen_edit.STEPS,
        qwen_edit.SHOWN,
        step,
        lambda size: meter(lambda: coder.decode(latent(size, 1, 16, 1), return_dict=False)),
        lambda size: meter(lambda: coder.encode(pixels(size, 1, 3, 1), return_dict=False)),
        known=((0, 73.1), (1, 167.5)),
        calls=2,
        reference=ENLARGED,
        networks=(model, coder),
    )


def enlarging(network: nn.Module, tile: int, halo: int, meter: Meter) -> Callable[[Size], float]:
    """Counts a fourfold tile by tile; the size is what is asked for, not what is enlarged."""

    def spans(side: int) -> list[int]:
        """How wide the pieces are that a side is cut into, with what they see of each other."""
        starts = range(0, side, tile)
        return [min(at + tile + halo, side) - max(at - halo, 0) for at in starts]

    def larger(size: Size) -> float:
        across, down = (spans(side // painted.SCALE) for side in size)
        pixel = meter(lambda: network(torch.empty(1, 3, tile, tile))) / tile**2
        return pixel * sum(across) * sum(down)

    return larger


def enlarger(meter: Meter = counted) -> Engine:
    """RealESRGAN_x4plus, tile by tile."""
    network = real_esrgan.Enlarger()
    larger = enlarging(network, real_esrgan.TILE, real_esrgan.HALO, meter)

    def step(size: Size, _references: list[Size]) -> float:
        return larger(size)

    return Engine(
        1, 0, step, lambda _: 0.0, lambda _: 0.0, sizes=painted.ENLARGED, networks=(network,)
    )


ENGINES: Final[dict[str, Callable[..., Engine]]] = {
    "pocket": pocket,
    "flux2-klein": klein,
    "z-image": turbo,
    "qwen-edit": premium,
    "real-esrgan": enlarger,
}


def strays(engine: Engine) -> float:
    """By how much, at most, the counts differ from what is known; 0 where nothing is."""
    return max(
        (abs(engine.step(LARGE, [LARGE] * count) / tflop - 1) for count, tflop in engine.known),
        default=0.0,
    )


def entry(engine: Engine) -> dict[str, Any]:
    """What costs.json says of one engine."""
    sizes = {}
    for size in engine.sizes:
        photos = range(engine.references + 1)
        steps = [engine.calls * engine.step(size, [engine.reference] * count) for count in photos]
        once = engine.decode(size)
        each = engine.encode(engine.reference) if engine.references else 0.0
        sizes[f"{size[0]}x{size[1]}"] = {
            "step": [round(value, 4) for value in steps],
            "rest": [round(once + each * count, 4) for count in photos],
        }
    if engine.larger is not None:
        for size in painted.ENLARGED:
            # Without steps of its own: the table multiplies by the engine's.
            each = round(engine.larger(size) / engine.steps, 4)
            sizes[f"{size[0]}x{size[1]}"] = {"step": [each], "rest": [0.0]}
    return {"steps": engine.steps, "sizes": sizes}


def main() -> None:
    """Count all, say how well they agree, and write the table."""
    table: dict[str, Any] = {"unit": "TFLOP", "engines": {}}
    with torch.device("meta"):
        for name, make in ENGINES.items():
            engine = make()
            stray = strays(engine)
            if stray > STRAY:
                print(f"{name}: {stray:.1%} off what is known; left out")
                continue
            table["engines"][name] = entry(engine)
            print(f"{name}: counted, {stray:.1%} off what is known")
    FILE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
