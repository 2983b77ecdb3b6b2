"""The bucket: put, get, delete, list. Accepts sealed bodies only, under names nobody can guess."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from privacy.crypto import Sealed
from privacy.errors import BlobGone, StorageDown

DELETE_BATCH = 1000  # S3's own limit for DeleteObjects


def _bucket_storage() -> Any:
    return storages["sealed"]


@contextmanager
def _answers() -> Iterator[None]:
    """Turn the client library's many errors into the two that callers tell apart."""
    try:
        yield
    except FileNotFoundError as error:
        raise BlobGone from error
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
            raise BlobGone from error
        raise StorageDown from error
    except BotoCoreError as error:
        raise StorageDown from error


def put(name: str, sealed: Sealed) -> None:
    """Write one body."""
    if not isinstance(sealed, Sealed):
        raise TypeError("Only sealed bodies reach the bucket.")
    with _answers():
        _bucket_storage().save(name, ContentFile(bytes(sealed.body)))


def get(name: str) -> bytes:
    """Read one body whole."""
    with _answers(), _bucket_storage().open(name, "rb") as handle:
        return bytes(handle.read())


def delete(names: Iterable[str]) -> None:
    """Delete bodies; one that is gone already is fine."""
    wanted = list(names)
    client = _bucket_storage().bucket
    for start in range(0, len(wanted), DELETE_BATCH):
        batch = wanted[start : start + DELETE_BATCH]
        with _answers():
            answer = client.delete_objects(
                Delete={"Objects": [{"Key": name} for name in batch], "Quiet": True}
            )
        if answer.get("Errors"):
            raise StorageDown


def names(prefix: str) -> list[str]:
    """Every object under a prefix."""
    with _answers():
        return [item.key for item in _bucket_storage().bucket.objects.filter(Prefix=prefix)]


def names_older_than(prefix: str, moment: datetime) -> list[str]:
    """Objects under a prefix that were last written before a moment."""
    with _answers():
        found = _bucket_storage().bucket.objects.filter(Prefix=prefix)
        return [item.key for item in found if item.last_modified < moment]


def uploads(prefix: str) -> list[str]:
    """Multipart uploads that were begun under a prefix and never finished."""
    with _answers():
        found = _bucket_storage().bucket.multipart_uploads.filter(Prefix=prefix)
        return [item.object_key for item in found]


def ready() -> bool:
    """Whether the bucket answers."""
    bucket = _bucket_storage().bucket
    with _answers():
        bucket.meta.client.head_bucket(Bucket=bucket.name)
    return True
