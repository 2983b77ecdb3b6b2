"""A person at a client: signs up, consents, sends photos, asks for portraits, leaves.

Everything goes over HTTP, as from an app. What the API does not tell (the object prefix, the sealed
halves) is read from the live database by `Behind`, with the login that owns the tables.
"""

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg

from deploy.demo.views import five_views
from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.keyfiles import KeyFolder
from privacy.retention import Kind

STYLE = "passthrough"
JPEG = "image/jpeg"


def say(text: str) -> None:
    """A measured number, for whoever runs the tests with -s."""
    sys.stdout.write(f"\n  {text}\n")


@lru_cache
def views() -> dict[str, bytes]:
    """Five good photos, one a slot."""
    return five_views(ROOT / "deploy" / "demo" / "photo.jpg")


def wait(what: str, ask: Callable[[], Any], *, seconds: float = 30.0, every: float = 0.05) -> Any:
    """Ask until the answer is true; returns it, or fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(every)


@dataclass
class Person:
    """One account and its session."""

    base: str
    email: str = field(default_factory=lambda: f"p{uuid.uuid4().hex[:16]}@example.org")
    password: str = field(default_factory=lambda: f"Pw-{uuid.uuid4().hex}")
    typed_name: str = "Grace Test"
    http: httpx.Client = field(init=False)
    id: uuid.UUID = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, timeout=60)
        body = {"email": self.email, "password": self.password}
        made = self.ok(
            self.http.post(
                "/auth/app/v1/auth/signup", json={**body, "region": "eu_uk", "is_adult": True}
            )
        )
        self.http.headers["X-Session-Token"] = made["meta"]["session_token"]
        self.id = uuid.UUID(made["data"]["user"]["id"])
        self.consent()

    def close(self) -> None:
        self.http.close()

    @staticmethod
    def ok(answer: httpx.Response) -> Any:
        """The JSON of an answer that is no refusal."""
        assert answer.is_success, f"{answer.request.url.path} {answer.status_code} {answer.text}"
        return answer.json()

    def consent(self) -> None:
        """Sign the newest text."""
        texts = self.ok(self.http.get("/v1/consents/documents?language=en"))
        body = {"document": texts[0]["id"], "typed_name": self.typed_name, "agree": True}
        self.ok(self.http.post("/v1/consents", json=body))

    def new_set(self, *, keep: bool = True) -> str:
        return str(self.ok(self.http.post("/v1/reference-sets", json={"keep": keep}))["id"])

    def put(self, set_id: str, slot: str, photo: bytes, media: str = JPEG) -> httpx.Response:
        path = f"/v1/reference-sets/{set_id}/photos/{slot}"
        return self.http.put(path, content=photo, headers={"Content-Type": media})

    def photo_state(self, set_id: str, slot: str = "front") -> str:
        found = self.ok(self.http.get(f"/v1/reference-sets/{set_id}"))
        return next((str(p["state"]) for p in found["photos"] if p["slot"] == slot), "none")

    def accepted(self, set_id: str, slot: str = "front", seconds: float = 40.0) -> None:
        """Wait until the intake has said yes; a refusal fails at once."""

        def look() -> bool:
            state = self.photo_state(set_id, slot)
            assert state in ("checking", "accepted"), state
            return state == "accepted"

        wait(f"photo {slot} accepted", look, seconds=seconds, every=0.1)

    def ready_set(self, slot: str = "front", *, keep: bool = True) -> str:
        """A set with one photo that is accepted."""
        set_id = self.new_set(keep=keep)
        assert self.put(set_id, slot, views()[slot]).status_code in (200, 202)
        self.accepted(set_id, slot)
        return set_id

    def submit(self, set_id: str, items: int = 1) -> str:
        body = {"reference_set": set_id, "items": [{"style": STYLE}] * items}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return str(self.ok(self.http.post("/v1/jobs", json=body, headers=headers))["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ok(self.http.get(f"/v1/jobs/{job_id}"))
        return found

    def painting(self, job_id: str, *, seconds: float = 40.0) -> None:
        """Wait until a worker has begun to paint an item of the job."""

        def look() -> bool:
            return any(item["phase"] == "painting" for item in self.job(job_id)["items"])

        wait("an item is being painted", look, seconds=seconds)

    def ended(self, job_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the end of a job and return it."""

        def look() -> dict[str, Any] | None:
            found = self.job(job_id)
            return None if found["state"] in ("queued", "running") else found

        found: dict[str, Any] = wait("the job ends", look, seconds=seconds)
        return found

    def portraits(self) -> list[dict[str, Any]]:
        page = self.ok(self.http.get("/v1/portraits?page_size=200"))
        return list(page["results"])

    def confirm(self) -> None:
        """Type the password again, which leaving requires."""
        body = {"password": self.password}
        self.ok(self.http.post("/auth/app/v1/auth/reauthenticate", json=body))

    def erase(self) -> str:
        """Leave; `confirm` comes before."""
        return str(self.ok(self.http.post("/v1/me/erasure"))["id"])

    def receipt(self, erasure_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the erasure is proved; no account is needed to ask."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ok(self.http.get(f"/v1/erasures/{erasure_id}"))
            return found if found["stage"] == "proved" else None

        found: dict[str, Any] = wait("the erasure is proved", look, seconds=seconds)
        return found


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
        assert row.enc is not None
        body = self.body(row.name)
        context = Context(row.kind, row.recipient, owner, row.id)
        return crypto.unseal(crypto.stored(row.enc, body), seed, context).reveal()

    def s3(self) -> Any:
        env = self.stack.env(Role.WEB)
        return boto3.client(
            "s3",
            endpoint_url=env["SITTER_S3_ENDPOINT_URL"],
            aws_access_key_id=env["SITTER_S3_ACCESS_KEY"],
            aws_secret_access_key=env["SITTER_S3_SECRET_KEY"],
            region_name=env["SITTER_S3_REGION"],
        )

    @property
    def bucket(self) -> str:
        return self.stack.env(Role.WEB)["SITTER_S3_BUCKET"]

    def names(self, prefix: str = "") -> list[str]:
        pages = self.s3().get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in found for item in page.get("Contents", [])]

    def names_of(self, prefix: str) -> list[str]:
        """Every object under one person's prefix, of any kind."""
        return [name for name in self.names() if f"/{prefix}/" in name]

    def body(self, name: str) -> bytes:
        answer = self.s3().get_object(Bucket=self.bucket, Key=name)
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


def record_of(path: Path) -> str:
    """A log's text; nothing where it was never written."""
    return path.read_text("utf-8", "replace") if path.exists() else ""
