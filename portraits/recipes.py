"""What an engine needs to know to paint a style. Pure: no Django, no database."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Recipe:
    """The frozen part of a style version. `style` is the engine's own name for it."""

    style: str
    width: int = 512
    height: int = 512
    steps: int | None = None
    prompt: str | None = None
    references: int = 5
    # How surely a face must still be found in what was painted of a person: strict, lenient, off.
    face_gate: str = "strict"

    def as_json(self) -> dict[str, Any]:
        """For the style's row."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From the style's row; an unknown key is an error, so a typo cannot be painted."""
        return cls(**data)
