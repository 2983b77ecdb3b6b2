"""Marking what was made by a machine, so that others can tell. Pure: bytes only."""

import zlib
from typing import Final

# IPTC's vocabulary for pictures made by a trained model (EU AI Act, art. 50(2)). It says what the
# picture is, and nothing about whom it shows, who asked for it, or how.
SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
    "</rdf:RDF></x:xmpmeta>"
    '<?xpacket end="r"?>'
).encode()
_APP1 = b"\xff\xe1"
_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\x00"
_PNG = b"\x89PNG\r\n\x1a\n"
# A signature, and the chunk that every PNG begins with: length, name, 13 bytes, checksum.
_PNG_HEAD = len(_PNG) + 4 + 4 + 13 + 4
# Keyword, not compressed, no language, no translated keyword.
_PNG_TEXT = b"iTXt" + b"XML:com.adobe.xmp" + bytes(5) + XMP


def mark(picture: bytes) -> bytes:
    """The same JPEG or PNG with the packet right behind its beginning.

    A WebP or an AVIF is given the packet by its encoder, and refused if it came without.
    """
    if picture[:2] == b"\xff\xd8":
        segment = _NAMESPACE + XMP
        marked = _APP1 + (len(segment) + 2).to_bytes(2, "big") + segment
        return picture[:2] + marked + picture[2:]
    if picture[: len(_PNG)] == _PNG:
        length = (len(_PNG_TEXT) - 4).to_bytes(4, "big")
        marked = length + _PNG_TEXT + zlib.crc32(_PNG_TEXT).to_bytes(4, "big")
        return picture[:_PNG_HEAD] + marked + picture[_PNG_HEAD:]
    if XMP in picture:
        return picture
    raise ValueError("Only a JPEG or a PNG can be marked behind its encoder.")
