"""Bringing the database to the code's state: `migrate`, then `grants`, both as the migrator.

Both cost a Django start each, so a stamp in the database itself says when nothing has changed. The
stamp covers our code, the installed versions and the migrations that the database records; it
lives in the database's comment, so a database that was dropped or restored never carries a stamp
that it does not deserve.
"""

import hashlib
import sysconfig
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.env import ROOT
from deploy.stack.logins import DATABASE

ROOMS = ("accounts", "privacy", "portraits", "workers", "deploy")
NOT_SCHEMA = ROOT / "deploy" / "stack"
APPLIED = "SELECT string_agg(app || '.' || name, ' ' ORDER BY app, name) FROM django_migrations"


def current(database_url: str) -> bool:
    """Whether the database is stamped with the code that runs here."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        return _read(connection) == _stamp(connection)


def stamp(database_url: str) -> None:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(comment.format(sql.Identifier(DATABASE), _stamp(connection)))


def _read(connection: psycopg.Connection[tuple[object, ...]]) -> object:
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        [DATABASE],
    ).fetchone()
    return row and row[0]


def _stamp(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    digest.update(" ".join(sorted(package.name for package in packages)).encode())
    row = connection.execute("SELECT to_regclass('public.django_migrations')").fetchone()
    if row and row[0]:
        row = connection.execute(APPLIED).fetchone()
        digest.update(str(row and row[0]).encode())
    return f"sitter stack {digest.hexdigest()}"


def _sources() -> list[Path]:
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in files if NOT_SCHEMA not in path.parents)
