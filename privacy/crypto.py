"""Seal and unseal, as FORMAT.md says. Knows no Django, no disk and no clock."""

import hashlib
import os
import uuid
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from privacy.errors import SealBroken
from privacy.plain import Plain

VERSION: Final = b"\x01"
ENC_BYTES: Final = KEM.MLKEM768_X25519.enc_length()
SEED_BYTES: Final = 32
MLKEM_PUBLIC_BYTES: Final = 1184
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FROM_SEAL: Final = object()
KEYS_KEPT: Final = 64


class Recipient(IntEnum):
    """Whose key a blob is sealed to; the numbers are FORMAT.md's."""

    FLEET = 1
    OWNER = 2
    EVIDENCE = 3
    GRANT = 5
    OUTSIDE = 6


@dataclass(frozen=True)
class Context:
    """Where a ciphertext belongs. All of it is needed to seal and to open; nothing is optional."""

    kind: int
    recipient: Recipient
    owner: uuid.UUID
    blob: uuid.UUID


@dataclass(frozen=True)
class Sealed:
    """A ciphertext in its two halves. Only `seal` and the vault's reader can make one."""

    capsule: bytes
    body: bytes | memoryview
    _made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._made_by is not _FROM_SEAL:
            raise TypeError("Sealed comes from crypto.seal or crypto.stored only.")


def stored(capsule: bytes, body: bytes | memoryview) -> Sealed:
    """The two halves as they were read back from the table and the bucket."""
    return Sealed(capsule, body, _FROM_SEAL)


def new_seed() -> bytes:
    """A fresh private half: 32 random bytes."""
    return os.urandom(SEED_BYTES)


def public_half(seed: bytes) -> bytes:
    """The 1,216 public bytes of a seed."""
    return _public_bytes(*_private_parts(seed))


def fingerprint(public: bytes) -> bytes:
    """SHA-256 of a public half, 32 bytes."""
    return hashlib.sha256(public).digest()


def seal(plain: Plain, public: bytes, context: Context) -> Sealed:
    """Encrypt for one recipient in one place."""
    output = _SUITE.encrypt(plain.reveal(), _public_key(public), info=_info(context, public))
    # A view, not a copy: for a photo of megabytes, copying costs several times the encryption.
    return Sealed(VERSION + output[:ENC_BYTES], memoryview(output)[ENC_BYTES:], _FROM_SEAL)


def unseal(sealed: Sealed, seed: bytes, context: Context) -> Plain:
    """Decrypt; raises SealBroken for a wrong key, place, version, length or bit."""
    version, enc = sealed.capsule[:1], sealed.capsule[1:]
    if version != VERSION or len(enc) != ENC_BYTES:
        raise SealBroken
    mlkem, x25519 = _private_parts(seed)
    info = _info(context, _public_bytes(mlkem, x25519))
    try:
        opened = _SUITE.decrypt(
            b"".join((enc, sealed.body)), MLKEM768X25519PrivateKey(mlkem, x25519), info=info
        )
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
    return Plain(opened)


def wrap(seed: bytes, root: bytes, owner: uuid.UUID) -> bytes:
    """An owner key's seed under a portrait root (AES-256-GCM, random nonce)."""
    nonce = os.urandom(12)
    return nonce + AESGCM(root).encrypt(nonce, seed, b"sitter/owner/v1" + owner.bytes)


def unwrap(wrapped: bytes, root: bytes, owner: uuid.UUID) -> bytes:
    """The seed again; raises SealBroken for another root, another owner or a changed bit."""
    try:
        return AESGCM(root).decrypt(wrapped[:12], wrapped[12:], b"sitter/owner/v1" + owner.bytes)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def _info(context: Context, public: bytes) -> bytes:
    return (
        b"sitter/seal/v1"
        + bytes([context.kind, context.recipient])
        + context.owner.bytes
        + context.blob.bytes
        + fingerprint(public)
        + bytes(32)
    )


def _private_parts(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def _public_bytes(mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> bytes:
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


# Once a large photo has emptied the caches, reading a key takes a fifth of a millisecond, and the
# web seals to the same one all day. A public half opens nothing, so a few may stay.
@lru_cache(KEYS_KEPT)
def _public_key(public: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]),
    )
