"""An OpenID provider of the tests' own: a real server on this machine, keys that turn, and lies."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

APP = "org.example.portraits"
ISSUER = {"apple": "https://appleid.apple.com", "google": "https://accounts.google.com"}
ALGORITHM = {"apple": "RS256", "google": "ES256"}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(algorithm: str) -> Key:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: Key) -> str:
    """As the file that Apple lets an operator download."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class OpenId:
    """Both providers at once, and what they were asked."""

    keys: dict[str, dict[str, Key]] = field(default_factory=dict, repr=False)
    # What is answered next, before all is well again: status, body.
    trouble: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    # Seconds between the bytes of an answer.
    drip: float = 0.0
    port: int = 0

    def __post_init__(self) -> None:
        for provider in ISSUER:
            if provider not in self.keys:
                self.turn(provider)

    @classmethod
    def usual(cls) -> Self:
        """With the keys that each of them begins with; making one of RSA takes a while."""
        return cls({provider: {uuid.uuid4().hex: key} for provider, key in first_keys().items()})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def turn(self, provider: str) -> None:
        """A new key; the old one is not published any more."""
        self.keys[provider] = {uuid.uuid4().hex: new_key(ALGORITHM[provider])}

    def published(self, provider: str) -> Any:
        """The keys as RFC 7517 has them."""
        algorithm = ALGORITHM[provider]
        kind = jwt.algorithms.get_default_algorithms()[algorithm]
        return {
            "keys": [
                {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
                for kid, key in self.keys[provider].items()
            ]
        }

    def token(self, provider: str, subject: str, /, *, header: Any = None, **change: Any) -> str:
        """A good one, but for what is changed; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": ISSUER[provider],
            "aud": APP,
            "sub": subject,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "exp": now + 600,
            "email": f"{subject}@example.org",
            "email_verified": True,
            "name": "Grace Hopper",
            "picture": "https://example.org/grace.jpg",
        }
        kid, key = next(iter(self.keys[provider].items()))
        said = {name: value for name, value in (claims | change).items() if value is not None}
        return jwt.encode(said, key, ALGORITHM[provider], headers={"kid": kid, **(header or {})})

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        if self.trouble:
            return self.trouble.pop(0)
        if path == "/auth/token":
            return 200, json.dumps({"refresh_token": f"refresh of {form['code']}"}).encode()
        if path == "/auth/revoke":
            return 200, b""
        return 200, json.dumps(self.published("apple" if "auth" in path else "google")).encode()


@lru_cache
def first_keys() -> dict[str, Key]:
    """Of the providers that are asked; whoever lies has keys of their own."""
    return {provider: new_key(algorithm) for provider, algorithm in ALGORITHM.items()}


@contextmanager
def serving(provider: OpenId) -> Iterator[OpenId]:
    """Listen while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            read = parse_qs(self.rfile.read(length).decode())
            form = {name: values[0] for name, values in read.items()}
            provider.forms.append((self.path, form))
            self._say(form)

        def _say(self, form: dict[str, str]) -> None:
            provider.asked.append(self.path)
            status, body = provider.answer(self.path, form)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                for at in range(0, len(body), 1 if provider.drip else len(body) or 1):
                    self.wfile.write(body[at : at + (1 if provider.drip else len(body))])
                    time.sleep(provider.drip)
            except OSError:
                pass  # the other side had enough

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.port = server.server_address[1]
    # It looks that often whether it is to end.
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
