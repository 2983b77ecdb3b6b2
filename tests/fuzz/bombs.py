"""Sixty files that are made to hurt: small to send, large or endless to open.

Everything is written by hand or by Pillow here and now; none is a file of somebody else's.
"""

import io
import itertools
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from PIL import Image

from tests.images.making import file_of, frames, png_bomb, png_chunk

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
WIDE: Final = (
    (6_400, 6_249),  # just under forty megapixels, so that it is decoded
    (7_000, 7_000),
    (20_000, 20_000),
    (65_500, 65_500),
    (1_000_000, 300),
)


# What takes long to write is written once it is asked for.
Bomb = tuple[str, bytes | Callable[[], bytes]]


def bombs(every: int = 1) -> Iterator[tuple[str, bytes]]:
    """(what it is, the file), sixty of them, or every so many of the sixty."""
    for name, made in itertools.islice(_all(), 0, None, every):
        yield name, made() if callable(made) else made


def _all() -> Iterator[Bomb]:
    yield from _pixels()
    yield from _chunks()
    yield from _jpegs()
    yield from _webps()
    yield from _heifs()
    yield from _damaged()
    yield from _disguised()


def _header(width: int, height: int, depth: int = 8, kind: int = 2, lace: int = 0) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, lace))


def _pixels() -> Iterator[Bomb]:
    """Many pixels in few bytes."""
    for width, height in WIDE:
        if width * height < 500_000_000:
            yield f"png of {width} x {height}", partial(png_bomb, width, height)
    for width, height in ((2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (0, 300), (300, 0)):
        body = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        yield f"png that says {width} x {height}", SIGNATURE + _header(width, height) + body
    for lace, depth, kind, wide in ((1, 16, 6, 8), (1, 8, 2, 3), (0, 16, 6, 8)):
        yield (
            f"png of 38 megapixels, {depth} bits, kind {kind}, interlaced {lace}",
            partial(_wide, _header(6_200, 6_200, depth, kind, lace), wide),
        )


def _wide(header: bytes, wide: int) -> bytes:
    rows = zlib.compress(bytes((6_200 * wide + 1) * 6_200), 1)
    return SIGNATURE + header + png_chunk(b"IDAT", rows)


def _chunks() -> Iterator[Bomb]:
    """PNG parts that inflate, repeat or never end."""
    picture = png_bomb(512, 512)
    head, tail = picture[:33], picture[33:]
    inflating = zlib.compress(bytes(60_000_000), 9)
    for kind in (b"zTXt", b"iCCP"):
        yield (
            f"png with a {kind.decode()} of 60 MB",
            head + png_chunk(kind, b"a\0\0" + inflating) + tail,
        )
    text = b"a\0\1\0\0\0" + inflating
    yield "png with an iTXt of 60 MB", head + png_chunk(b"iTXt", text) + tail
    yield "png with 100,000 texts", head + png_chunk(b"tEXt", b"a\0b") * 100_000 + tail
    yield "png with 50,000 empty IDATs", head + png_chunk(b"IDAT", b"") * 50_000 + tail
    yield "png with a chunk of 4 GB", head + b"\xff\xff\xff\xffIDAT" + bytes(1000)
    yield "png with an exif that leads to itself", head + png_chunk(b"eXIf", _looped()) + tail
    yield "png with a million frames", head + png_chunk(b"acTL", b"\0\x0f\x42\x40" * 2) + tail
    yield "png whose data go on", head + png_chunk(b"IDAT", zlib.compress(bytes(40_000_000), 9))


def _looped() -> bytes:
    """TIFF directories whose next one is the first."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + struct.pack("<I", 8)


def _jpegs() -> Iterator[Bomb]:
    """JPEG, whose headers promise and whose scans repeat."""
    noise = Image.effect_noise((512, 512), 80).convert("RGB")
    small = file_of(noise, "JPEG", quality=60)
    frame = small.index(b"\xff\xc0")
    for width, height in ((65_535, 65_535), (6_400, 6_200), (0, 512)):
        size = struct.pack(">HH", height, width)
        yield f"jpeg that says {width} x {height}", small[: frame + 5] + size + small[frame + 9 :]
    progressive = file_of(noise, "JPEG", progressive=True)
    scan = progressive.rindex(b"\xff\xda")
    yield "jpeg of 300 scans", progressive[:-2] + progressive[scan:-2] * 300 + b"\xff\xd9"
    yield "jpeg of 60,000 comments", small[:2] + b"\xff\xfe\0\6abcd" * 60_000 + small[2:]
    yield "jpeg of 2 MB of fill bytes", small[:2] + b"\xff" * 2_000_000 + small[2:]
    exif = b"Exif\0\0" + _looped()
    yield "jpeg with an exif that leads to itself", file_of(noise, "JPEG", exif=exif)
    entry = struct.pack("<HHII", 0x0112, 3, 0xFFFFFFFF, 8)
    huge = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + bytes(4)
    yield "jpeg whose orientation has four billion values", file_of(noise, "JPEG", exif=huge)
    yield "jpeg with a profile of nonsense", file_of(noise, "JPEG", icc_profile=bytes(300_000))
    yield "jpeg without an end", small[:-2] + bytes(3_000_000)
    yield "jpeg of 39 megapixels", partial(_large, "JPEG", progressive=True)


def _large(kind: str, **options: bool | int) -> bytes:
    return file_of(Image.new("RGB", (6_300, 6_300), "grey"), kind, **options)


def _webps() -> Iterator[Bomb]:
    """WebP, which is allocated when it is opened."""
    noise = Image.effect_noise((300, 300), 60).convert("RGB")
    for side in (16_383, 16_384, 2**24):
        canvas = (side - 1).to_bytes(3, "little") * 2
        body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + bytes(60)
        yield f"webp with a canvas of {side}", b"RIFF" + struct.pack("<I", len(body)) + body
    yield "webp of two frames", frames(noise, "WEBP")
    yield "webp without its end", file_of(noise, "WEBP")[:-500]
    yield "webp of 39 megapixels without loss", partial(_large, "WEBP", lossless=True, method=0)
    plain = file_of(noise, "WEBP")
    yield "webp that says 4 GB", plain[:4] + b"\xff\xff\xff\xff" + plain[8:]


def _box(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", size if size is not None else len(body) + 8) + kind + body


def _heifs() -> Iterator[Bomb]:
    """HEIC: boxes in boxes, boxes that lie about their length, items that are not there."""
    brand = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    yield "heic of 20,000 boxes in each other", lambda: brand + _nested(20_000)
    yield "heic of 100,000 boxes", brand + _box(b"free", b"") * 100_000
    for size in (0, 1, 7, 2**31, 2**32 - 1):
        yield f"heic whose box says {size}", brand + _box(b"meta", bytes(400), size)
    items = struct.pack(">IH", 0, 0xFFFF) + bytes(20_000)
    yield "heic that counts 65,535 items", brand + _box(b"meta", bytes(4) + _box(b"iinf", items))
    places = b"\0\0\0\0\x44\x40\xff\xff" + b"\xff" * 3_000
    yield "heic whose items lie outside", brand + _box(b"meta", bytes(4) + _box(b"iloc", places))


def _nested(depth: int) -> bytes:
    """From the outside inwards, because their lengths are known."""
    each = 12
    return b"".join(struct.pack(">I4s4x", each * left, b"meta") for left in range(depth, 0, -1))


def _damaged() -> Iterator[Bomb]:
    """Good files, a few bytes of which are others; the same ones each time."""
    dice = random.Random(11)
    noise = Image.effect_noise((640, 640), 70).convert("RGB")
    for kind in ("JPEG", "PNG", "WEBP"):
        good = file_of(noise, kind)
        for turn in range(3):
            spoilt = bytearray(good)
            for _ in range(40):
                spoilt[dice.randrange(20, len(spoilt))] = dice.randrange(256)
            yield f"{kind.lower()} with forty other bytes, {turn}", bytes(spoilt)


def _disguised() -> Iterator[Bomb]:
    """One thing that begins as another."""
    noise = Image.effect_noise((300, 300), 60).convert("RGB")
    archive = io.BytesIO(zlib.compress(bytes(10_000_000), 9)).getvalue()
    page = b"<html><script>alert(1)</script></html>"
    yield "jpeg with a page behind it", file_of(noise, "JPEG") + page
    yield "png with an archive behind it", file_of(noise, "PNG") + b"PK\3\4" + archive
    yield (
        "a svg that asks for a file",
        b'<svg xmlns="http://www.w3.org/2000/svg">' + (b'<image href="file:///etc/passwd"/></svg>'),
    )
    yield "noise that begins as a jpeg", b"\xff\xd8\xff" + random.Random(7).randbytes(500_000)
