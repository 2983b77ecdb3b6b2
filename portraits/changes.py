"""What can be made from a portrait of one's own. Pure: names and shapes."""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from portraits.prompts import Stroke


class Change(StrEnum):
    """How the new portrait comes from the old one."""

    RESTYLE = "restyle"  # the same picture in another style, inside the mask where there is one
    EDIT = "edit"  # one thing becomes another, as the words say
    REFINE = "refine"  # the same seed and other words
    VARIATION = "variation"  # the same once more, by another seed
    UPSCALE = "upscale"  # four times as wide and high


# Those that take words, and those that take a mask.
WORDED = (Change.EDIT, Change.REFINE)
MASKED = (Change.RESTYLE, Change.EDIT)


@dataclass(frozen=True, repr=False)
class Source:
    """The portrait that an order starts from, and what becomes of it."""

    portrait: uuid.UUID
    change: Change
    words: str = field(default="", repr=False)
    mask: tuple[Stroke, ...] = field(default=(), repr=False)
    # An upscale invents detail where this is set, and keeps to what is there otherwise.
    rich: bool = False

    def __repr__(self) -> str:
        return f"Source({self.change.value}, redacted)"
