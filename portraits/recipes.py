"""What an engine needs to know to paint a style. Pure: no Django, no database."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

FACE_GATES: Final = ("strict", "lenient", "off")


@dataclass(frozen=True)
class Recipe:
    """The frozen part of a style version. `style` is the engine's own name for it."""

    style: str
    width: int = 512
    height: int = 512
    steps: int | None = None
    prompt: str | None = None
    references: int = 5
    # How surely a face must still be found in what was painted of a person.
    face_gate: str = "strict"

    def __post_init__(self) -> None:
        """A way of looking that does not exist would be found out when somebody waits."""
        if self.face_gate not in FACE_GATES:
            raise ValueError(f"face_gate is one of {', '.join(FACE_GATES)}.")

    def sized(self, width: int | None, height: int | None) -> Self:
        """The same in another size, where one is said."""
        return replace(self, width=width, height=height) if width and height else self

    def as_json(self) -> dict[str, Any]:
        """For the style's row."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From the style's row; an unknown key is an error, so a typo cannot be painted."""
        return cls(**data)
