"""Z-Image-Turbo: pictures from words alone; Apache-2.0.

Owns eight passes of a distilled model without guidance. Refuses photos: it has no way to look at
one.

Its makers ask for nine steps, of which the last did nothing; this release of the library makes a
pass for each step asked for, and eight of them stand on the very same noise levels.

Tested with random weights of the same classes. Quality and speed with the published weights were
not measured.
"""

from __future__ import annotations

from typing import Any, Final

from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from PIL import Image
from transformers import Qwen2Tokenizer, Qwen3Model

from workers.engines import prompts
from workers.engines.base import Order, Step, Task
from workers.engines.checkpoint import Layout, Part, Published, run

STEPS: Final = 8
# As for a Qwen3 that may think, which adds nothing; stated here as in flux2_klein.py.
TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
)


class ZImageEngine(Published):
    """Text-only."""

    name = "z-image"
    layout = Layout(
        ZImagePipeline,
        {
            "scheduler": Part(FlowMatchEulerDiscreteScheduler),
            "tokenizer": Part(Qwen2Tokenizer, ("Qwen2TokenizerFast",)),
            # Published as a language model, used without its head.
            "text_encoder": Part(Qwen3Model, ("Qwen3ForCausalLM",)),
            "transformer": Part(ZImageTransformer2DModel),
            "vae": Part(AutoencoderKL),
        },
    )
    tasks = frozenset({Task.TEXT})
    styles = frozenset(prompts.STYLES)

    def assemble(self, parts: dict[str, Any], said: dict[str, Any]) -> Any:
        parts["tokenizer"].chat_template = TEMPLATE
        return super().assemble(parts, said)

    def paint(self, order: Order, on_step: Step) -> Image.Image:
        return run(
            self._pipe,
            order,
            on_step,
            steps=STEPS,
            prompt=prompts.text(order.style, order.prompt),
            guidance_scale=0.0,
            width=order.width,
            height=order.height,
        )
