"""I-03: what a file says beside its pixels, in each format that phones make, reaches no copy.

Eleven places of a file can hold a text or a second picture; each format has those that it has. A
format that is not taken leaves no copy at all, which is its way of losing them.
"""

import io
import struct
from collections.abc import Callable
from typing import Final

import pytest
from PIL import Image

from tests.figures import figure
from tests.images.making import exif, file_of, png_texts, profile, xmp
from tests.images.test_no_metadata_survives import inflated
from workers import images, sizes
from workers.sandbox import Decoder, UnsupportedFormat

CANARY: Final = b"CANARY7f3a"
Make = Callable[[Image.Image], bytes]


def _all(picture: Image.Image, kind: str, **more: object) -> bytes:
    """EXIF text, GPS and thumbnail, profile, XMP, and what is behind the end."""
    thumbnail = file_of(picture.resize((96, 112)), "JPEG", comment=CANARY)
    told = {"exif": exif(CANARY, thumbnail), "icc_profile": profile(CANARY), **more}
    return file_of(picture, kind, **told) + CANARY + b"-TRAILER"


def jpeg(picture: Image.Image) -> bytes:
    return _all(picture, "JPEG", xmp=xmp(CANARY), comment=CANARY + b"-COM")


def png(picture: Image.Image) -> bytes:
    return _all(picture, "PNG", pnginfo=png_texts(CANARY.decode()))


def webp(picture: Image.Image) -> bytes:
    return _all(picture, "WEBP", xmp=xmp(CANARY))


def avif(picture: Image.Image) -> bytes:
    return _all(picture, "AVIF", xmp=xmp(CANARY))


def mpo(picture: Image.Image) -> bytes:
    """A second picture behind the first, which says something too."""
    other = Image.open(io.BytesIO(jpeg(picture.transpose(Image.Transpose.ROTATE_180))))
    return _all(picture, "MPO", save_all=True, append_images=[other], comment=CANARY + b"-COM")


def heic(_: Image.Image) -> bytes:
    """The one that lies here says CANARY in EXIF, GPS and XMP; a box of ours says it once more."""
    from tests.images.conftest import PHOTOS

    found = (PHOTOS / "hopper.heic").read_bytes()
    return found + struct.pack(">I4s", 8 + len(CANARY), b"free") + CANARY


# Format → how to make it, and in how many places it holds the canary at least.
MADE: Final[dict[str, tuple[Make, int]]] = {
    "JPEG": (jpeg, 7),
    "PNG": (png, 7),
    "WebP": (webp, 6),
    "HEIC": (heic, 1),
    "AVIF": (avif, 4),
    "MPO": (mpo, 6),
}


def survivors(decoder: Decoder, data: bytes) -> int:
    """How many copies of what would be stored still hold a canary."""
    rebuilt = images.rebuild(decoder.decode(data))
    copies = [images.encode_reference(rebuilt), rebuilt.tobytes()]
    copies += [images.encode_portrait(rebuilt, kind) for kind in ("JPEG", "PNG", "WEBP")]
    copies += [rendition.data for rendition in sizes.renditions(rebuilt, key="test")]
    return sum(b"CANARY" in inflated(copy) for copy in copies)


def test_no_canary_of_any_format_reaches_a_copy(decoder: Decoder, portrait: Image.Image) -> None:
    found, places, refused = 0, 0, []
    for kind, (make, least) in MADE.items():
        data = make(portrait)
        held = inflated(data).count(CANARY) + data.count(b"CANARY-")
        assert held >= least, f"the control: {kind} holds {held}"
        places += held
        try:
            found += survivors(decoder, data)
        except UnsupportedFormat:
            refused.append(kind)
    figure(
        "I-03",
        value=found,
        n=places,
        holds=not found,
        conditions=f"canaries in {', '.join(MADE)}: texts, EXIF, GPS, thumbnails, profiles, XMP,"
        f" comments, second pictures, trailers; not taken at all: {', '.join(refused)}",
    )
    assert found == 0
    assert refused == ["AVIF"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_copy_that_kept_one_would_be_noticed(portrait: Image.Image, kind: str) -> None:
    careless = portrait.copy()
    stream = io.BytesIO()
    careless.save(stream, kind, icc_profile=profile(CANARY))
    assert CANARY in inflated(stream.getvalue())
