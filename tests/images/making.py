"""Makes the files that the tests upload: good ones, bad ones, and ones that carry a canary."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo


def file_of(picture: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def frames(picture: Image.Image, kind: str) -> bytes:
    """A moving picture of two frames."""
    other = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return file_of(picture, kind, save_all=True, append_images=[other], duration=100)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int) -> bytes:
    """A black PNG of one bit a pixel: its pixels compress to almost nothing."""
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def exif(canary: bytes, thumbnail: bytes) -> bytes:
    """EXIF written by hand: a text, a place on Earth, and a second picture as thumbnail."""
    text, place = canary + b"-TEXT\0", canary + b"-GPS\0"
    first, gps, second = 8, 8 + 30, 8 + 30 + 18
    data = second + 42

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, count, value)

    body = struct.pack("<2sHIH", b"II", 42, first, 2)
    body += entry(0x010E, 2, len(text), data) + entry(0x8825, 4, 1, gps)
    body += struct.pack("<I", second)
    body += struct.pack("<H", 1) + entry(0x001D, 2, len(place), data + len(text))
    body += struct.pack("<I", 0)
    start = data + len(text) + len(place)
    body += struct.pack("<H", 3) + entry(0x0103, 3, 1, 6) + entry(0x0201, 4, 1, start)
    body += entry(0x0202, 4, 1, len(thumbnail)) + struct.pack("<I", 0)
    return b"Exif\0\0" + body + text + place + thumbnail


def profile(canary: bytes) -> bytes:
    """An sRGB profile with the canary in the space that its header leaves unused."""
    body = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    body[100 : 100 + len(canary)] = canary
    return bytes(body)


def xmp(canary: bytes) -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + canary + b"</x:xmpmeta>"


def png_texts(canary: str) -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", canary + "-tEXt")
    info.add_text("Author", canary + "-zTXt", zip=True)
    info.add_itxt("Title", canary + "-iTXt")
    return info
