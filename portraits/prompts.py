"""What a person may ask for in words: choices from lists, and a short text of their own. Pure.

Owns the lists, which the web checks, an engine that reads puts into sentences and one that does not
draws. Refuses a choice that no list has, and prints none of it: words are personal data.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

# The first of each list is what is taken when nobody chooses. No list has a child in it.
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": ("person", "woman", "man", "older_woman", "older_man"),
    "skin": ("medium", "very_light", "light", "tan", "brown", "dark"),
    "hair": ("short", "long", "curly", "bob", "bun", "coily", "shaved", "head_scarf"),
    "hair_colour": ("brown", "black", "blond", "red", "grey", "white"),
    "expression": ("calm", "smile", "serious", "thoughtful", "laugh"),
    "clothing": ("shirt", "sweater", "suit", "turtleneck", "jacket", "dress"),
    "light": ("soft", "window", "golden", "dramatic", "cool"),
    "background": ("plain", "warm", "dark", "garden", "city", "sky"),
    "camera": ("head_and_shoulders", "headshot", "half_body"),
}
# Characters of one's own text: enough for a wish, too few for a story about somebody.
WORDS: Final = 300
# A finger that paints over a portrait leaves no more than this.
STROKES: Final = 64
POINTS: Final = 500


@dataclass(frozen=True, repr=False)
class Stroke:
    """A part of a mask: a line of some width, or the area inside it.

    `points` are (across, down) from 0 to 1 of the picture; `width` is a part of its shorter side.
    """

    points: tuple[tuple[float, float], ...]
    width: float
    filled: bool = False

    def __repr__(self) -> str:
        return "Stroke(redacted)"


@dataclass(frozen=True, repr=False)
class Prompt:
    """A description: one value a choice, and words. A change of a portrait has no choices.

    `mask`: where a portrait is to change; none means everywhere.
    """

    choices: tuple[tuple[str, str], ...] = field(
        default=tuple((name, values[0]) for name, values in CHOICES.items()), repr=False
    )
    words: str = field(default="", repr=False)
    mask: tuple[Stroke, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return "Prompt(redacted)"

    @classmethod
    def change(cls, words: str, mask: tuple[Stroke, ...]) -> Self:
        """What is to change in a portrait."""
        return cls((), words, mask)

    @classmethod
    def of(cls, chosen: Mapping[str, str], words: str = "") -> Self:
        """With what was not chosen filled in. Raises ValueError for what no list has."""
        for name, value in chosen.items():
            if value not in CHOICES.get(name, ()):
                raise ValueError("There is no such choice.")
        full = tuple((name, chosen.get(name, values[0])) for name, values in CHOICES.items())
        return cls(full, words)

    def as_json(self) -> bytes:
        """What is sealed."""
        said: dict[str, Any] = {**dict(self.choices), "words": self.words}
        if self.mask:
            said["mask"] = [asdict(stroke) for stroke in self.mask]
        return json.dumps(said).encode()

    @property
    def kept(self) -> Self | None:
        """What its owner keeps with the portrait; None where nothing was said."""
        return replace(self, mask=()) if self.choices or self.words else None

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """What was sealed."""
        chosen = json.loads(data)
        words = chosen.pop("words")
        mask = tuple(
            Stroke(tuple((x, y) for x, y in row["points"]), row["width"], row["filled"])
            for row in chosen.pop("mask", ())
        )
        return cls.of(chosen, words) if chosen else cls.change(words, mask)
