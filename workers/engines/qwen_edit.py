"""Qwen-Image-Edit-2511: identity portraits and edits for cards of 80 GB; Apache-2.0.

Owns the premium slot. Refuses more than three photos, which is what its makers show, and masks,
which its pipeline has no place for.

The pipeline scales every photo to about a million pixels by itself, whatever it is given, and a
second copy to 384 by 384 for the encoder that reads words and photos together. That encoder
describes what it sees, in words; it was not made to recognise people, and nothing of it is kept.

Tested with random weights of the same classes. Likeness, quality, speed and memory with the
published weights were not measured.
"""

from __future__ import annotations

from typing import Any, Final

from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
)
from PIL import Image
from transformers import (
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.processing_utils import ProcessorMixin

from workers.engines import prompts, sitting
from workers.engines.base import CannotPaint, Order, Step, Task
from workers.engines.checkpoint import Layout, Part, Published, run

STEPS: Final = 40
SHOWN: Final = 3
TAKEN: Final = 5
# With one, each step calls the denoiser twice; its makers' value, and their negative prompt.
GUIDANCE: Final = 4.0
NOTHING: Final = " "


class PhotoProcessor(Qwen2VLProcessor):
    """The same processor without its video half, which would bring a video decoder along."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None) -> None:
        self.image_token = "<|image_pad|>"  # noqa: S105 - a mark in a prompt, no secret
        self.video_token = None
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = None
        # Not its own: that one insists on a video half.
        ProcessorMixin.__init__(self, image_processor, tokenizer)  # type: ignore[no-untyped-call]


class QwenEditEngine(Published):
    """Forty steps with guidance."""

    name = "qwen-edit"
    layout = Layout(
        QwenImageEditPlusPipeline,
        {
            "scheduler": Part(FlowMatchEulerDiscreteScheduler),
            "tokenizer": Part(Qwen2Tokenizer, ("Qwen2TokenizerFast",)),
            "processor": Part(Qwen2VLImageProcessorPil, ("Qwen2VLProcessor",)),
            "text_encoder": Part(Qwen2_5_VLForConditionalGeneration),
            "transformer": Part(QwenImageTransformer2DModel),
            "vae": Part(AutoencoderKLQwenImage),
        },
    )
    tasks = frozenset({Task.IDENTITY, Task.EDIT})
    styles = frozenset(prompts.STYLES)
    max_references = TAKEN

    def assemble(self, parts: dict[str, Any], said: dict[str, Any]) -> Any:
        looks = PhotoProcessor(parts["processor"], parts["tokenizer"])
        return super().assemble({**parts, "processor": looks}, said)

    def paint(self, order: Order, on_step: Step) -> Image.Image:
        if order.task is Task.IDENTITY:
            with sitting.references(order, SHOWN) as photos:
                prompt = prompts.identity(order.style, order.prompt)
                return self._call(order, on_step, prompt, photos)
        if order.mask is not None:
            raise CannotPaint(f"{self.name} takes no mask.")
        with sitting.source(order) as (picture, _):
            prompt = prompts.edit(order.style, order.prompt)
            return self._call(order, on_step, prompt, [picture])

    def _call(
        self, order: Order, on_step: Step, prompt: str, pictures: list[Image.Image]
    ) -> Image.Image:
        return run(
            self._pipe,
            order,
            on_step,
            steps=STEPS,
            prompt=prompt,
            image=pictures,
            negative_prompt=NOTHING,
            true_cfg_scale=GUIDANCE,
            width=order.width,
            height=order.height,
        )
