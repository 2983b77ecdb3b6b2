"""The search for marks in every form in which software writes bytes down.

As they are, in base64, hex, URL and JSON escapes, UTF-16, and inside gzip and zlib streams. zstd is
not opened: nothing here writes it.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

INFLATED_AT_MOST = 4 << 20
# What a stream may begin with: gzip, and zlib at its four usual levels.
STREAMS = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
# Only every eighth place is looked at, for four bytes: wherever a needle lies, one of the eight
# windows that begin in a row of eight of its bytes lies at such a place.
STRIDE = 8
WINDOW = 4
SHORTEST = 12
# A table of a megabit, in which three thousand windows hardly meet: Knuth's hash by multiplication.
TABLE_BITS = 20
FACTOR = np.uint32(2_654_435_761)
SHIFT = np.uint32(32 - TABLE_BITS)


def forms_of_bytes(secret: bytes) -> dict[str, bytes]:
    """Bytes as they are, in hex, and in base64 wherever they may stand in a longer text."""
    found = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    for phase, cut in ((0, 0), (1, 2), (2, 3)):
        # The first and the last letters depend on the neighbours; what is between does not.
        whole = (phase + len(secret)) // 3 * 4
        coded = base64.b64encode(bytes(phase) + secret)[:whole][cut:]
        found[f"base64/{phase}"] = coded
        found[f"base64url/{phase}"] = coded.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def forms(secret: str) -> dict[str, bytes]:
    """A text in every form in which it may be written down."""
    return {
        **forms_of_bytes(secret.encode()),
        "URL": quote(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "UTF-16LE": secret.encode("utf-16-le"),
        "UTF-16BE": secret.encode("utf-16-be"),
    }


def windows(needle: bytes) -> dict[int, int]:
    """The windows by which a needle is known: how far into it → the four bytes as a number.

    They begin in eight places in a row. Where there is a row without windows of one byte or two,
    such as zeros, which would be met everywhere, it is the first such row.
    """
    each = [needle[at : at + WINDOW] for at in range(len(needle) - WINDOW + 1)]
    rows = range(len(each) - STRIDE + 1)
    rare = (at for at in rows if all(len(set(one)) > 2 for one in each[at : at + STRIDE]))
    first = next(rare, 0)
    return {at: int.from_bytes(each[at], "little") for at in range(first, first + STRIDE)}


class Search:
    """Looks for many needles at once; its cost hardly grows with their number."""

    def __init__(self) -> None:
        # What a window may be the beginning of: (label, needle, how far into it).
        self._by: dict[int, list[tuple[str, bytes, int]]] = {}
        self._known = np.zeros(1 << TABLE_BITS, np.bool_)

    def join(self, other: "Search") -> None:
        """Look for everything that another one looks for, too."""
        for window, begun in other._by.items():
            self._by.setdefault(window, []).extend(begun)
        self._known |= other._known

    def add_texts(self, words: Mapping[str, str]) -> None:
        self._add({f"{n} ({f})": b for n, w in words.items() for f, b in forms(w).items()})

    def add_bytes(self, pieces: Mapping[str, bytes]) -> None:
        self._add(
            {f"{n} ({f})": b for n, p in pieces.items() for f, b in forms_of_bytes(p).items()}
        )

    def _add(self, needles: Mapping[str, bytes]) -> None:
        for label, needle in needles.items():
            if len(needle) < SHORTEST:
                raise ValueError(f"{label} is too short to be unmistakable.")
            for at, window in windows(needle).items():
                self._by.setdefault(window, []).append((label, needle, at))
        self._known[_places(np.fromiter(self._by, np.uint32))] = True

    def find(self, data: bytes, *, inflate: bool = True) -> set[str]:
        """Labels of all needles in there, in clear or compressed once."""
        if len(data) < SHORTEST:
            return set()
        found: set[str] = set()
        seen = np.frombuffer(data, "<u4", len(data) // WINDOW)[:: STRIDE // WINDOW]
        spots = np.flatnonzero(self._known[_places(seen)])
        for spot, window in zip(spots.tolist(), seen[spots].tolist(), strict=True):
            for label, needle, at in self._by.get(window, ()):
                start = spot * STRIDE - at
                if start >= 0 and data.startswith(needle, start):
                    found.add(label)
        if inflate:
            for spot in _streams(data):
                found |= {f"compressed {label}" for label in self._in_stream(data, spot)}
        return found

    def _in_stream(self, data: bytes, spot: int) -> set[str]:
        opener = zlib.decompressobj(wbits=47)
        try:
            # Noise fails within its first bytes; only what begins well is opened further.
            head = opener.decompress(memoryview(data)[spot : spot + 512], INFLATED_AT_MOST)
            rest = memoryview(data)[spot + 512 : spot + INFLATED_AT_MOST]
        except zlib.error:
            return set()
        with suppress(zlib.error):
            head += opener.decompress(rest, INFLATED_AT_MOST)
        return self.find(head, inflate=False)


def _places(seen: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Where in the table windows are looked up."""
    return (seen * FACTOR) >> SHIFT


def _streams(data: bytes) -> list[int]:
    """Where something begins as a stream does: its first byte is looked for, then its second."""
    raw = np.frombuffer(data, np.uint8)
    begins = [raw[:-1] == byte for byte in {magic[0] for magic in STREAMS}]
    spots = np.flatnonzero(np.logical_or.reduce(begins))
    pairs = raw[spots].astype(np.uint16) << 8 | raw[spots + 1]
    known = np.isin(pairs, [int.from_bytes(magic, "big") for magic in STREAMS])
    return [int(spot) for spot in spots[known]]
