"""Marks nobody could guess, put into everything a person gives, and the search for them.

The search takes a place as it lies on the disk or answers on the wire, and looks for every mark in
every form in which software writes bytes down: as they are, in base64, hex, URL and JSON escapes,
UTF-16, and inside gzip and zlib streams. zstd is not opened: nothing here writes it.
"""

import base64
import io
import json
import os
import secrets
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import psycopg
import redis
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.chaos.person import Behind

Pixels = NDArray[np.uint8]
BLOCK = 64
INFLATED_AT_MOST = 4 << 20
# What a stream may begin with: gzip, and zlib at its four usual levels.
STREAMS = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
ICC_NAME = "sRGB built-in"


def token(length: int = 32) -> str:
    return secrets.token_hex(length)[:length]


# --- What is given -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """The marks of one person."""

    exif: str = field(default_factory=token)
    comment: str = field(default_factory=token)
    xmp: str = field(default_factory=token)
    png_text: str = field(default_factory=token)
    # The profile's description has a fixed length; this one fits into it.
    icc: str = field(default_factory=lambda: token(len(ICC_NAME)))
    typed_name: str = field(default_factory=lambda: f"Zoë {token()}")
    password: str = field(default_factory=lambda: f"Pw-{token()}")
    email: str = field(default_factory=lambda: f"c{token(24)}@example.org")
    block: Pixels = field(
        default_factory=lambda: np.frombuffer(
            secrets.token_bytes(BLOCK * BLOCK * 3), np.uint8
        ).reshape(BLOCK, BLOCK, 3)
    )

    def words(self) -> dict[str, str]:
        """What must be nowhere; the e-mail is the accounts' own and looked for apart."""
        return {
            "EXIF": self.exif,
            "JPEG comment": self.comment,
            "XMP": self.xmp,
            "PNG text": self.png_text,
            "ICC": self.icc,
            "name": self.typed_name,
            "name's end": self.typed_name.split()[1],
            "password": self.password,
        }

    def rows(self) -> dict[str, bytes]:
        """Raw rows of the block, as RGB and as BGR."""
        picked = {n: self.block[n] for n in (0, 21, 42, 63)}
        found = {f"pixels {n}": row.tobytes()[:48] for n, row in picked.items()}
        return found | {f"pixels {n} BGR": r[:, ::-1].tobytes()[:48] for n, r in picked.items()}


def slices(name: str, data: bytes) -> dict[str, bytes]:
    """Pieces of a picture file from well inside its compressed part."""
    at = [len(data) * part // 5 for part in (1, 2, 3, 4)]
    return {f"{name} at {n}": data[n : n + 40] for n in at}


def _exif(marks: Marks) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = marks.exif
    return exif.tobytes()


def _xmp(marks: Marks) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- {marks.xmp} --></x:xmpmeta>'.encode()


def _icc(marks: Marks) -> bytes:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    marked = plain.replace(ICC_NAME.encode("utf-16-be"), marks.icc.encode("utf-16-be"))
    assert marked != plain
    return bytes(marked)


def marked_png(view: bytes, marks: Marks, corner: tuple[int, int]) -> bytes:
    """A lossless copy of a photo with the block pasted in and a mark in every field."""
    with Image.open(io.BytesIO(view)) as opened:
        picture = opened.convert("RGB")
    picture.paste(Image.fromarray(marks.block), corner)
    info = PngInfo()
    info.add_text("Comment", marks.png_text)
    info.add_itxt("XML:com.adobe.xmp", _xmp(marks).decode())
    stream = io.BytesIO()
    picture.save(stream, "PNG", pnginfo=info, exif=_exif(marks), icc_profile=_icc(marks))
    return stream.getvalue()


def marked_jpeg(view: bytes, marks: Marks) -> bytes:
    with Image.open(io.BytesIO(view)) as opened:
        picture = opened.convert("RGB")
    stream = io.BytesIO()
    fields: dict[str, Any] = {"exif": _exif(marks), "xmp": _xmp(marks), "icc_profile": _icc(marks)}
    picture.save(stream, "JPEG", quality=92, comment=marks.comment.encode(), **fields)
    return stream.getvalue()


def likeness(picture: bytes, block: Pixels, box: tuple[float, float, float, float]) -> float:
    """How much a part of a picture looks like the block: 1 the same, 0 nothing in common."""
    grey = np.asarray(Image.fromarray(block).convert("L"), np.float64).ravel()
    best = 0.0
    with Image.open(io.BytesIO(picture)) as opened:
        whole = opened.convert("L")
    for dx, dy in ((x / 2, y / 2) for x in range(-2, 3) for y in range(-2, 3)):
        moved = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        part = whole.resize((BLOCK, BLOCK), Image.Resampling.BICUBIC, box=moved)
        best = max(best, float(np.corrcoef(grey, np.asarray(part, np.float64).ravel())[0, 1]))
    return best


# --- The search --------------------------------------------------------------------------------


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

    def add_texts(self, words: Mapping[str, str]) -> None:
        self._add({f"{n} ({f})": b for n, w in words.items() for f, b in forms(w).items()})

    def add_bytes(self, pieces: Mapping[str, bytes]) -> None:
        self._add(
            {f"{n} ({f})": b for n, p in pieces.items() for f, b in forms_of_bytes(p).items()}
        )

    def _add(self, needles: Mapping[str, bytes]) -> None:
        for label, needle in needles.items():
            assert len(needle) >= 12, label
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


# --- Where ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """Everywhere that bytes can come to rest, each under a name that a failure can print."""

    stack: Stack
    since: float

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        with psycopg.connect(self.stack.admin_database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        yield from self._bucket()
        yield from self._valkey()
        yield from self._flower()
        own = self.stack.folders.data
        yield from self._files("data", own)
        if not Path(row[0]).is_relative_to(own):
            yield from self._files("postgres", Path(row[0]))
        for folder in {Path(tempfile.gettempdir()), Path("/tmp"), Path("/dev/shm")}:  # noqa: S108
            if folder.is_dir():
                yield from self._fresh(folder)

    def scan(self, search: Search) -> dict[str, set[str]]:
        """Place → what was found there."""
        return {name: found for name, data in self if (found := search.find(data))}

    def _bucket(self) -> Iterator[tuple[str, bytes]]:
        behind = Behind(self.stack)
        for name in behind.names():
            with suppress(behind.s3().exceptions.NoSuchKey):
                yield f"bucket {name}", behind.body(name)

    def _valkey(self) -> Iterator[tuple[str, bytes]]:
        """The values themselves: in its files, Valkey may compress them in a way of its own."""
        with redis.Redis.from_url(self.stack.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
            for key in broker.scan_iter():
                match broker.type(key):
                    case b"string":
                        value: Any = [broker.get(key)]
                    case b"list":
                        value = broker.lrange(key, 0, -1)
                    case b"hash":
                        value = [part for pair in broker.hgetall(key).items() for part in pair]
                    case b"set":
                        value = list(broker.smembers(key))
                    case b"zset":
                        value = broker.zrange(key, 0, -1)
                    case other:
                        assert other == b"none", other
                        value = []
                yield f"valkey {key!r}", b"\n".join([key, *(part or b"" for part in value)])

    def _flower(self) -> Iterator[tuple[str, bytes]]:
        user, _, password = self.stack.env(Role.FLOWER)["FLOWER_BASIC_AUTH"].partition(":")
        with httpx.Client(base_url=self.stack.urls.flower, auth=(user, password)) as client:
            for path in ("/api/tasks", "/api/workers", "/tasks", "/workers"):
                answer = client.get(path, timeout=30, follow_redirects=True)
                assert answer.is_success, path
                yield f"flower {path}", answer.content

    def _files(self, name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
        for place, _, files in os.walk(folder):
            for file in files:
                path = Path(place) / file
                with suppress(FileNotFoundError):
                    if stat.S_ISREG(path.lstat().st_mode):
                        yield f"{name} {path.relative_to(folder)}", path.read_bytes()

    def _fresh(self, folder: Path) -> Iterator[tuple[str, bytes]]:
        """What was written since the beginning, but not by another stack beside this one."""
        for place, folders, files in os.walk(folder):
            # What this user may not enter, no process of this user has written.
            mine = [n for n in folders if os.access(Path(place) / n, os.R_OK | os.X_OK)]
            folders[:] = [n for n in mine if not (Path(place) / n / "credentials.json").exists()]
            for file in files:
                path = Path(place) / file
                with suppress(OSError):
                    known = path.lstat()
                    if stat.S_ISREG(known.st_mode) and known.st_mtime >= self.since:
                        yield f"temporary {path}", path.read_bytes()
