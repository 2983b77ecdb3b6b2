"""A database and a bucket of its own for tests that look at everything that exists.

The unit database is shared by a whole run, so that "nothing else is there" can only be said here.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings
from psycopg import sql

from deploy import grants
from deploy.stack.logins import DATABASE
from deploy.stack.seaweed import ALONE_BUCKETS
from tests.conftest import s3_client

BLANK = "sitter_blank"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Inside, this process works on fresh tables and in two fresh buckets."""
    before = connection.settings_dict["NAME"]
    fresh(name)
    kept = settings.STORAGES
    _empty_buckets()
    work_on(name)
    try:
        with override_settings(STORAGES=_buckets(kept)):
            yield
    finally:
        work_on(before)


def fresh(name: str) -> None:
    """A database of this name, with every table and nothing in them that migrations do not write.

    Each is a copy of one: a hundred migrations take seconds, and a copy a part of one.
    """
    _make(name, sql.SQL(" TEMPLATE {}").format(sql.Identifier(_blank())))


@functools.cache
def _blank() -> str:
    before = connection.settings_dict["NAME"]
    _make(BLANK, sql.SQL(""))
    work_on(BLANK)
    try:
        call_command("migrate", verbosity=0)
    finally:
        work_on(before)
    return BLANK


def _make(name: str, how: sql.Composable) -> None:
    here = urlsplit(os.environ["SITTER_DATABASE_URL"])._replace(path=f"/{DATABASE}")
    with psycopg.connect(urlunsplit(here), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + how)


def superuser(admin_url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A login whom no trigger stops, on the database that this process works on."""
    here = urlsplit(admin_url)._replace(path=f"/{connection.settings_dict['NAME']}")
    return psycopg.connect(
        urlunsplit(here), autocommit=True, options="-c session_replication_role=replica"
    )


def wipe(admin_url: str) -> None:
    """As after the first start: tables are empty but for texts and styles, and so are buckets.

    Tables hold a few rows each, and making sixty of them and their indexes anew would cost more.
    """
    kept = ("consentdocument", "style", "migrations", "content_type", "auth_permission")
    tables = [n for n in connection.introspection.table_names() if not n.endswith(kept)]
    gone = sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(n)) for n in tables)
    with superuser(admin_url) as admin:
        admin.execute(gone)
    _empty_buckets()


def give_grants(admin_url: str) -> None:
    """This process may act as each role's login, with the rights that the role has."""
    with superuser(admin_url) as admin:
        for role in grants.TABLES:
            admin.execute(f"GRANT sitter_{role} TO sitter_migrator".encode())
    assert grants.apply() == []


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Inside, tables are used with the rights of a role's login."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE sitter_{role}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def _empty_buckets() -> None:
    client = s3_client()
    there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    for bucket in ALONE_BUCKETS:
        if bucket not in there:
            client.create_bucket(Bucket=bucket)
        for item in client.list_objects_v2(Bucket=bucket).get("Contents", []):
            client.delete_object(Bucket=bucket, Key=item["Key"])


def _buckets(kept: dict[str, Any]) -> dict[str, Any]:
    ours = dict(zip(("sealed", "ledger"), ALONE_BUCKETS, strict=True))
    return kept | {
        alias: kept[alias] | {"OPTIONS": {**kept[alias]["OPTIONS"], "bucket_name": one}}
        for alias, one in ours.items()
    }


def work_on(database: str) -> None:
    """Every connection of this process from now on is to this database."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict["NAME"] = database
