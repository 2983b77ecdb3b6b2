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

INFLATED_AT_MOST = 4 << 20
# What a stream may begin with: gzip, and zlib at its four usual levels.
STREAMS = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


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


class Search:
    """Looks for many needles at once; its cost hardly grows with their number."""

    def __init__(self) -> None:
        self._by: dict[int, list[tuple[str, bytes]]] = {}
        self._first = np.zeros(65536, np.bool_)
        self._keys = np.zeros(0, np.uint32)
        self._streams = np.zeros(65536, np.bool_)
        for magic in STREAMS:
            self._streams[int.from_bytes(magic, "little")] = True

    def join(self, other: "Search") -> None:
        """Look for everything that another one looks for, too."""
        self._add({label: needle for found in other._by.values() for label, needle in found})

    def add_texts(self, words: Mapping[str, str]) -> None:
        self._add({f"{n} ({f})": b for n, w in words.items() for f, b in forms(w).items()})

    def add_bytes(self, pieces: Mapping[str, bytes]) -> None:
        self._add(
            {f"{n} ({f})": b for n, p in pieces.items() for f, b in forms_of_bytes(p).items()}
        )

    def _add(self, needles: Mapping[str, bytes]) -> None:
        for label, needle in needles.items():
            if len(needle) < 12:
                raise ValueError(f"{label} is too short to be unmistakable.")
            key = int.from_bytes(needle[:4], "little")
            self._by.setdefault(key, []).append((label, needle))
            self._first[key & 0xFFFF] = True
        self._keys = np.fromiter(self._by, np.uint32)

    def find(self, data: bytes, *, inflate: bool = True) -> set[str]:
        """Labels of all needles in there, in clear or compressed once."""
        if len(data) < 12:
            return set()
        raw = np.frombuffer(data, np.uint8)
        pairs = raw[:-1].astype(np.uint16) | (raw[1:].astype(np.uint16) << 8)
        found: set[str] = set()
        spots = np.flatnonzero(self._first[pairs[:-2]])
        keys = pairs[spots].astype(np.uint32) | (pairs[spots + 2].astype(np.uint32) << 16)
        for spot in spots[np.isin(keys, self._keys)].tolist():
            for label, needle in self._by[int.from_bytes(data[spot : spot + 4], "little")]:
                if data.startswith(needle, spot):
                    found.add(label)
        if inflate:
            for spot in np.flatnonzero(self._streams[pairs]).tolist():
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
