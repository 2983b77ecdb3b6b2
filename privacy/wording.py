"""How lengths of time are said, in English and German. Pure; the numbers come from retention.py."""

from datetime import timedelta
from typing import Final

LANGUAGES: Final = ("en", "de")
# unit → (one, many), by language. German in the nominative, as after "Frist:".
_UNITS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "en": {
        "year": ("year", "years"),
        "day": ("day", "days"),
        "hour": ("hour", "hours"),
        "minute": ("minute", "minutes"),
    },
    "de": {
        "year": ("Jahr", "Jahre"),
        "day": ("Tag", "Tage"),
        "hour": ("Stunde", "Stunden"),
        "minute": ("Minute", "Minuten"),
    },
}
_AT_MOST: Final = {"en": "{0}, {1} at most", "de": "{0}, höchstens {1}"}


def length(span: timedelta, language: str = "en") -> str:
    """`24 hours`, `7 days`, `5 years`: the largest unit that says it exactly."""
    minutes = int(span.total_seconds()) // 60
    if minutes % (365 * 1440) == 0:
        unit, count = "year", minutes // (365 * 1440)
    elif minutes % 1440 == 0 and minutes > 2 * 1440:
        unit, count = "day", minutes // 1440
    elif minutes % 60 == 0:
        unit, count = "hour", minutes // 60
    else:
        unit, count = "minute", minutes
    one, many = _UNITS[language][unit]
    return f"{count} {one if count == 1 else many}"


def lengths(usual: timedelta, longest: timedelta, language: str = "en") -> str:
    """One length, or the usual one and the longest that can be chosen."""
    if usual == longest:
        return length(usual, language)
    return _AT_MOST[language].format(length(usual, language), length(longest, language))
