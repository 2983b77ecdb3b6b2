"""The four formats of a full portrait: each decodes, says that a machine made it, and no more."""

import io
import re

import pytest
from PIL import Image

from portraits import provenance
from portraits.formats import ENDINGS, MEDIA_TYPES, Format
from workers import fitness, marking, sizes


def boxed(data: bytes) -> bytes:
    """The XMP packet of a WebP or an AVIF, found by the container and not by Pillow."""
    if data[:4] == b"RIFF":
        place = 12
        while place < len(data):
            length = int.from_bytes(data[place + 4 : place + 8], "little")
            if data[place : place + 4] == b"XMP ":
                return data[place + 8 : place + 8 + length]
            place += 8 + length + length % 2
    # An AVIF declares the packet's type in its item table; the packet itself lies in the data.
    assert b"application/rdf+xml" in data
    found = re.search(rb"<\?xpacket begin.*?<\?xpacket end=\"r\"\?>", data, re.DOTALL)
    assert found is not None
    return found.group()


@pytest.mark.parametrize("form", Format.values)
def test_a_portrait_comes_in_the_format_that_was_asked_for(form: str) -> None:
    full, *small = sizes.renditions(fitness.drawn(), form.upper(), key="test")
    with Image.open(io.BytesIO(full.data)) as picture:
        picture.load()
        assert (picture.format, picture.size) == (form.upper(), (fitness.SIDE, fitness.SIDE))
    assert {size.kind for size in small} == {"JPEG"}
    assert marking.MEDIA_TYPES[full.kind] in MEDIA_TYPES
    assert ENDINGS[marking.MEDIA_TYPES[full.kind]] in (form, "jpg")


@pytest.mark.parametrize("form", Format.values)
def test_it_says_that_a_machine_made_it_in_each_format(form: str) -> None:
    full = sizes.renditions(fitness.drawn(), form.upper(), key="test")[0]
    assert provenance.mark(full.data).count(provenance.SOURCE_TYPE.encode()) == 1


@pytest.mark.parametrize("form", ["webp", "avif"])
def test_the_containers_packet_is_ours_byte_for_byte(form: str) -> None:
    full = sizes.renditions(fitness.drawn(), form.upper(), key="test")[0]
    assert boxed(full.data) == provenance.XMP


def test_a_file_without_a_packet_is_refused() -> None:
    stream = io.BytesIO()
    fitness.drawn().save(stream, "WEBP")
    with pytest.raises(ValueError, match="behind its encoder"):
        provenance.mark(stream.getvalue())
