"""Keys under AWS KMS, behind the same verbs as a folder: one object a key, its 32 bytes wrapped.

An address `kms://<bucket>/<prefix>?key=<alias or key id>` names a bucket of its own, which keeps no
versions and which no backup may hold, and the KMS key that wraps. Portrait roots get a KMS key each
(`<alias>-<label>`), so that AWS itself forgets a root that was destroyed. A secret opens only under
its sort and label (the encryption context), so that no object can stand in for another.

Refuses, by name, what is missing, disabled, waiting for its deletion, or not ours to use. A KMS or
a bucket that does not answer is no reason to believe that a key is gone.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages

from privacy.crypto import SEED_BYTES
from privacy.errors import KeyFileRefused, KeysUnavailable

SCHEME: Final = "kms"
# A root is needed at every look at a portrait, and a call to KMS costs 10 ms and counts against a
# quota. A minute spares nearly all of them, and is how long a process goes on with a key that was
# disabled, and how long an opened root lies in its memory.
SECONDS_OPEN: Final = 60.0
# AWS's shortest wait. The object is deleted at once, so nothing opens during it.
DAYS_UNTIL_DELETION: Final = 7
SIGNED_WHOLE: Final = 4096
# What AWS says of a key that is there and may not be used, or that is there no more.
REFUSALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "NoSuchBucket",
        "NotFoundException",
    }
)
_opened: dict[tuple[str, str], bytes] = {}


@dataclass(frozen=True)
class Address:
    """The parts of an address."""

    bucket: str
    prefix: str
    key: str


def parsed(address: str, sort: str) -> Address:
    """Take an address apart; raises KeyFileRefused with its form."""
    parts = urlsplit(address)
    key = parse_qs(parts.query).get("key", [""])[0]
    prefix = parts.path.strip("/")
    if parts.scheme != SCHEME or not (parts.netloc and prefix and key):
        raise KeyFileRefused(
            f"The address of the {sort} keys must be kms://<bucket>/<prefix>?key=<alias or key id>."
        )
    if sort == "root" and not key.startswith("alias/"):
        raise KeyFileRefused(
            "Each portrait root has a KMS key of its own: name an alias for them to begin with, as"
            " in kms://<bucket>/<prefix>?key=alias/sitter-root."
        )
    return Address(parts.netloc, prefix, key)


class KmsKeys:
    """One role's keys of one sort, wrapped by KMS."""

    def __init__(self, address: str, sort: str) -> None:
        self.address = address
        self.sort = sort
        self.place = parsed(address, sort)

    @property
    def held(self) -> bool:
        """An address was given, so the role holds them."""
        return True

    def labels(self) -> list[str]:
        """Every key that lies here, in the order of its label."""
        with self._answers("*"):
            pages = _bucket_client().get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self.place.bucket, Prefix=f"{self.place.prefix}/")
            names = [item["Key"] for page in found for item in page.get("Contents", [])]
        return sorted(
            name.rpartition("/")[2].removesuffix(".key") for name in names if name.endswith(".key")
        )

    def has(self, label: str) -> bool:
        """Whether this key lies here."""
        return self._envelope(label) is not None

    def read(self, label: str) -> bytes:
        """The 32 secret bytes, from memory for a minute after they were opened."""
        known = _opened.get((self.address, label))
        if known is not None:
            return known
        envelope = self._envelope(label)
        if envelope is None:
            raise self._refusal(label, "is missing")
        key, wrapped = envelope
        with self._answers(label):
            answer = _client().decrypt(
                CiphertextBlob=wrapped, KeyId=key, EncryptionContext=self._context(label)
            )
        secret = bytes(answer["Plaintext"])
        if len(secret) != SEED_BYTES:
            raise self._refusal(label, f"has not {SEED_BYTES} bytes")
        self._keep_open(label, secret)
        return secret

    def create(self, label: str, secret: bytes) -> bytes:
        """Wrap and keep a new key, or return the one that somebody else kept first."""
        with self._answers(label):
            key = self._own_key(label) if self.sort == "root" else self.place.key
            answer = _client().encrypt(
                KeyId=key, Plaintext=secret, EncryptionContext=self._context(label)
            )
            # The name of the key that answered, not its alias, which can be moved to another.
            wrapped = base64.b64encode(answer["CiphertextBlob"]).decode()
            body = json.dumps({"version": 1, "key": answer["KeyId"], "wrapped": wrapped})
        try:
            with self._answers(label):
                _bucket_client().put_object(
                    Bucket=self.place.bucket,
                    Key=self._name(label),
                    Body=body.encode(),
                    # Two processes that make the same key: the bucket decides who was first.
                    IfNoneMatch="*",
                )
        except FileExistsError:
            return self.read(label)
        self._keep_open(label, secret)
        return secret

    def remove(self, label: str) -> None:
        """Destroy a key: delete its object, and have KMS forget the key of a root."""
        _opened.pop((self.address, label), None)
        if self.sort == "root":
            self._forget_own_key(label)
        with self._answers(label):
            _bucket_client().delete_object(Bucket=self.place.bucket, Key=self._name(label))

    # --- A root's own KMS key ------------------------------------------------------------------

    def _own_key(self, label: str) -> str:
        """The KMS key of this root. The alias is made once; whoever comes second uses the first."""
        client, alias = _client(), self._alias(label)
        try:
            return str(client.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
        except client.exceptions.NotFoundException:
            made = client.create_key(Description=f"Sitter, portrait root {label}")
            key = str(made["KeyMetadata"]["KeyId"])
        try:
            client.create_alias(AliasName=alias, TargetKeyId=key)
        except client.exceptions.AlreadyExistsException:
            client.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS_UNTIL_DELETION)
            return str(client.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
        return key

    def _forget_own_key(self, label: str) -> None:
        """Schedule the deletion. A key that was scheduled, or is gone, needs nothing more."""
        client, alias = _client(), self._alias(label)
        with self._answers(label), suppress(client.exceptions.NotFoundException):
            key = client.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
            with suppress(client.exceptions.KMSInvalidStateException):
                client.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS_UNTIL_DELETION)
            client.delete_alias(AliasName=alias)

    def _alias(self, label: str) -> str:
        return f"{self.place.key}-{label}"

    # --- Objects -------------------------------------------------------------------------------

    def _name(self, label: str) -> str:
        return f"{self.place.prefix}/{label}.key"

    def _context(self, label: str) -> dict[str, str]:
        return {"sitter": self.sort, "label": label}

    def _envelope(self, label: str) -> tuple[str, bytes] | None:
        """(the KMS key that wraps it, the wrapped secret); None where no object is."""
        try:
            with self._answers(label):
                answer = _bucket_client().get_object(
                    Bucket=self.place.bucket, Key=self._name(label)
                )
                body = answer["Body"].read()
        except FileNotFoundError:
            return None
        try:
            told = json.loads(body)
            return str(told["key"]), base64.b64decode(told["wrapped"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise self._refusal(label, "is damaged") from error

    def _keep_open(self, label: str, secret: bytes) -> None:
        _opened[self.address, label] = secret
        # A timer of its own, because a process that goes idle would hold the secret for ever.
        timer = threading.Timer(SECONDS_OPEN, _opened.pop, ((self.address, label), None))
        timer.daemon = True
        timer.start()

    def _refusal(self, label: str, what: str) -> KeyFileRefused:
        place = f"{SCHEME}://{self.place.bucket}/{self._name(label)}"
        return KeyFileRefused(f"The {self.sort} key {label} ({place}) {what}.")

    @contextmanager
    def _answers(self, label: str) -> Iterator[None]:
        """Tell what is missing, what may not be used and what does not answer apart."""
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in ("NoSuchKey", "404"):
                raise FileNotFoundError from error
            if code in ("PreconditionFailed", "412"):
                raise FileExistsError from error
            if code in REFUSALS:
                raise self._refusal(label, f"cannot be used: AWS says {code}") from error
            raise KeysUnavailable from error
        except BotoCoreError as error:
            raise KeysUnavailable from error


def sign(key: str, data: bytes) -> bytes:
    """GPU: ECDSA over SHA-256 by a KMS key, for content credentials. Raises KeysUnavailable."""
    # KMS hashes up to so many bytes itself; a long chain of certificates makes more of them.
    short = len(data) <= SIGNED_WHOLE
    message = data if short else hashlib.sha256(data).digest()
    try:
        answer = _client().sign(
            KeyId=key,
            Message=message,
            MessageType="RAW" if short else "DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
    except (BotoCoreError, ClientError) as error:
        raise KeysUnavailable from error
    return bytes(answer["Signature"])


@lru_cache
def _connected(endpoint: str | None, region: str) -> Any:
    # A request waits for this: give up soon, the client is told to come again.
    quick = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client("kms", endpoint_url=endpoint, region_name=region, config=quick)


def _client() -> Any:
    return _connected(settings.KMS_ENDPOINT_URL, settings.S3_REGION)


def _bucket_client() -> Any:
    """The same server and identity as the bucket of bodies; the bucket is another."""
    return storages["sealed"].bucket.meta.client  # type: ignore[attr-defined]
