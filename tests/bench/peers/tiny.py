"""The picture that every contender paints: a small diffusers pipeline with random weights.

Nothing of ours is imported, so that a peer's own environment can run it. One call takes about a
second of one thread, is a function of its seed alone, and ends as a JPEG.
"""

import io
from pathlib import Path
from typing import Any

SIZE, STEPS = 96, 4
CHANNELS = (64, 128, 128)


def save(folder: Path) -> None:
    """Write the pipeline, once; the weights are random and the same each time."""
    import diffusers
    import torch

    library: Any = diffusers
    torch.manual_seed(7)
    unet = library.UNet2DModel(
        sample_size=SIZE,
        block_out_channels=CHANNELS,
        layers_per_block=2,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    )
    scheduler = library.DDIMScheduler()
    library.DDIMPipeline(unet=unet, scheduler=scheduler).save_pretrained(folder)


def load(folder: Path) -> Any:
    """The pipeline on one thread, ready to paint."""
    import diffusers
    import torch

    library: Any = diffusers
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    pipeline = library.DDIMPipeline.from_pretrained(
        folder, use_safetensors=True, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def paint(pipeline: Any, seed: int) -> Any:
    """One picture, as Pillow's."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return pipeline(generator=generator, num_inference_steps=STEPS).images[0]


def jpeg(picture: Any) -> bytes:
    """The same encoding for everybody."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, subsampling=0)
    return stream.getvalue()
