"""Whether bytes are a picture or noise, and how to look at them."""

import io
import math
from collections import Counter

from PIL import Image, UnidentifiedImageError

from deploy.demo.errors import expect

MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"RIFF": "WebP",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
}
BITS = 7.9
# Of fewer bytes than this, even perfect noise need not show that many bits.
ENOUGH = 4096
ROW = 8


def picture_kind(body: bytes) -> str | None:
    """The kind of picture that these bytes are to anybody who finds them, or None."""
    for magic, kind in MAGIC.items():
        if body.startswith(magic):
            return kind
    if body[4:8] == b"ftyp":
        return "HEIC or AVIF"
    try:
        with Image.open(io.BytesIO(body)) as opened:
            return opened.format
    except (UnidentifiedImageError, OSError, ValueError):
        return None


def entropy(body: bytes) -> float:
    """Shannon's entropy of the single bytes, in bits; 8 is perfect noise."""
    if not body:
        return 0.0
    shares = [count / len(body) for count in Counter(body).values()]
    return -sum(share * math.log2(share) for share in shares)


def expect_noise(body: bytes, name: str) -> float:
    """The entropy, where the body is no picture and shows no pattern."""
    kind = picture_kind(body)
    expect(kind is None, f"The object {name} in the bucket is a readable picture ({kind}).")
    bits = entropy(body)
    full = bits >= BITS or len(body) < ENOUGH
    expect(full, f"The object {name} has {bits:.2f} bits a byte: it is no noise.")
    return bits


def hexdump(body: bytes, length: int = 48) -> str:
    """Offset, hexadecimal and what is printable, eight bytes a line."""
    lines = []
    for start in range(0, min(length, len(body)), ROW):
        row = body[start : min(start + ROW, length)]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:02x}  {row.hex(' '):<{3 * ROW - 1}}  {shown}")
    return "\n".join(lines)
