"""An example of every request and answer, made from its schema, with the values of one person.

Owns what an example looks like. An example of a request names the required fields, or what stands
in REQUESTS; one of an answer names them all. The tests hold every one against its schema.
"""

from typing import Any, Final

ID: Final = "0199f0a4-5b3c-7d2e-8f10-2a3b4c5d6e7f"
SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FORMATS: Final[dict[str, str]] = {
    "uuid": ID,
    "date-time": "2026-03-01T12:00:00Z",
    "date": "2026-03-01",
    "email": "grace@example.org",
    "uri": "https://example.org/v1/jobs?cursor=cD0yMDI2",
    "binary": "",
}
# Values by the name of their field, where its type alone says too little.
NAMED: Final[dict[str, Any]] = {
    "agree": True,
    "archive": f"/v1/jobs/{ID}/archive",
    "cancel": f"/v1/jobs/{ID}/cancel",
    "client": "ios/1.4.2",
    "authorization_code": "c1a2f3b4.0.mrsz.Yx7Qe",
    "code": None,
    "creation_options": {"publicKey": {"challenge": "Yk1x", "rp": {"id": "example.org"}}},
    "credential": {"id": "bXk", "type": "public-key", "response": {"clientDataJSON": "e30"}},
    "id_token": "eyJraWQiOiJhIn0.eyJzdWIiOiIwMDEifQ.c2ln",
    "nonce": "a1b2c3d4e5f6",
    "request_options": {"publicKey": {"challenge": "Yk1x", "rpId": "example.org"}},
    "secret": "JBSWY3DPEHPK3PXP",
    "totp_url": "otpauth://totp/grace%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Sitter",
    "uid": SHA256,
    "current_password": "a long and rare passphrase",
    "detail": None,
    "display": "grace@example.org",
    "document_sha256": SHA256,
    "events": f"/v1/jobs/{ID}/events",
    "hint": None,
    "key": "K7QX2M",
    "language": "en",
    "image": f"/v1/portraits/{ID}/image",
    "media_type": "image/jpeg",
    "name": "full",
    "new_password": "another long passphrase",
    "notice": None,
    "password": "a long and rare passphrase",
    "purpose": "portrait-generation",
    "receipt": None,
    "region": "eu_uk",
    "self": f"/v1/jobs/{ID}",
    "session_token": "q2k3v9c5m1x8z7w4n6b0p2r5t8y1u3i7",
    "sha256": SHA256,
    "signature": "3045" + 30 * "a1",
    "statement": {"portrait": ID, "engine": "pocket", "style": "studio"},
    "status": 200,
    "style": "studio",
    "typed_name": "Grace Hopper",
    "url": "/v1/shared/6f1c0d5c2b7e4e0a",
    "words": "My face is in an advertisement that I know nothing of.",
}
REQUESTS: Final[dict[str, dict[str, Any]]] = {
    "signInWithProvider": {
        "provider": "apple",
        "id_token": NAMED["id_token"],
        "nonce": NAMED["nonce"],
        "authorization_code": NAMED["authorization_code"],
        "region": "eu_uk",
        "is_adult": True,
    },
    "verifyCodeStep": {"code": "123456"},
    "reauthenticateWithCode": {"code": "123456"},
    "createTotp": {"code": "123456"},
    "createJob": {"reference_set": ID, "items": [{"style": "studio", "format": "jpeg"}]},
    "createPortraitLink": {"size": "preview"},
    "createReferenceSet": {"keep_hours": 48},
    "eraseMe": {"scope": "account"},
    "grantConsent": {
        "document": ID,
        "typed_name": "Grace Hopper",
        "agree": True,
        "client": "ios/1.4.2",
    },
    "updatePortrait": {"expires_at": FORMATS["date-time"]},
    "withdrawConsent": {"purpose": "portrait-generation", "portraits": "keep"},
}
# By the name of a schema, where a field of the same name means another thing elsewhere.
SHAPED: Final[dict[str, dict[str, str]]] = {
    "PortraitLinks": {
        "self": f"/v1/portraits/{ID}",
        **{name: f"/v1/portraits/{ID}/{name}" for name in ("image", "link", "receipt", "report")},
        "job": f"/v1/jobs/{ID}",
    },
}
# Deeper than any answer of ours, and short of a schema that contains itself.
DEEPEST: Final = 12


def of(schema: Any, schemas: Any, *, whole: bool = True, name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows; without `whole`, an object has its required fields only."""
    if "$ref" in schema:
        called = schema["$ref"].rsplit("/", 1)[1]
        if called in SHAPED:
            return SHAPED[called]
        schema = schemas[called]
    if depth > DEEPEST:
        return None
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return of(schema[several][0], schemas, whole=whole, name=name, depth=depth + 1)
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if name in NAMED and _fits(NAMED[name], kinds):
        return NAMED[name]
    if kind == "array":
        return [of(schema["items"], schemas, whole=whole, depth=depth + 1)] * _least(schema)
    if kind == "object":
        wanted = schema.get("properties", {})
        required = schema.get("required", [])
        return {
            field: of(inner, schemas, whole=whole, name=field, depth=depth + 1)
            for field, inner in wanted.items()
            if whole or field in required
        }
    return _plain(kind, schema, name)


def _least(schema: Any) -> int:
    return max(1, int(schema.get("minItems", 1)))


def _plain(kind: str, schema: Any, name: str) -> Any:
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), name or "studio")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return kind == "boolean" or None


def _fits(value: Any, kinds: str | list[str]) -> bool:
    """Whether a value by name is of a type that this field takes."""
    allowed = [kinds] if isinstance(kinds, str) else kinds
    of_type = {str: "string", bool: "boolean", int: "integer", dict: "object", type(None): "null"}
    return of_type[type(value)] in allowed
