"""The bucket of the erasure ledger: small JSON statements under names that sort by time.

It is a bucket of its own, because a backup of the database or of the bodies that is brought back
must not bring back an older ledger with it. A request waits for it, so it answers soon or not at
all: the storage's timeouts are short and nothing is tried twice.
"""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import storages

from privacy.errors import BlobGone, StorageDown

DELETE_BATCH = 1000  # S3's own limit for DeleteObjects


def _bucket() -> Any:
    return cast(Any, storages["ledger"]).bucket


def put(name: str, statement: dict[str, Any]) -> None:
    """Write one statement; on return it is there. Raises StorageDown."""
    body = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    try:
        _bucket().put_object(Key=name, Body=body, ContentType="application/json")
    except (BotoCoreError, ClientError) as error:
        raise StorageDown from error


def get(name: str) -> dict[str, Any]:
    """One statement. Raises BlobGone where there is none, StorageDown, or ValueError if torn."""
    try:
        body = _bucket().Object(name).get()["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
            raise BlobGone from error
        raise StorageDown from error
    except BotoCoreError as error:
        raise StorageDown from error
    return cast(dict[str, Any], json.loads(body))


def names(prefix: str, *, after: str = "", limit: int | None = None) -> list[str]:
    """Names under a prefix, sorted; those behind `after`, the first `limit` of them."""
    # A page no larger than what is wanted: the server would send a thousand names otherwise.
    found = _bucket().objects.filter(Prefix=prefix, Marker=after)
    if limit is not None:
        found = found.page_size(min(limit, 1000))
    try:
        return sorted(item.key for item in islice(found, limit))
    except (BotoCoreError, ClientError) as error:
        raise StorageDown from error


def delete(names: Iterable[str]) -> None:
    """Delete statements; one that is gone already is fine."""
    wanted = list(names)
    for start in range(0, len(wanted), DELETE_BATCH):
        batch = [{"Key": name} for name in wanted[start : start + DELETE_BATCH]]
        try:
            answer = _bucket().delete_objects(Delete={"Objects": batch, "Quiet": True})
        except (BotoCoreError, ClientError) as error:
            raise StorageDown from error
        if answer.get("Errors"):
            raise StorageDown
