"""The same stack from behind: its tables and its bucket, read with the owner's own logins."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
import psycopg

from deploy.env import Role
from deploy.stack.supervisor import Stack
from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.keyfiles import KeyFolder
from privacy.retention import Kind


@cache
def _client(endpoint: str, access: str, secret: str, region: str) -> Any:
    """Kept for as long as this process lives: making one takes longer than a hundred requests."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        region_name=region,
    )


@dataclass(frozen=True)
class SealedRow:
    """One blob as it lies in the database, with its capsule."""

    id: uuid.UUID
    kind: Kind
    state: str
    name: str
    recipient: Recipient
    label: str
    enc: bytes | None


@dataclass(frozen=True)
class Behind:
    """The same stack from behind: its tables and its bucket."""

    stack: Stack

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        url = self.stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def prefix(self, owner: uuid.UUID) -> str:
        query = "SELECT prefix FROM privacy_ownerkey WHERE owner_id = %s"
        return str(self.rows(query, [owner])[0][0])

    def relations(self, files: Sequence[str]) -> set[str]:
        """The tables that PostgreSQL's files belong to; every other file stands for itself."""
        found = set()
        for file in files:
            folder, _, number = file.rpartition("/")
            if folder.endswith("pg_wal"):
                found.add("wal")
                continue
            query = (
                "SELECT coalesce(t.relname, c.relname) FROM pg_class c"
                " LEFT JOIN pg_index i ON i.indexrelid = c.oid"
                " LEFT JOIN pg_class t ON t.oid = i.indrelid"
                " WHERE pg_relation_filenode(c.oid) = %s"
            )
            rows = self.rows(query, [int(number)]) if number.isdigit() else []
            found |= {str(row[0]) for row in rows} or {file}
        return found

    def blobs(self, owner: uuid.UUID, kind: Kind) -> list[SealedRow]:
        found = self.rows(
            "SELECT b.id, b.kind, b.state, b.name, b.recipient, b.recipient_label, c.enc"
            " FROM privacy_blob b LEFT JOIN privacy_capsule c ON c.blob_id = b.id"
            " WHERE b.owner_id = %s AND b.kind = %s ORDER BY b.id",
            [owner, int(kind)],
        )
        return [
            SealedRow(r[0], Kind(r[1]), r[2], r[3], Recipient(r[4]), r[5], r[6] and bytes(r[6]))
            for r in found
        ]

    def stored(self, owner: uuid.UUID, kind: Kind) -> list[SealedRow]:
        return [row for row in self.blobs(owner, kind) if row.state == "stored"]

    def open_with_fleet_key(self, row: SealedRow, owner: uuid.UUID) -> bytes:
        """What the intake would see: the positive control of every scan."""
        seed = KeyFolder(self.stack.folders.keys("fleet"), "fleet").read(row.label)
        if row.enc is None:
            raise ValueError("Its capsule is gone.")
        body = self.body(row.name)
        context = Context(row.kind, row.recipient, owner, row.id)
        return crypto.unseal(crypto.stored(row.enc, body), seed, context).reveal()

    @cached_property
    def s3(self) -> Any:
        """One client for all: a search of every place reads thousands of objects."""
        env = self.stack.env(Role.WEB)
        names = ("ENDPOINT_URL", "ACCESS_KEY", "SECRET_KEY", "REGION")
        return _client(*(env[f"SITTER_S3_{name}"] for name in names))

    @property
    def bucket(self) -> str:
        return self.stack.env(Role.WEB)["SITTER_S3_BUCKET"]

    def names(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in found for item in page.get("Contents", [])]

    def names_of(self, prefix: str) -> list[str]:
        """Every object under one person's prefix, of any kind."""
        return [name for name in self.names() if f"/{prefix}/" in name]

    def body(self, name: str) -> bytes:
        answer = self.s3.get_object(Bucket=self.bucket, Key=name)
        with answer["Body"] as stream:
            return bytes(stream.read())

    def portraits_per_item(self, job_id: str) -> list[int]:
        """How many portraits each item of a job has."""
        found = self.rows(
            "SELECT count(p.id) FROM portraits_item i LEFT JOIN portraits_portrait p"
            " ON p.item_id = i.id WHERE i.job_id = %s GROUP BY i.id",
            [job_id],
        )
        return [int(row[0]) for row in found]

    def bodies_per_sort(self, owner: uuid.UUID) -> dict[str, int]:
        """How many stored blobs of each kind a person has."""
        return {kind.name.lower(): len(self.stored(owner, kind)) for kind in Kind}
