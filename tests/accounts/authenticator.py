"""A passkey in software: it answers as a phone's would, and lies where a test asks it to."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

DOMAIN = "sitter.example"
ORIGIN = f"https://{DOMAIN}"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    """Base64url without padding, as WebAuthn's JSON has bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Passkey:
    """One credential, and the person whom its server has named."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: os.urandom(32))
    user: str = ""
    counter: int = 0

    def make(self, options: Any, *, origin: str = ORIGIN, domain: str = DOMAIN) -> Any:
        """The answer to creation options."""
        wanted = options["publicKey"]
        assert wanted["rp"]["id"] == DOMAIN
        self.user = wanted["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        head = self._head(domain, PRESENT | VERIFIED | ATTESTED)
        made = {"fmt": "none", "attStmt": {}, "authData": head + credential}
        return self._answer(
            {
                "clientDataJSON": self._client("create", wanted["challenge"], origin),
                "attestationObject": text(cbor2.dumps(made)),
            }
        )

    def sign(
        self,
        options: Any,
        *,
        origin: str = ORIGIN,
        domain: str = DOMAIN,
        flags: int = PRESENT | VERIFIED,
    ) -> Any:
        """The answer to request options."""
        wanted = options["publicKey"]
        assert wanted["rpId"] == DOMAIN
        head = self._head(domain, flags)
        client = self._client("get", wanted["challenge"], origin)
        digest = hashlib.sha256(data(client)).digest()
        signature = self.key.sign(head + digest, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": text(head),
                "signature": text(signature),
                "userHandle": self.user,
            }
        )

    def _head(self, domain: str, flags: int) -> bytes:
        self.counter += 1
        where = hashlib.sha256(domain.encode()).digest()
        return where + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, verb: str, challenge: str, origin: str) -> str:
        said = {"type": f"webauthn.{verb}", "challenge": challenge, "origin": origin}
        return text(json.dumps(said).encode())

    def _answer(self, response: dict[str, str]) -> Any:
        return {
            "id": text(self.id),
            "rawId": text(self.id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
