"""Decrypted bytes with a redacted repr. Pure: imports nothing of ours."""

from typing import Final


class Plain:
    """Bytes that were opened, or are about to be sealed. They live in memory only.

    Printing, formatting, logging, comparing or pickling it shows nothing; `reveal()` is the one
    way in, so that a search for it finds every place where clear bytes are used.
    """

    __slots__ = ("_bytes",)

    def __init__(self, data: bytes) -> None:
        self._bytes: Final = data

    def reveal(self) -> bytes:
        """The bytes in clear."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._bytes)

    def __repr__(self) -> str:
        return "Plain(redacted)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("Plain bytes are never pickled.")
