"""Estimates how much memory a portrait takes, without weights: what of it is alive at once.

Each network is built on torch's meta device and called there; every operation's result is noted
when it is made and when it is let go, and the most that was there together is the estimate.
Kernels that PyTorch fuses are counted as the fused ones are: attention writes down no matrix,
unless its heads are wider than fused kernels take. What meta tensors cannot show is left to
workers/admission.py: a driver's context, workspaces of kernels, an allocator's waste.

It refuses to guess: an engine without an entry here has none in the table.
"""

import json
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from deploy.models import costs
from workers.admission import FILE
from workers.engines import real_esrgan

try:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen3Config,
        Qwen3ForCausalLM,
    )
except ModuleNotFoundError as error:
    raise SystemExit(f"Estimating needs the extra 'engines': {error.name} is missing.") from error

# Wider heads of attention are left to kernels that write the whole matrix down.
FUSED_HEAD: Final = 256
# How many tokens an engine reads at most: a prompt's 512 in klein, three photos' in qwen-edit.
WORDS: Final = 1024


class _Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Bytes of the results that live, and the most of them at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = 0
        self.most = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(
        self, call: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # What goes in and was never seen coming out was there before: parameters, and views of it.
        for each in tree_leaves((args, kwargs)):
            self._note(each, count=False)
        made = call(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            self._note(each, count=True)
        return made

    def _note(self, each: Any, *, count: bool) -> None:
        if not isinstance(each, Tensor):
            return
        storage = each.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        self._known[key] = storage.nbytes() if count else 0
        self.now += self._known[key]
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.now -= self._known.pop(key, 0)


class _Fused(TorchFunctionMode):
    """Attention as the fused kernels do it: its result and nothing between."""

    def __torch_function__(
        self, call: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if call is not torch.nn.functional.scaled_dot_product_attention:
            return call(*args, **(kwargs or {}))
        said = dict(zip(("query", "key", "value"), args, strict=False)) | (kwargs or {})
        query, key, value = said["query"], said["key"], said["value"]
        if query.shape[-1] > FUSED_HEAD:
            shape = (*query.shape[:-1], key.shape[-2])
            # The matrix, and its softmax.
            _matrices = query.new_empty(shape), query.new_empty(shape)
        return query.new_empty((*query.shape[:-1], value.shape[-1]))


def peak(call: Callable[[], Any]) -> float:
    """The most bytes that results of a call take up together, without what was there before."""
    alive = _Alive()
    with torch.no_grad(), _Fused(), alive:
        call()
    return float(alive.most)


@contextmanager
def _building(kind: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        with torch.device("meta"):
            yield
    finally:
        torch.set_default_dtype(before)


def qwen3() -> nn.Module:
    """Qwen3-4B, by which klein and Z-Image read words."""
    kind: Any = Qwen3ForCausalLM
    return kind(  # type: ignore[no-any-return]
        Qwen3Config(
            vocab_size=151_936,
            hidden_size=2560,
            intermediate_size=9728,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            tie_word_embeddings=True,
        )
    )


def qwen_eyes() -> nn.Module:
    """Qwen2.5-VL-7B, by which Qwen-Image-Edit reads words and photos together."""
    kind: Any = Qwen2_5_VLForConditionalGeneration
    return kind(  # type: ignore[no-any-return]
        Qwen2_5_VLConfig(
            text_config={
                "vocab_size": 152_064,
                "hidden_size": 3584,
                "intermediate_size": 18_944,
                "num_hidden_layers": 28,
                "num_attention_heads": 28,
                "num_key_value_heads": 4,
                "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24]},
            },
            vision_config={
                "depth": 32,
                "hidden_size": 1280,
                "intermediate_size": 3420,
                "num_heads": 16,
                "out_hidden_size": 3584,
            },
            tie_word_embeddings=False,
        )
    )


# What reads an engine's words; the others read none.
READERS: Final[dict[str, Callable[[], nn.Module]]] = {
    "flux2-klein": qwen3,
    "z-image": qwen3,
    "qwen-edit": qwen_eyes,
}


def resting(networks: tuple[nn.Module, ...]) -> int:
    """Bytes of parameters and buffers."""
    return sum(
        held.numel() * held.element_size()
        for network in networks
        for held in (*network.parameters(), *network.buffers())
    )


def reading(reader: nn.Module) -> float:
    """What encoding a prompt takes; the pipelines keep every layer's result while they do.

    Photos that are read with the words count as so many words more.
    """
    body: Any = reader.model
    # Behind the eyes, where there are any.
    body = getattr(body, "language_model", body)
    head: Any = reader.lm_head

    def read() -> Any:
        seen = body(
            inputs_embeds=torch.empty(1, WORDS, head.in_features),
            position_ids=torch.arange(WORDS)[None],
            # Causal, by the kernel itself: a mask that is looked at needs numbers.
            attention_mask={"full_attention": None},
            output_hidden_states=True,
            use_cache=False,
        )
        return head(seen.last_hidden_state)

    return peak(read)


def entry(name: str, only: tuple[costs.Size, int] | None = None) -> dict[str, Any]:
    """What memory.json says of one engine, in the digits that it counts in on a card.

    `only` is one size and one number of photos, instead of all.
    """
    kind = torch.float32 if name == "pocket" else torch.bfloat16
    with _building(kind):
        engine = costs.ENGINES[name](peak)
        reader = READERS[name]() if name in READERS else None
        words = reading(reader) if reader else 0.0
        networks = (*engine.networks, *([reader] if reader else []))
        sizes = {}
        for size in (only[0],) if only else engine.sizes:
            if name == "real-esrgan":
                sizes[f"{size[0]}x{size[1]}"] = [round(_tile(engine.networks[0]))]
                continue
            once = max(engine.decode(size), words)
            photos = (only[1],) if only else range(engine.references + 1)
            seen = engine.encode(engine.reference) if engine.references else 0.0
            sizes[f"{size[0]}x{size[1]}"] = [
                round(max(engine.step(size, [engine.reference] * count), once, seen))
                for count in photos
            ]
    return {
        "digits": torch.tensor([], dtype=kind).element_size(),
        "weights": resting(networks),
        "sizes": sizes,
    }


def _tile(network: nn.Module) -> float:
    """The largest tile with what it sees of its neighbours; a picture has many, one at a time."""
    side = real_esrgan.TILE + 2 * real_esrgan.HALO
    return peak(lambda: network(torch.empty(1, 3, side, side)))


def main() -> None:
    """Estimate all and write the table."""
    table: dict[str, Any] = {"unit": "bytes", "engines": {}}
    for name in costs.ENGINES:
        table["engines"][name] = made = entry(name)
        most = max(max(sizes) for sizes in made["sizes"].values())
        print(
            f"{name}: {made['weights'] / 1e9:.2f} GB of weights, {most / 1e9:.2f} GB at most more"
        )
    FILE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
