"""FLUX.2-klein-4B: identity portraits, pictures from words, edits and masked edits; Apache-2.0.

Owns one resident checkpoint for all four. Refuses to show the model more photos than its makers
document, and to keep what it made of anybody's words: only prompts without a person's words in
them are encoded once.

Tested with random weights of the same classes. Likeness, quality, speed and memory with the
published weights were not measured.
"""

from __future__ import annotations

from typing import Any, Final

from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinInpaintPipeline,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from PIL import Image
from torch import Tensor
from transformers import Qwen2Tokenizer, Qwen3ForCausalLM

from workers.engines import prompts, sitting
from workers.engines.base import Order, Step, Task
from workers.engines.checkpoint import Layout, Part, Published, run

STEPS: Final = 4
TAKEN: Final = 5
# Of five photos the best four are shown: as many as its makers document.
SHOWN: Final = 4
# The whole inside of a mask is painted anew; the source is seen beside it as a reference.
STRENGTH: Final = 1.0
# How Qwen3 is spoken to, stated here: the template beside the weights is a program of theirs.
TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)


class Flux2KleinEngine(Published):
    """Four steps; guidance is distilled away."""

    name = "flux2-klein"
    layout = Layout(
        Flux2KleinPipeline,
        {
            "scheduler": Part(FlowMatchEulerDiscreteScheduler),
            "tokenizer": Part(Qwen2Tokenizer, ("Qwen2TokenizerFast",)),
            "text_encoder": Part(Qwen3ForCausalLM),
            "transformer": Part(Flux2Transformer2DModel),
            "vae": Part(AutoencoderKLFlux2),
        },
    )
    tasks = frozenset({Task.IDENTITY, Task.TEXT, Task.EDIT})
    styles = frozenset(prompts.STYLES)
    max_references = TAKEN

    def assemble(self, parts: dict[str, Any], said: dict[str, Any]) -> Any:
        parts["tokenizer"].chat_template = TEMPLATE
        distilled = bool(said.get("is_distilled", False))
        # The same parts twice: the second pipeline takes no memory of its own.
        filling: Any = Flux2KleinInpaintPipeline
        self._inpaint = filling(**parts, is_distilled=distilled)
        self._inpaint.set_progress_bar_config(disable=True)
        return self.layout.pipeline(**parts, is_distilled=distilled)

    def ready(self) -> None:
        self._known: dict[str, Tensor] = {
            prompt: self._pipe.encode_prompt(prompt)[0] for prompt in prompts.fixed()
        }

    def unload(self) -> None:
        self._known = {}
        self._inpaint = None
        super().unload()

    def paint(self, order: Order, on_step: Step) -> Image.Image:
        if order.task is Task.IDENTITY:
            with sitting.references(order, SHOWN) as photos:
                words = self._words(prompts.identity(order.style, order.prompt))
                return self._call(order, on_step, words, photos)
        if order.task is Task.TEXT:
            return self._call(order, on_step, self._words(prompts.text(order.style, order.prompt)))
        with sitting.source(order) as (picture, mask):
            if mask is not None:
                return self._fill(order, on_step, picture, mask)
            words = self._words(prompts.edit(order.style, order.prompt))
            return self._call(order, on_step, words, [picture])

    def _words(self, prompt: str) -> dict[str, Any]:
        known = self._known.get(prompt)
        return {"prompt": prompt} if known is None else {"prompt_embeds": known}

    def _call(
        self,
        order: Order,
        on_step: Step,
        words: dict[str, Any],
        pictures: list[Image.Image] | None = None,
    ) -> Image.Image:
        # Without a size the first picture would decide it.
        size = {"width": order.width, "height": order.height}
        return run(
            self._pipe,
            order,
            on_step,
            steps=STEPS,
            image=pictures,
            guidance_scale=1.0,
            **size,
            **words,
        )

    def _fill(
        self, order: Order, on_step: Step, picture: Image.Image, mask: Image.Image
    ) -> Image.Image:
        painted = run(
            self._inpaint,
            order,
            on_step,
            steps=STEPS,
            image=picture,
            mask_image=mask,
            prompt=prompts.fill(order.prompt),
            strength=STRENGTH,
            guidance_scale=1.0,
            width=order.width,
            height=order.height,
        )
        # What the mask leaves alone went through the encoder; it comes back as it was.
        return Image.composite(painted, picture, mask)
