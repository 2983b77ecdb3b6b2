"""Content credentials (C2PA): who says that a picture was made by a machine, signed into its file.

It owns the manifest and the signer; it is the one door to the C2PA library. A manifest says what
made the picture: this software, the engine, the hash of its weights. It names nobody, holds no
thumbnail and no ingredient, least of all a selfie, and its ids are random. Without keys nothing is
signed; the settings check refuses that in production unless it was said out loud (SITTER_C2PA=off).
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import c2pa

from portraits.provenance import SOURCE_TYPE

CHAIN: Final = "chain.pem"
KEY: Final = "key.pem"
ENGINE: Final = "app.sitter.engine"
# A thumbnail would be a second copy of the face; and what was just signed is not read once more.
_SETTINGS: Final = {
    "version": 1,
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False, "verify_after_reading": False},
}
# Signs the bytes that it is given: ECDSA with SHA-256.
Sign = Callable[[bytes], bytes]


class Unsigned(Exception):
    """The library or the key refused; the message names neither a file nor a person."""


class Signer:
    """Signs pictures with one certificate; any number of threads may ask it at once."""

    def __init__(
        self, keys: Path, *, version: str, sign: Sign | None = None, timestamps: str | None = None
    ) -> None:
        """`sign`: the key lies elsewhere; else it is `key.pem` beside the chain."""
        self._context = (
            c2pa.Context.builder().with_settings(c2pa.Settings.from_dict(_SETTINGS)).build()
        )
        self._version = version
        chain = (keys / CHAIN).read_text("ascii")
        if sign is not None:
            es256 = c2pa.C2paSigningAlg.ES256
            self._signer = c2pa.Signer.from_callback(sign, es256, chain, timestamps)
        else:
            secret = (keys / KEY).read_bytes()
            info = c2pa.C2paSignerInfo("es256", chain.encode(), secret, timestamps)
            self._signer = c2pa.Signer.from_info(info)

    def sign(self, picture: bytes, media_type: str, *, engine: str, weights_sha256: str) -> bytes:
        """The same file with a manifest of its own. Raises Unsigned."""
        said = json.dumps(self._manifest(engine, weights_sha256))
        signed = io.BytesIO()
        try:
            with c2pa.Builder.from_json(said, self._context) as builder:
                builder.sign(self._signer, media_type, io.BytesIO(picture), signed)
        except c2pa.C2paError as error:
            raise Unsigned(type(error).__name__) from error
        return signed.getvalue()

    def _manifest(self, engine: str, weights_sha256: str) -> dict[str, Any]:
        agent = {"name": "Sitter", "version": self._version}
        created = {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPE,
            "softwareAgent": agent,
        }
        made_by = {"engine": engine, "weights_sha256": weights_sha256}
        return {
            "claim_generator_info": [agent],
            "title": "Portrait",
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": ENGINE, "data": made_by},
            ],
        }
