"""The documents that are committed: what the code says now, and what clients were promised."""

from pathlib import Path
from typing import Any, Final

import yaml

from deploy.env import ROOT

WRITTEN: Final = ROOT / "deploy" / "contract" / "openapi.yaml"
# What clients in the field were generated from: the last document that was released.
RELEASED: Final = ROOT / "deploy" / "contract" / "released.yaml"
# libyaml, which every wheel of PyYAML brings, reads ten times as fast as Python does.
LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(file: Path) -> Any:
    """A document that was written."""
    return parse(file.read_text())


def parse(text: str) -> Any:
    """What a document says."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - one of the two safe ones
