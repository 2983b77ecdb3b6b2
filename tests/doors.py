"""Django's own test clients, made cheap for a whole run: they share what each would read anew.

Every client builds a chain of middleware of its own, and WhiteNoise in it looks at each static
file's name, size and time. The files stay as they are while tests run.
"""

from functools import cache
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


@cache
def read_files_once() -> None:
    """The first client of this process finds the static files for all that come after it."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    known: dict[str, Any] = {}

    def remember(self: WhiteNoiseMiddleware) -> None:
        if not known:
            find(self)
            known.update(self.files)
        self.files.update(known)

    WhiteNoiseMiddleware.add_files_from_finders = remember
