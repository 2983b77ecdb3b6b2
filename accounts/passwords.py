"""A password must be more than the words that anybody would try here first, and known to nobody."""

import hashlib
import os
import re
from bisect import bisect_left
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext_lazy as _

# What this product is called and what it is about, and what a password is called.
WORDS: Final = (
    *("sitter", "portrait", "selfie", "photo", "foto", "picture", "avatar", "style"),
    *("password", "passwort", "welcome", "willkommen", "admin"),
)
# So many characters beside those words are as good as a password without them.
ENOUGH: Final = 8
_FOUND: Final = re.compile("|".join(WORDS))
# Hexadecimal digits of a SHA-1, and what holds the rest of a line and the hash of the next one.
HASH: Final = 40
TWO_LINES: Final = 160
_HASH: Final = re.compile(rb"[0-9A-F]{40}")
_BEHIND_ALL: Final = b"~"


class ProductWordsValidator:
    """Refuses what is one of WORDS with a little around it, as `Sitter2026!`."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        rest, found = _FOUND.subn("", password.lower())
        if found and len(rest) < ENOUGH:
            raise ValidationError(
                _(
                    "This password is a word that would be tried here first, with a little around"
                    " it. Choose another one."
                ),
                code="password_too_guessable",
            )

    def get_help_text(self) -> str:
        """Nothing shows it: the app has words of its own."""
        return ""


class BreachedPasswordValidator:
    """Refuses what has become known by a breach, by a list that the operator keeps on the spot.

    `file`: a line a password, its SHA-1 in hexadecimal digits in front, in the order of these: what
    the downloader of Have I Been Pwned writes in one file. It is held open and searched where it
    lies (some 36 reads in 40 GB), so nobody outside is asked. Raises ImproperlyConfigured, or
    OSError, where it cannot be such a list.
    """

    def __init__(self, file: Path) -> None:
        self._list = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self._lines = range(os.fstat(self._list).st_size)
        if not _HASH.fullmatch(self._line_at(0)):
            raise ImproperlyConfigured(
                "SITTER_BREACHED_PASSWORDS names a file whose first line does not begin with a"
                " SHA-1 in hexadecimal digits."
            )

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError."""
        digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False)
        sought = digest.hexdigest().upper().encode()
        if self._line_at(bisect_left(self._lines, sought, key=self._line_at)) == sought:
            raise ValidationError(
                _("This password has become known by a breach elsewhere. Choose another one."),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Nothing shows it: the app has words of its own."""
        return ""

    def _line_at(self, offset: int) -> bytes:
        """The hash of the first line that begins there or behind it."""
        read = os.pread(self._list, TWO_LINES, max(offset - 1, 0))
        if offset:
            read = read.partition(b"\n")[2]
        return read[:HASH].upper() or _BEHIND_ALL
