"""The shapes of a change of one's own portrait."""

import math
from typing import Any, Final

from rest_framework import serializers

from accounts.fields import NO_SUCH, Flag, Text
from portraits.changes import MASKED, WORDED, Change, Source
from portraits.prompts import POINTS, STROKES, WORDS, Stroke

# Between a hair and half of the picture.
THINNEST, WIDEST = 0.002, 0.5
DETAIL: Final = ("faithful", "rich")


class FractionField(serializers.FloatField):
    """A finite number; the library's field lets "nan" pass every bound."""

    def to_internal_value(self, data: Any) -> float:
        """Refuse what is no number."""
        if isinstance(data, bool | str):
            self.fail("invalid")
        value = float(super().to_internal_value(data))
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class StrokeSerializer(serializers.Serializer[Stroke]):
    """A part of a mask: a line, or with `filled` the area that it surrounds."""

    points = serializers.ListField(
        child=serializers.ListField(
            child=FractionField(min_value=0, max_value=1), min_length=2, max_length=2
        ),
        min_length=1,
        max_length=POINTS,
        help_text="[across, down], from the upper left corner (0, 0) to the lower right (1, 1).",
    )
    width = FractionField(
        min_value=THINNEST,
        max_value=WIDEST,
        default=0.05,
        help_text="Of the line, as a part of the portrait's shorter side.",
    )
    filled = Flag(default=False)

    def to_internal_value(self, data: Any) -> Stroke:
        """The stroke."""
        said = super().to_internal_value(data)
        points = tuple((across, down) for across, down in said["points"])
        return Stroke(points, said["width"], said["filled"])


class SourceSerializer(serializers.Serializer[Source]):
    """A portrait of one's own, and what to make of it."""

    portrait = serializers.UUIDField(help_text="Id of a portrait of yours.")
    change = serializers.ChoiceField(
        choices=[str(change) for change in Change],
        error_messages=NO_SUCH,
        help_text="`restyle`: in the style of this order. `edit`: as `words` say. `refine`: the"
        " same seed with other words, or with another `prompt` where it was painted from one."
        " `variation`: the same by another seed. `upscale`: four times as wide and high. With a"
        " reference_set, `refine` and `variation` are painted from its photos once more; without,"
        " from the portrait.",
    )
    words = Text(
        required=False,
        allow_blank=True,
        help_text=f"What to change, in at most {WORDS} characters; for `edit` and `refine`.",
    )
    mask = StrokeSerializer(  # type: ignore[call-arg]
        many=True,
        required=False,
        max_length=STROKES,
        help_text="Where it changes; for `restyle` and `edit`. Left out: everywhere.",
    )
    detail = serializers.ChoiceField(
        choices=DETAIL,
        default=DETAIL[0],
        error_messages=NO_SUCH,
        help_text="Of an upscale: `faithful` keeps to what is there, `rich` invents detail.",
    )

    def to_internal_value(self, data: Any) -> Source:
        """The source; what its change has no use for is refused, not dropped."""
        said = super().to_internal_value(data)
        change = Change(said["change"])
        words, mask = said.get("words", ""), tuple(said.get("mask", ()))
        refused: dict[str, list[serializers.ErrorDetail]] = {}
        if words and change not in WORDED:
            refused["words"] = [_unused("Only `edit` and `refine` take words.")]
        if mask and change not in MASKED:
            refused["mask"] = [_unused("Only `restyle` and `edit` take a mask.")]
        if refused:
            raise serializers.ValidationError(refused)
        return Source(said["portrait"], change, words, mask, said["detail"] == DETAIL[1])


def _unused(sentence: str) -> serializers.ErrorDetail:
    return serializers.ErrorDetail(sentence, code="not_for_this_change")
