"""A backup is readable to whoever has its key, to nobody else, and never half."""

import stat
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from pyrage import x25519

from deploy.drill import backup, looks
from deploy.stack.supervisor import Stack

WORDS = f"grace{looks.ADDRESSES}"


@pytest.fixture
def databases(stack: Stack) -> Iterator[tuple[str, str]]:
    """Addresses of two databases: one with a row, one empty."""
    names = [f"backup_{uuid.uuid4().hex[:8]}" for _ in range(2)]
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    urls = [urlunsplit(urlsplit(stack.admin_database_url)._replace(path=f"/{n}")) for n in names]
    ask(urls[0], "CREATE TABLE people (said text, secret bytea)")
    ask(urls[0], "INSERT INTO people VALUES (%s, %s)", WORDS, b"\0" * 32)
    yield urls[0], urls[1]
    with psycopg.connect(stack.admin_database_url, autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def ask(url: str, query: str, *values: Any) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


def test_it_is_encrypted_and_comes_back_whole(
    databases: tuple[str, str], identity: x25519.Identity, tmp_path: Path
) -> None:
    before, after = databases
    file = tmp_path / "backup.age"
    size = backup.take(before, file, identity.to_public())
    body = file.read_bytes()
    assert size == len(body)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert body.startswith(b"age-encryption.org/v1\n"), "what the program age reads"
    assert b"grace" not in body
    assert WORDS.encode() in b"".join(backup.text(file, identity)), "the control"
    backup.restore(after, file, identity)
    assert ask(after, "SELECT said FROM people") == [(WORDS,)]


@pytest.mark.parametrize("sort", ["fleet", "root"])
def test_a_key_that_somebody_put_into_the_database_is_found_in_its_backup(
    sort: str, databases: tuple[str, str], identity: x25519.Identity, tmp_path: Path
) -> None:
    key = tmp_path / sort / "2026-11-22.key"
    key.parent.mkdir()
    key.write_bytes(bytes(range(100, 132)))
    file = tmp_path / "backup.age"
    backup.take(databases[0], file, identity.to_public())
    assert seen(file, identity, tmp_path) == {
        "backup.control": True, "backup.no_keys": True, "backup.encrypted": True,
    }  # fmt: skip
    file.unlink()
    ask(databases[0], "UPDATE people SET secret = %s", key.read_bytes())
    backup.take(databases[0], file, identity.to_public())
    assert seen(file, identity, tmp_path)["backup.no_keys"] is False


def seen(file: Path, identity: x25519.Identity, keys: Path) -> dict[str, bool]:
    return {one.name: one.holds for one in looks.into_backup(file, identity, keys)}


def test_without_keys_to_look_for_nothing_is_shown(
    databases: tuple[str, str], identity: x25519.Identity, tmp_path: Path
) -> None:
    file = tmp_path / "backup.age"
    backup.take(databases[0], file, identity.to_public())
    assert seen(file, identity, tmp_path)["backup.no_keys"] is False


@pytest.mark.parametrize("harm", ["torn", "changed", "another key"])
def test_a_backup_that_cannot_be_read_changes_nothing(
    harm: str, databases: tuple[str, str], identity: x25519.Identity, tmp_path: Path
) -> None:
    before, after = databases
    ask(before, "INSERT INTO people SELECT md5(n::text), NULL FROM generate_series(1, 9999) AS n")
    file = tmp_path / "backup.age"
    backup.take(before, file, identity.to_public())
    body = bytearray(file.read_bytes())
    if harm == "torn":
        del body[-4000:]
    elif harm == "changed":
        body[-4000] ^= 1
    file.write_bytes(body)
    key = x25519.Identity.generate() if harm == "another key" else identity
    ask(after, "CREATE TABLE kept (id int)")
    with pytest.raises(backup.BackupFailed):
        backup.restore(after, file, key)
    assert ask(after, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("kept",)]


def test_a_dump_that_fails_leaves_no_file(
    databases: tuple[str, str], identity: x25519.Identity, tmp_path: Path
) -> None:
    file = tmp_path / "backup.age"
    nowhere = urlunsplit(urlsplit(databases[0])._replace(path="/there_is_none"))
    with pytest.raises(backup.BackupFailed, match="pg_dump ended with 1"):
        backup.take(nowhere, file, identity.to_public())
    assert not file.exists()


def test_a_disk_that_is_full_is_no_backup(
    databases: tuple[str, str],
    identity: x25519.Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "_private", lambda file: FileIO("/dev/full", "w"))
    with pytest.raises(backup.BackupFailed, match="could not be written"):
        backup.take(databases[0], tmp_path / "backup.age", identity.to_public())


def test_no_password_stands_on_a_command_line() -> None:
    url = "postgresql://grace:secret@127.0.0.1:5432/sitter?sslmode=verify-full"
    env = backup._environment(url)
    assert (env["PGPASSWORD"], env["PGDATABASE"]) == ("secret", "sitter")
    assert env["PGSSLMODE"] == "verify-full"
    assert not any("secret" in part for part in (*backup.DUMP, *backup.RESTORE))
