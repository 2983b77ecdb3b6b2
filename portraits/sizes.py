"""The names that sizes have for the people who order them. Pure.

Owns which shape a name means, and which of an engine's sizes it gets.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

Pixels = tuple[int, int]


class Shape(StrEnum):
    """What a picture is for."""

    HEADSHOT = "headshot"  # 1:1, a profile picture
    PORTRAIT = "portrait"  # 4:5, a post
    CLASSIC = "classic"  # 3:4, a print
    STORY = "story"  # 9:16, a phone's screen
    BANNER = "banner"  # 16:9, the head of a page


RATIOS: Final[dict[Shape, Pixels]] = {
    Shape.HEADSHOT: (1, 1),
    Shape.PORTRAIT: (4, 5),
    Shape.CLASSIC: (3, 4),
    Shape.STORY: (9, 16),
    Shape.BANNER: (16, 9),
}


def pick(shape: Shape, large: bool, offered: Iterable[Pixels]) -> Pixels | None:
    """The smallest size of a shape, or the largest; None where the engine has none."""
    fitting = [size for size in offered if alike(size, RATIOS[shape])]
    return (max if large else min)(fitting, default=None)


def shapes(offered: Iterable[Pixels]) -> list[Shape]:
    """The names that an engine has a size for."""
    sizes = list(offered)
    return [shape for shape in Shape if pick(shape, False, sizes) is not None]


def alike(one: Pixels, other: Pixels) -> bool:
    """Whether two pictures have one shape."""
    return one[0] * other[1] == one[1] * other[0]


def shape_of(picture: Pixels) -> Shape | None:
    """The name of a picture's shape."""
    return next((shape for shape, ratio in RATIOS.items() if alike(picture, ratio)), None)


def nearest(picture: Pixels, alike: Iterable[Pixels]) -> Pixels | None:
    """Its own size, else the largest that is no larger, else the smallest; all of its shape."""
    same = sorted(alike)
    return max((size for size in same if size <= picture), default=same[0] if same else None)
