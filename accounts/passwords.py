"""A password must be more than the words that anybody would try here first."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What this product is called and what it is about, and what a password is called.
WORDS: Final = (
    *("sitter", "portrait", "selfie", "photo", "foto", "picture", "avatar", "style"),
    *("password", "passwort", "welcome", "willkommen", "admin"),
)
# So many characters beside those words are as good as a password without them.
ENOUGH: Final = 8
_FOUND: Final = re.compile("|".join(WORDS))


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
