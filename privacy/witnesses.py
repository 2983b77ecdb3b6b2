"""What the rooms above say to the daily proof about consent.

Filled by the apps above, in their AppConfig, because this room does not know what a portrait is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Seen:
    """How many things were looked at, and how many of them are not as promised."""

    looked_at: int
    wrong: int


# Each counts things that must name the consent they were made under, and those that do not.
witnesses: list[Callable[[datetime], Seen]] = []
