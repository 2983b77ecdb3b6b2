"""Checkpoints of the published classes with a few thousand random parameters, saved as real ones.

They are loaded through the same path as real weights, and paint nothing that means anything.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    QwenImageTransformer2DModel,
    ZImageTransformer2DModel,
)
from safetensors.torch import save_file
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from workers.engines.checkpoint import quiet
from workers.engines.real_esrgan import Enlarger
from workers.engines.weights import MANIFEST, write_manifest

# Each part of a checkpoint, and what its index calls it.
Parts = dict[str, tuple[Any, str]]
MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<think>",
    "</think>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


@contextmanager
def seeded() -> Iterator[None]:
    """The same weights each time, without a word to anybody else's random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        yield


def stated(folder: Path, licence: str | None = "Apache-2.0") -> Path:
    """List the folder as its operator would."""
    write_manifest(folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    if licence is not None:
        manifest["licence"] = licence
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def tokenizer() -> Any:
    """Each byte is a token; spoken to as the real one."""
    kind: Any = Qwen2Tokenizer
    letters = sorted({_letter(byte) for byte in range(256)})
    words: dict[str, int] = {letter: at for at, letter in enumerate(letters)}
    made = kind(vocab=words, merges=[])
    made.add_special_tokens({"additional_special_tokens": list(MARKS[1:])})
    return made


def _letter(byte: int) -> str:
    """As byte-level vocabularies write a byte."""
    printable = (*range(33, 127), *range(161, 173), *range(174, 256))
    if byte in printable:
        return chr(byte)
    return chr(256 + [each for each in range(256) if each not in printable].index(byte))


def _write(folder: Path, pipeline: str, parts: Parts, **more: Any) -> Path:
    quiet()
    said: dict[str, Any] = {"_class_name": pipeline, "_diffusers_version": "0.42.1", **more}
    for name, (part, kind) in parts.items():
        part.save_pretrained(folder / name)
        module = type(part).__module__.partition(".")[0]
        said[name] = [module, kind]
    # What the libraries write beside it is a program of the author's; the engines bring their own.
    for template in folder.rglob("*.jinja"):
        template.unlink()
    (folder / "model_index.json").write_text(json.dumps(said))
    return stated(folder)


def _reader(layers: int) -> dict[str, Any]:
    """What every encoder of words here is like."""
    return {
        "vocab_size": 300,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }


def _qwen3(layers: int) -> Any:
    kind: Any = Qwen3ForCausalLM
    return kind(Qwen3Config(**_reader(layers), head_dim=8, tie_word_embeddings=True))


def _coder(kind: Any, latents: int, **more: Any) -> Any:
    """Four levels of four channels, from pictures to latents and back."""
    return kind(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        norm_num_groups=2,
        latent_channels=latents,
        mid_block_add_attention=False,
        **more,
    )


def scheduler(**how: Any) -> Any:
    """Of flow matching; its numbers are the published ones."""
    kind: Any = FlowMatchEulerDiscreteScheduler
    return kind(**how or {"use_dynamic_shifting": True})


def flux2_klein_parts() -> Parts:
    """Thirty layers of words, because the pipeline reads the twenty-seventh."""
    transformer_kind: Any = Flux2Transformer2DModel
    with seeded():
        transformer = transformer_kind(
            in_channels=8,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            mlp_ratio=1.0,
            axes_dims_rope=(2, 2, 2, 2),
            guidance_embeds=False,
        )
        coder = _coder(AutoencoderKLFlux2, 2)
        words = _qwen3(28)
    return {
        "scheduler": (scheduler(), "FlowMatchEulerDiscreteScheduler"),
        "tokenizer": (tokenizer(), "Qwen2TokenizerFast"),
        "text_encoder": (words, "Qwen3ForCausalLM"),
        "transformer": (transformer, "Flux2Transformer2DModel"),
        "vae": (coder, "AutoencoderKLFlux2"),
    }


def flux2_klein(folder: Path) -> Path:
    """As its makers distilled it."""
    return _write(folder, "Flux2KleinPipeline", flux2_klein_parts(), is_distilled=True)


def z_image_parts() -> Parts:
    """Its index calls the words a Qwen3Model, their own configuration a language model."""
    transformer_kind: Any = ZImageTransformer2DModel
    with seeded():
        transformer = transformer_kind(
            in_channels=4,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=16,
            axes_dims=[4, 6, 6],
            axes_lens=[1024, 512, 512],
        )
        coder = _coder(
            AutoencoderKL,
            4,
            use_quant_conv=False,
            use_post_quant_conv=False,
            scaling_factor=0.36,
            shift_factor=0.1,
        )
        words = _qwen3(2)
    return {
        "scheduler": (scheduler(shift=3.0), "FlowMatchEulerDiscreteScheduler"),
        "tokenizer": (tokenizer(), "Qwen2Tokenizer"),
        "text_encoder": (words, "Qwen3Model"),
        "transformer": (transformer, "ZImageTransformer2DModel"),
        "vae": (coder, "AutoencoderKL"),
    }


def z_image(folder: Path) -> Path:
    """Words alone."""
    return _write(folder, "ZImagePipeline", z_image_parts())


def qwen_edit(folder: Path) -> Path:
    """With eyes: the encoder reads words and photos together."""
    transformer_kind: Any = QwenImageTransformer2DModel
    coder_kind: Any = AutoencoderKLQwenImage
    words_kind: Any = Qwen2_5_VLForConditionalGeneration
    looks_kind: Any = Qwen2VLImageProcessorPil
    spoken = tokenizer()
    mark = dict(zip(MARKS, spoken.convert_tokens_to_ids(list(MARKS)), strict=True))
    with seeded():
        transformer = transformer_kind(
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(2, 2, 4),
        )
        coder = coder_kind(
            base_dim=4,
            z_dim=4,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        )
        words = words_kind(
            Qwen2_5_VLConfig(
                text_config={
                    **_reader(1),
                    "bos_token_id": None,
                    "eos_token_id": None,
                    "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]},
                },
                vision_config={
                    "depth": 1,
                    "hidden_size": 16,
                    "intermediate_size": 16,
                    "num_heads": 2,
                    "out_hidden_size": 16,
                    "fullatt_block_indexes": [0],
                },
                image_token_id=mark["<|image_pad|>"],
                video_token_id=mark["<|video_pad|>"],
                vision_start_token_id=mark["<|vision_start|>"],
                vision_end_token_id=mark["<|vision_end|>"],
            )
        )
    return _write(
        folder,
        "QwenImageEditPlusPipeline",
        {
            "scheduler": (scheduler(), "FlowMatchEulerDiscreteScheduler"),
            "tokenizer": (spoken, "Qwen2Tokenizer"),
            "processor": (looks_kind(), "Qwen2VLProcessor"),
            "text_encoder": (words, "Qwen2_5_VLForConditionalGeneration"),
            "transformer": (transformer, "QwenImageTransformer2DModel"),
            "vae": (coder, "AutoencoderKLQwenImage"),
        },
    )


def real_esrgan(folder: Path) -> Path:
    """Two blocks instead of twenty-three."""
    folder.mkdir(parents=True)
    with seeded():
        network = Enlarger(4, 2, 2)
    # Unscaled, what it makes is all but black.
    network.conv_first.weight.data.mul_(4)
    network.conv_last.weight.data.mul_(40)
    save_file(network.state_dict(), folder / "model.safetensors")
    return stated(folder, "BSD-3-Clause")
