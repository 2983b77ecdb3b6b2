"""Verifying an erasure's receipt with nothing but the published keys.

A receipt is {statement, signature}. What is signed is the statement as canonical JSON: keys
sorted, no spaces, UTF-8. The signature is Ed25519, by the key that the statement names.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.demo.errors import NotHeld, expect


def canonical(statement: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(message: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def verify(receipt: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Raise NotHeld unless a published key signed exactly this statement."""
    expect(signed(*_parts(receipt, keys)), "The receipt's signature does not fit its statement.")


def names_person(receipt: Mapping[str, Any], account_id: str) -> bool:
    """Whether it is about this account: only who knows the id can tell, so it names nobody."""
    subject = receipt["statement"]["subject"]
    salted = bytes.fromhex(subject["salt"]) + uuid.UUID(account_id).bytes
    return bool(hashlib.sha256(salted).hexdigest() == subject["sha256"])


def refuse_changes(receipt: Mapping[str, Any], keys: Mapping[str, str]) -> int:
    """Change each byte in turn, of statement and signature; how many copies were refused: all."""
    message, signature, key = _parts(receipt, keys)
    tried = 0
    for place, changed in enumerate(_changed(message)):
        expect(not signed(changed, signature, key), f"A changed byte {place} went unnoticed.")
        tried += 1
    for changed in _changed(signature):
        expect(not signed(message, changed, key), "A changed signature was taken for good.")
        tried += 1
    return tried


def _changed(whole: bytes) -> Iterator[bytes]:
    for place in range(len(whole)):
        yield whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


def _parts(
    receipt: Mapping[str, Any], keys: Mapping[str, str]
) -> tuple[bytes, bytes, Ed25519PublicKey]:
    try:
        statement = receipt["statement"]
        signature = base64.b64decode(receipt["signature"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[statement["key"]]))
    except (KeyError, TypeError, ValueError) as error:
        raise NotHeld("The receipt is malformed, or no published key has its label.") from error
    return canonical(statement), signature, key
