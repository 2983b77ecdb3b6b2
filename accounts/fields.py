"""Fields that take what the document says and nothing that merely resembles it.

REST framework reads 1 as true, 0 as a text and "7" as a number. Where a yes is a signature and a
number an order, the kind that was sent has to be the kind that is meant.
"""

from typing import Any, Final

from rest_framework import serializers

# The sentence of REST framework would repeat what was sent.
NO_SUCH: Final[dict[str, Any]] = {
    "invalid_choice": "There is no such value. GET /v1/schema lists them."
}


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse whatever else could be read as one."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse a number that could be written as one."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Pattern(Text, serializers.RegexField):
    """A string of a certain form."""


class Whole(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse digits in a string, and true, which Python takes for 1."""
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)
