"""The logins of PostgreSQL against deploy/grants.py: no right too many, none too few."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import connection

from deploy import grants
from deploy.doctor.findings import Finding, error, named
from privacy.proofchecks import NO_LOGIN

OWNER: Final = "sitter_migrator"
VERBS: Final = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]

_TABLES: Final = r"""
    SELECT r.rolname, c.relname, verb
    FROM pg_roles r, pg_class c, unnest(%s::text[]) AS verb
    WHERE r.rolname LIKE 'sitter\_%%' AND r.rolname <> %s AND NOT r.rolsuper
        AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND has_table_privilege(r.oid, c.oid, verb)
"""
_COLUMNS: Final = r"""
    SELECT coalesce(r.rolname, 'PUBLIC'), c.relname || '.' || a.attname, x.privilege_type
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace
    CROSS JOIN LATERAL aclexplode(a.attacl) AS x
    LEFT JOIN pg_roles r ON r.oid = x.grantee
    WHERE a.attnum > 0 AND NOT a.attisdropped AND coalesce(r.rolname, 'PUBLIC') <> %s
"""
# Functions that do what their maker may, whoever calls them.
_FUNCTIONS: Final = r"""
    SELECT r.rolname, p.proname::text, 'EXECUTE'
    FROM pg_roles r, pg_proc p
    WHERE r.rolname LIKE 'sitter\_%%' AND r.rolname <> %s AND NOT r.rolsuper
        AND p.pronamespace = 'public'::regnamespace AND p.prosecdef
        AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
"""
_POWERS: Final = r"""
    SELECT rolname FROM pg_roles
    WHERE rolname LIKE 'sitter\_%'
        AND (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls)
"""


class Right(NamedTuple):
    """One login, one table or column, one verb."""

    login: str
    what: str
    verb: str


def look(now: datetime) -> Iterator[Finding]:
    """Every login as the server has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        ours = str(cursor.fetchone()[0])
        cursor.execute(r"SELECT rolname FROM pg_roles WHERE rolname LIKE 'sitter\_%'")
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute(_POWERS)
        mighty = {name for (name,) in cursor.fetchall()}
        cursor.execute(_TABLES, [VERBS, OWNER])
        found = {Right(*row) for row in cursor.fetchall()}
        for asked in (_COLUMNS, _FUNCTIONS):
            cursor.execute(asked, [OWNER])
            found |= {Right(*row) for row in cursor.fetchall()}
    yield from _identities(ours, there, mighty)
    yield from _rights(found, {right for right in _granted() if right.login in there})


def _identities(ours: str, there: set[str], mighty: set[str]) -> Iterator[Finding]:
    if ours != f"sitter_{settings.ROLE}":
        yield error(
            "logins.own",
            f"This process is the {settings.ROLE} and works as another login of PostgreSQL.",
            "Give it SITTER_DATABASE_URL with the login of its role.",
        )
    if mighty:
        yield error(
            "logins.mighty",
            f"{named(mighty)} may do more than any role needs (superuser, roles, replication).",
            "ALTER ROLE … NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS.",
        )
    if missing := {f"sitter_{role}" for role in grants.TABLES} - there:
        yield error(
            "logins.missing",
            f"There is no login {named(missing)}.",
            "Make it, then run `manage.py grants` as the migrator.",
        )
    if extra := {f"sitter_{role}" for role in NO_LOGIN} & there:
        yield error("logins.extra", f"{named(extra)} needs no login and has one.", "Drop it.")


def _rights(found: set[Right], granted: set[Right]) -> Iterator[Finding]:
    for name, rights, wrong in (
        ("logins.more", found - granted, "may do more than its role"),
        ("logins.less", granted - found, "may not do what its role needs"),
    ):
        by_login = defaultdict(set)
        for right in rights:
            by_login[right.login].add(f"{right.verb} {right.what}")
        for login, listed in sorted(by_login.items()):
            yield error(
                name,
                f"{login} {wrong}: {named(listed)}.",
                "Run `manage.py grants` as the migrator; find out who changed it.",
            )


def _granted() -> Iterator[Right]:
    """deploy/grants.py, as the server names it."""
    for role, tables in grants.TABLES.items():
        for label, letters in tables.items():
            for letter in letters:
                yield Right(f"sitter_{role}", _table(label), grants.VERBS[letter])
        for label in grants.DELETE_ONLY.get(role, ()):
            yield Right(f"sitter_{role}", _table(label), "DELETE")
        for signature in grants.FUNCTIONS.get(role, ()):
            yield Right(f"sitter_{role}", signature.partition("(")[0], "EXECUTE")
        for label, rights in grants.COLUMNS.get(role, ()):
            for verb, columns in rights.items():
                for column in columns:
                    yield Right(f"sitter_{role}", f"{_table(label)}.{column}", verb)


def _table(label: str) -> str:
    return str(apps.get_model(label)._meta.db_table)
