"""python verify_receipt.py receipt.json sitter-keys.json (after pip install cryptography)
The first is of GET /v1/erasures/<id> or /v1/portraits/<id>/receipt, the second of /.well-known."""

import base64
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(receipt: str, keys: str) -> dict[str, str]:
    signed, published = json.loads(receipt), json.loads(keys)["ed25519"]
    statement, signature = signed["statement"], base64.b64decode(signed["signature"], validate=True)
    if base64.b64encode(signature).decode() != signed["signature"]:
        raise ValueError("The signature is not written as it was issued.")
    said = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(published[statement["key"]]))
    key.verify(signature, said.encode())
    return dict(statement)


if __name__ == "__main__":
    try:
        found = verify(*(Path(name).read_text("utf-8") for name in sys.argv[1:3]))
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        sys.exit(f"NOT GENUINE: no published key has signed this ({type(error).__name__}).")
    said = "{scope} erased, proved at {proved_at}." if "scope" in found else "portrait by {engine}."
    print("Genuine:", said.format(**found))  # noqa: T201
