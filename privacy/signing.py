"""Signed statements: receipts, checkpoints, reports. Canonical JSON under Ed25519, by upkeep."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacy import keys
from privacy.models import ReceiptKey


def canonical(statement: dict[str, Any]) -> bytes:
    """The bytes that are signed: JSON, keys sorted, no spaces, UTF-8."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(statement: dict[str, Any]) -> dict[str, Any]:
    """Upkeep: {"statement": … with the key's label, "signature": base64}. Raises KeyNotHeld."""
    label, key = keys.receipt_key()
    whole = {**statement, "key": label}
    signature = key.sign(canonical(whole))
    return {"statement": whole, "signature": base64.b64encode(signature).decode()}


def verified(signed: dict[str, Any]) -> bool:
    """Whether the signature is that of a published key over exactly this statement."""
    row = ReceiptKey.objects.filter(label=str(signed["statement"].get("key", ""))).first()
    if row is None:
        return False
    public = Ed25519PublicKey.from_public_bytes(bytes(row.public))
    text = str(signed["signature"])
    try:
        signature = base64.b64decode(text, validate=True)
        public.verify(signature, canonical(signed["statement"]))
    except (InvalidSignature, ValueError):
        return False
    # The last letter has spare bits: one signature must not have several spellings.
    return base64.b64encode(signature).decode() == text
