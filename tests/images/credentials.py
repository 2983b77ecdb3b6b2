"""Reads content credentials (C2PA) without the library that wrote them.

Written from the specifications of JUMBF, COSE and C2PA, on top of a CBOR reader and a cipher
library alone. It raises where anything does not hold: a signature, a chain, an assertion's hash, or
the hash over the file itself.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ES256, X5CHAIN = -7, 33
SUPERBOX, DESCRIPTION = b"jumb", b"jumd"


@dataclass(frozen=True)
class Box:
    """One labelled box: what a hash over it covers, and what lies in it."""

    label: str
    body: bytes
    content: bytes
    inner: tuple["Box", ...]

    def __getitem__(self, label: str) -> "Box":
        return next(box for box in self.inner if box.label == label)


def in_file(data: bytes) -> bytes:
    """The manifest store of a JPEG, a PNG or a WebP."""
    if data[:2] == b"\xff\xd8":
        return b"".join(_jpeg(data))
    if data[:4] == b"\x89PNG":
        return _chunk(data, 8, b"caBX", big=True)
    return _chunk(data, 12, b"C2PA", big=False)


def _jpeg(data: bytes) -> Iterator[bytes]:
    place, first = 2, True
    while data[place + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        body = data[place + 4 : place + 2 + length]
        if data[place + 1] == 0xEB and body[:2] == b"JP":
            # Behind the first part, each repeats the box's own header.
            yield body[8:] if first else body[16:]
            first = False
        place += 2 + length


def _chunk(data: bytes, place: int, wanted: bytes, *, big: bool) -> bytes:
    while place + 8 <= len(data):
        if big:
            length, name = struct.unpack(">I4s", data[place : place + 8])
        else:
            name, length = struct.unpack("<4sI", data[place : place + 8])
        if name == wanted:
            return data[place + 8 : place + 8 + length]
        place += 8 + length + (4 if big else length % 2)
    raise ValueError("no manifest")


def _parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        yield name, data[place + 8 : place + length]
        place += length


def _box(body: bytes) -> Box:
    parts = list(_parts(body))
    described = parts[0][1]
    assert parts[0][0] == DESCRIPTION
    label = described[17 : described.index(b"\0", 17)].decode()
    inner = tuple(_box(part) for name, part in parts[1:] if name == SUPERBOX)
    content = b"".join(part for name, part in parts[1:] if name in (b"cbor", b"json"))
    return Box(label, body, content, inner)


@dataclass(frozen=True)
class Read:
    """A manifest whose every promise held."""

    label: str
    claim: dict[str, Any]
    assertions: dict[str, Any]
    signer: x509.Certificate
    labels: tuple[str, ...]


def read(data: bytes, root: x509.Certificate) -> Read:
    """Verify everything; `root` is the only certificate that is believed."""
    ((name, body),) = _parts(in_file(data))
    assert name == SUPERBOX
    (manifest,) = _box(body).inner
    claim_box = manifest["c2pa.claim.v2"]
    claim = cbor2.loads(claim_box.content)
    leaf = _signature(manifest["c2pa.signature"].content, claim_box.content, root)
    store = manifest["c2pa.assertions"]
    named = [*claim["created_assertions"], *claim.get("gathered_assertions", [])]
    found = {}
    for entry in named:
        box = store[entry["url"].rpartition("/")[2]]
        if hashlib.sha256(box.body).digest() != entry["hash"]:
            raise ValueError(f"the assertion {box.label} was changed")
        found[box.label] = cbor2.loads(box.content)
    assert set(found) == {box.label for box in store.inner}, "an assertion that nobody signed"
    _binding(found["c2pa.hash.data"], data)
    return Read(manifest.label, claim, found, leaf, tuple(box.label for box in manifest.inner))


def _signature(cose: bytes, claim: bytes, root: x509.Certificate) -> x509.Certificate:
    protected, _, payload, signature = cbor2.loads(cose).value
    assert payload is None
    headers = cbor2.loads(protected)
    assert headers[1] == ES256
    chain = headers[X5CHAIN]
    leaf = x509.load_der_x509_certificate(chain[0] if isinstance(chain, list) else chain)
    leaf.verify_directly_issued_by(root)
    signed = cbor2.dumps(["Signature1", protected, b"", claim])
    half = len(signature) // 2
    parts = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(*parts), signed, ec.ECDSA(hashes.SHA256()))
    return leaf


def _binding(said: dict[str, Any], data: bytes) -> None:
    whole, place = hashlib.sha256(), 0
    for hole in said["exclusions"]:
        whole.update(data[place : hole["start"]])
        place = hole["start"] + hole["length"]
    whole.update(data[place:])
    if whole.digest() != said["hash"]:
        raise ValueError("the picture was changed")
