"""Marking what was made by a machine, so that others can tell. Pure: bytes only."""

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


def mark(jpeg: bytes) -> bytes:
    """The same JPEG with the packet in an APP1 segment, right behind the start marker."""
    if jpeg[:2] != b"\xff\xd8":
        raise ValueError("Only a JPEG can be marked.")
    segment = _NAMESPACE + XMP
    return jpeg[:2] + _APP1 + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:]
