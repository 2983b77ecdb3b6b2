"""The bucket: put, get, delete, list. Accepts sealed bodies only, under names nobody can guess."""

import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import storages

from privacy.circuit import Circuit
from privacy.crypto import Sealed
from privacy.errors import BlobGone, StorageDown

DELETE_BATCH = 1000  # S3's own limit for DeleteObjects
circuit: Final = Circuit()
_clients: Final[WeakKeyDictionary[Any, Any]] = WeakKeyDictionary()


def _bucket_storage() -> Any:
    return storages["sealed"]


def _client() -> tuple[Any, str]:
    """(a client, the bucket's name) that every thread of the process shares.

    The storage makes a client a thread, and the web has a new thread for each request: making one
    took longer than reading a portrait. A body goes and comes in one request, through no file.
    """
    store = _bucket_storage()
    if store not in _clients:
        _clients[store] = store.bucket.meta.client
    return _clients[store], store.bucket_name


def warm() -> None:
    """Make the client before it is needed; nothing is sent."""
    _client()


def resting() -> bool:
    """Whether the bucket has failed so often that it is left alone for now.

    Workers ask before they take work that they could only put off.
    """
    return circuit.resting()


@contextmanager
def _answers() -> Iterator[None]:
    """Turn the client library's many errors into the two that callers tell apart."""
    if not circuit.enter():
        raise StorageDown
    try:
        yield
    except FileNotFoundError as error:
        circuit.succeeded()
        raise BlobGone from error
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
            circuit.succeeded()
            raise BlobGone from error
        circuit.failed()
        raise StorageDown from error
    except BotoCoreError as error:
        circuit.failed()
        raise StorageDown from error
    except BaseException:
        # What went wrong was not the bucket, or a listing was not read to its end.
        circuit.left()
        raise
    else:
        circuit.succeeded()


def put(name: str, sealed: Sealed) -> None:
    """Write one body."""
    if not isinstance(sealed, Sealed):
        raise TypeError("Only sealed bodies reach the bucket.")
    client, bucket = _client()
    with _answers():
        client.put_object(Bucket=bucket, Key=name, Body=bytes(sealed.body))


def get(name: str) -> bytes:
    """Read one body whole."""
    client, bucket = _client()
    with _answers(), closing(client.get_object(Bucket=bucket, Key=name)["Body"]) as body:
        return bytes(body.read())


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


def listing(prefix: str) -> Iterator[list[tuple[str, datetime]]]:
    """(name, last written) of every object under a prefix, sorted by name, a page at a time."""
    with _answers():
        for page in _bucket_storage().bucket.objects.filter(Prefix=prefix).pages():
            yield [(item.key, item.last_modified) for item in page]


def exists(name: str) -> bool:
    """Whether there is a body under this name."""
    with _answers():
        return bool(_bucket_storage().exists(name))


# --- All that a bucket may keep: versions, delete markers, unfinished uploads -------------------


@dataclass
class Traces:
    """What a bucket still knows of some names, as (name, id); false when that is nothing."""

    versions: list[tuple[str, str]] = field(default_factory=list)
    markers: list[tuple[str, str]] = field(default_factory=list)
    uploads: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.versions or self.markers or self.uploads)

    def add(self, more: "Traces") -> None:
        """Take in what was found elsewhere."""
        self.versions += more.versions
        self.markers += more.markers
        self.uploads += more.uploads

    def names(self) -> Iterator[str]:
        """Of everything found."""
        yield from (name for name, _ in (*self.versions, *self.markers, *self.uploads))


def traces(prefix: str, among: Collection[str] | None = None) -> Traces:
    """Everything under a prefix, or of certain names under it, whether it can be read or not."""
    found = Traces()

    def pick(rows: list[Any], number: str) -> list[tuple[str, str]]:
        return [(row["Key"], row[number]) for row in rows if among is None or row["Key"] in among]

    with _answers():
        for page in _pages("list_object_versions", prefix):
            found.versions += pick(page.get("Versions", []), "VersionId")
            found.markers += pick(page.get("DeleteMarkers", []), "VersionId")
        for page in _pages("list_multipart_uploads", prefix):
            found.uploads += pick(page.get("Uploads", []), "UploadId")
    return found


def _pages(listing: str, prefix: str) -> Iterator[Any]:
    bucket = _bucket_storage().bucket
    paginator = bucket.meta.client.get_paginator(listing)
    yield from paginator.paginate(Bucket=bucket.name, Prefix=prefix)


def traces_of(names: Iterable[str]) -> Traces:
    """The same for names from anywhere, by one listing a folder."""
    found = Traces()
    for prefix, wanted in _by_folder(names):
        found.add(traces(prefix, wanted))
    return found


def purge(prefix: str) -> Traces:
    """Delete all that is under a prefix; returns what a fresh look still finds there."""
    found = traces(prefix)
    if not found:
        return found
    _purge(found)
    return traces(prefix)


def purge_names(names: Collection[str]) -> Traces:
    """Delete all that the bucket keeps of these names; returns what a fresh look still finds."""
    found = traces_of(names)
    if not found:
        return found
    _purge(found)
    return traces_of(names)


def traces_among(folders: Collection[str], *, versioned: bool) -> Traces:
    """Everything under any of these folders of many people, such as "portrait/0af3…/".

    Where a bucket never kept versions its objects are all that there is. Then one listing a kind
    runs on from each folder to the next: at most the bucket's pages, or one request a folder.
    """
    found = Traces()
    if versioned:
        for folder in folders:
            found.add(traces(folder))
        return found
    for top, wanted in _by_top(folders).items():
        found.versions += [(name, "null") for name in _run_through(top, wanted)]
        with _answers():
            for page in _pages("list_multipart_uploads", top):
                begun = [(row["Key"], row["UploadId"]) for row in page.get("Uploads", [])]
                found.uploads += [row for row in begun if _lies_in(wanted, row[0])]
    return found


def purge_among(folders: Collection[str], *, versioned: bool) -> Traces:
    """Delete all that is under any of these folders; returns what a fresh look still finds."""
    found = traces_among(folders, versioned=versioned)
    if not found:
        return found
    _purge(found)
    return traces_among(folders, versioned=versioned)


def _by_top(folders: Iterable[str]) -> dict[str, list[str]]:
    """The folders of each kind, sorted."""
    tops: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(folders):
        tops[folder.partition("/")[0] + "/"].append(folder)
    return tops


def _run_through(top: str, wanted: Sequence[str]) -> Iterator[str]:
    """The names in these sorted folders; what a page has passed by is not asked for again."""
    bucket, after, place = _bucket_storage().bucket, "", 0
    while place < len(wanted):
        after = max(after, wanted[place])
        with _answers():
            page = bucket.meta.client.list_objects_v2(
                Bucket=bucket.name, Prefix=top, StartAfter=after
            )
        names = [row["Key"] for row in page.get("Contents", [])]
        yield from (name for name in names if _lies_in(wanted, name))
        if not page["IsTruncated"]:
            return
        after = names[-1]
        while place < len(wanted) and wanted[place] < after and not after.startswith(wanted[place]):
            place += 1


def _lies_in(folders: Sequence[str], name: str) -> bool:
    """Whether one of these sorted folders, none of which lies in another, holds it."""
    place = bisect_right(folders, name)
    return place > 0 and name.startswith(folders[place - 1])


def _purge(found: Traces) -> None:
    bucket = _bucket_storage().bucket
    rows = [*found.versions, *found.markers]
    for start in range(0, len(rows), DELETE_BATCH):
        batch = [{"Key": name, "VersionId": number} for name, number in rows[start:][:DELETE_BATCH]]
        with _answers():
            answer = bucket.delete_objects(Delete={"Objects": batch, "Quiet": True})
        if answer.get("Errors"):
            raise StorageDown
    for name, number in found.uploads:
        with _answers(), suppress(bucket.meta.client.exceptions.NoSuchUpload):
            bucket.meta.client.abort_multipart_upload(Bucket=bucket.name, Key=name, UploadId=number)


def _by_folder(names: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    """(the narrowest prefix, names), a folder each."""
    folders: dict[str, set[str]] = defaultdict(set)
    for name in names:
        folders[name.rpartition("/")[0]].add(name)
    for wanted in folders.values():
        # Of S3 any beginning of a name is a prefix, so letters are compared and not folders.
        yield os.path.commonprefix(sorted(wanted)), wanted  # noqa: RUF071


def ready() -> bool:
    """Whether the bucket answers."""
    bucket = _bucket_storage().bucket
    with _answers():
        bucket.meta.client.head_bucket(Bucket=bucket.name)
    return True
