"""A reference is rebuilt from pixels: what a camera or an app wrote beside them is gone."""

import re
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from tests.images.making import exif, file_of, png_texts, profile, xmp
from workers import images, sizes
from workers.sandbox import Decoder

CANARY = b"CANARY7f3a"
# How a stream of zlib begins.
ZLIB = re.compile(b"\x78[\x01\x9c\xda]")


def jpeg(picture: Image.Image) -> bytes:
    thumbnail = file_of(picture.resize((96, 112)), "JPEG", comment=CANARY)
    return file_of(
        picture,
        "JPEG",
        exif=exif(CANARY, thumbnail),
        icc_profile=profile(CANARY),
        comment=CANARY + b"-COM",
        xmp=xmp(CANARY),
    )


def png(picture: Image.Image) -> bytes:
    return file_of(
        picture,
        "PNG",
        exif=exif(CANARY, CANARY),
        icc_profile=profile(CANARY),
        pnginfo=png_texts(CANARY.decode()),
    )


def webp(picture: Image.Image) -> bytes:
    return file_of(
        picture,
        "WEBP",
        exif=exif(CANARY, CANARY),
        icc_profile=profile(CANARY),
        xmp=xmp(CANARY),
    )


def trailing(picture: Image.Image) -> bytes:
    return file_of(picture, "JPEG") + CANARY


def inflated(data: bytes) -> bytes:
    """The bytes and every zlib stream in them, since PNG compresses its texts and profiles."""
    found = [data]
    for place in ZLIB.finditer(data):
        try:
            found.append(zlib.decompressobj().decompress(data[place.start() :], 1 << 20))
        except zlib.error:
            continue
    return b"".join(found)


@pytest.mark.parametrize(("make", "places"), [(jpeg, 6), (png, 7), (webp, 5), (trailing, 1)])
def test_no_canary_reaches_the_reference(
    decoder: Decoder, portrait: Image.Image, make: Callable[[Image.Image], bytes], places: int
) -> None:
    data = make(portrait)
    # The control: every place that was written does hold the canary before.
    assert inflated(data).count(CANARY) >= places
    rebuilt = images.rebuild(decoder.decode(data))
    for clean in (
        images.encode_reference(rebuilt),
        images.encode_portrait(rebuilt, "PNG"),
        images.encode_portrait(rebuilt, "WEBP"),
        rebuilt.tobytes(),
    ):
        assert CANARY not in inflated(clean)


def test_no_canary_of_a_heic_reaches_the_reference(decoder: Decoder, heic: bytes) -> None:
    assert {b"CANARY-EXIF", b"CANARY-GPS", b"CANARY-XMP"} == {
        c for c in (b"CANARY-EXIF", b"CANARY-GPS", b"CANARY-XMP") if c in heic
    }
    clean = images.encode_reference(images.rebuild(decoder.decode(heic)))
    assert b"CANARY" not in clean


def test_a_reference_has_no_segment_but_those_that_pixels_need(portrait: Image.Image) -> None:
    data, place, kinds = images.encode_reference(portrait), 2, []
    while data[place + 1] != 0xDA:
        kinds.append(data[place + 1])
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    # JFIF's own header, the quantisation and Huffman tables, and the frame.
    assert set(kinds) == {0xE0, 0xDB, 0xC4, 0xC0}


def test_encoding_drops_what_a_picture_in_memory_still_carries(portrait: Image.Image) -> None:
    carried = portrait.copy()
    carried.info.update(comment=CANARY, exif=exif(CANARY, b""), icc_profile=profile(CANARY))
    carried.info["xmp"] = xmp(CANARY)
    for rendition in sizes.renditions(carried, key="test"):
        assert CANARY not in rendition.data
    assert CANARY not in images.encode_reference(carried)
