"""What a person may ask for in words: choices from lists, and a short text of their own. Pure.

Owns the lists, which the web checks, an engine that reads puts into sentences and one that does not
draws. Refuses a choice that no list has, and prints none of it: words are personal data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

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


@dataclass(frozen=True, repr=False)
class Prompt:
    """A description: one value a choice, and words."""

    choices: tuple[tuple[str, str], ...] = field(
        default=tuple((name, values[0]) for name, values in CHOICES.items()), repr=False
    )
    words: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return "Prompt(redacted)"

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
        return json.dumps({**dict(self.choices), "words": self.words}).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """What was sealed."""
        chosen = json.loads(data)
        words = chosen.pop("words")
        return cls.of(chosen, words)
