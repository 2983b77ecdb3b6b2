"""A look into the bucket from outside, as a thief or a curious operator would have it.

It reads where the bucket is from the stack's state file. It only lists and reads; no other part
of the demo goes past the API.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.demo.errors import DemoError, expect

# A sealed body is so many bytes longer than what it holds: the tag.
SEAL = 16


@dataclass(frozen=True)
class Count:
    """How many objects there are: all, this person's, and theirs by kind."""

    all: int
    person: int
    kinds: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.kinds.items())
        return kinds or "nothing of this person"


class Bucket:
    """The bucket of the stack that this state file describes."""

    def __init__(self, state_file: Path) -> None:
        try:
            state = json.loads(state_file.read_text("utf-8"))
            self._name = state["s3_bucket"]
            access, secret = _login(Path(state["credentials"]))
            self._client = boto3.client(
                "s3",
                endpoint_url=state["s3_endpoint"],
                aws_access_key_id=access,
                aws_secret_access_key=secret,
                region_name=os.environ.get("SITTER_S3_REGION") or "us-east-1",
                config=Config(proxies={}, retries={"total_max_attempts": 3}),
            )
        except (OSError, ValueError, KeyError) as error:
            raise DemoError(f"{state_file} does not say where the bucket is.") from error
        # Objects are named kind/owner/name; which owner is ours, only a comparison shows.
        self._owner: str | None = None

    def sizes(self) -> dict[str, int]:
        """Every object's name and length."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name)
        with _answers():
            return {
                item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])
            }

    def read(self, name: str) -> bytes:
        with _answers():
            return self._client.get_object(Bucket=self._name, Key=name)["Body"].read()

    def recognise(self, before: set[str]) -> None:
        """Learn the person's folder: the only one that appeared since `before` was listed."""
        new = {_owner(name) for name in self.sizes()} - {_owner(name) for name in before}
        expect(
            len(new) == 1,
            f"{len(new)} new owners appeared in the bucket; run the demo on a stack of its own.",
        )
        self._owner = new.pop()

    def mine(self) -> dict[str, int]:
        """This person's objects and their lengths."""
        return {name: size for name, size in self.sizes().items() if self._is_mine(name)}

    def count(self) -> Count:
        names = sorted(self.sizes())
        mine = [name for name in names if self._is_mine(name)]
        kinds = Counter(name.split("/")[0] for name in mine)
        return Count(all=len(names), person=len(mine), kinds=dict(kinds))

    def _is_mine(self, name: str) -> bool:
        return self._owner is not None and _owner(name) == self._owner


def _owner(name: str) -> str:
    return name.partition("/")[2].partition("/")[0]


def _login(credentials: Path) -> tuple[str, str]:
    """Of a bucket that somebody else runs, the environment has the login; else the stack's file."""
    if os.environ.get("SITTER_STACK_S3_ENDPOINT_URL"):
        names = ("SITTER_STACK_S3_ACCESS_KEY", "SITTER_STACK_S3_SECRET_KEY")
        return os.environ[names[0]], os.environ[names[1]]
    known = json.loads(credentials.read_text("utf-8"))
    return known["s3_access_key"], known["s3_secret_key"]


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise DemoError(f"The bucket does not answer ({type(error).__name__}).") from error
