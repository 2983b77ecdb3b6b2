"""For whoever receives what a legal order hands out (pip install cryptography):

python open_package.py new recipient.seed recipient.pub      keep the first, send the second
python open_package.py open recipient.seed package package.zip
"""

import hashlib
import os
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
MAGIC, KIND, OUTSIDE = b"sitter/legal/v1\n", 15, 6


def halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey, bytes]:
    """Both private keys of a seed, and the public half."""
    wide = hashlib.shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(wide[:64])
    x25519 = X25519PrivateKey.from_private_bytes(wide[64:])
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return mlkem, x25519, public


def opened(package: bytes, seed: bytes) -> bytes:
    """The ZIP. The header is bound to it: a package of another order does not pass for this one."""
    mlkem, x25519, public = halves(seed)
    order, about, sealed = package[16:32], package[32:48], package[48:]
    if package[:16] != MAGIC or sealed[:1] != b"\x01":
        raise ValueError("This is no package.")
    context = b"sitter/seal/v1" + bytes([KIND, OUTSIDE]) + about + order
    info = context + hashlib.sha256(public).digest() + bytes(32)
    return SUITE.decrypt(sealed[1:], MLKEM768X25519PrivateKey(mlkem, x25519), info=info)


if __name__ == "__main__":
    doing, seed_file, *others = sys.argv[1:] or sys.exit(__doc__)
    if doing == "new":
        secret = os.urandom(32)
        with os.fdopen(os.open(seed_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(secret)
        Path(others[0]).write_text(halves(secret)[2].hex() + "\n")
    else:
        try:
            found = opened(Path(others[0]).read_bytes(), Path(seed_file).read_bytes())
        except (InvalidTag, ValueError):
            sys.exit("This key does not open it, or it was changed on the way.")
        Path(others[1]).write_bytes(found)
