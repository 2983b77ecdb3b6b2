"""Everywhere that bytes can come to rest: bucket, database, WAL, Valkey, logs, files, Flower."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from deploy.env import Role
from deploy.prove.behind import Behind
from deploy.prove.search import Search
from deploy.stack.supervisor import Stack

# The folders of the stack's data, by what lies in them.
SORTS = {
    "postgres": "database",
    "valkey": "valkey",
    "s3": "volumes",
    "logs": "logs",
    "mail": "mail",
}
# Everything that Flower remembers of tasks and workers, as its own tables ask for it.
FLOWER_PAGES = (
    "/tasks/datatable?draw=1&start=0&length=100000&search[value]=&order[0][column]=0"
    "&order[0][dir]=asc&columns[0][data]=name",
    *("/tasks", "/workers", "/workers?json=1"),
)


@dataclass(frozen=True)
class Places:
    """Iterates (sort, name, bytes); the name is fit to be printed, the bytes are not."""

    stack: Stack
    since: float

    def __iter__(self) -> Iterator[tuple[str, str, bytes]]:
        with psycopg.connect(self.stack.admin_database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            [(cluster,)] = connection.execute("SHOW data_directory").fetchall()
        yield from self._bucket()
        yield from self._valkey()
        yield from self._flower()
        own = self.stack.folders.data
        yield from self._files(own)
        if not Path(cluster).is_relative_to(own):
            yield from self._files(Path(cluster), "database")
        for folder in {Path(tempfile.gettempdir()), Path("/tmp"), Path("/dev/shm")}:  # noqa: S108
            if folder.is_dir():
                yield from self._fresh(folder)

    def scan(self, search: Search) -> dict[str, set[str]]:
        """Place → what was found there."""
        found: dict[str, set[str]] = {}
        for sort, name, data in self:
            if seen := search.find(data):
                found.setdefault(f"{sort} {name}", set()).update(seen)
        return found

    def _bucket(self) -> Iterator[tuple[str, str, bytes]]:
        behind = Behind(self.stack)
        for name in behind.names():
            with suppress(behind.s3.exceptions.NoSuchKey):
                yield "bucket", name, behind.body(name)

    def _valkey(self) -> Iterator[tuple[str, str, bytes]]:
        """The values themselves: in its files, Valkey may compress them in a way of its own."""
        with redis.Redis.from_url(self.stack.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
            readers: dict[bytes, Callable[[bytes], Iterable[Any]]] = {
                b"string": lambda key: [broker.get(key)],
                b"list": lambda key: broker.lrange(key, 0, -1),
                b"hash": lambda key: [
                    part for pair in broker.hgetall(key).items() for part in pair
                ],
                b"set": broker.smembers,
                b"zset": lambda key: broker.zrange(key, 0, -1),
                b"stream": lambda key: [repr(broker.xrange(key)).encode()],
                # It expired between the listing and the question.
                b"none": lambda key: [],
            }
            for key in broker.scan_iter():
                values = readers[broker.type(key)](key)
                yield "valkey", repr(key), b"\n".join([key, *(part or b"" for part in values)])

    def _flower(self) -> Iterator[tuple[str, str, bytes]]:
        user, _, password = self.stack.env(Role.FLOWER)["FLOWER_BASIC_AUTH"].partition(":")
        with httpx.Client(base_url=self.stack.urls.flower, auth=(user, password)) as client:
            for path in FLOWER_PAGES:
                answer = client.get(path, timeout=30, follow_redirects=True)
                yield "flower", path, answer.raise_for_status().content

    def _files(self, folder: Path, sort: str | None = None) -> Iterator[tuple[str, str, bytes]]:
        for place, _, files in os.walk(folder):
            for file in files:
                path = (Path(place) / file).relative_to(folder)
                known = sort or SORTS.get(path.parts[0], "files")
                with suppress(FileNotFoundError):
                    if stat.S_ISREG((folder / path).lstat().st_mode):
                        body = (folder / path).read_bytes()
                        yield "wal" if "pg_wal" in path.parts else known, str(path), body

    def _fresh(self, folder: Path) -> Iterator[tuple[str, str, bytes]]:
        """What was written since the beginning, but not by another stack beside this one."""
        for place, folders, files in os.walk(folder):
            # What this user may not enter, no process of this user has written.
            mine = [n for n in folders if os.access(Path(place) / n, os.R_OK | os.X_OK)]
            folders[:] = [n for n in mine if not (Path(place) / n / "credentials.json").exists()]
            for file in files:
                path = Path(place) / file
                with suppress(OSError):
                    known = path.lstat()
                    if stat.S_ISREG(known.st_mode) and known.st_mtime >= self.since:
                        yield "temporary", str(path), path.read_bytes()
