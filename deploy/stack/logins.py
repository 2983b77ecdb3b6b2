"""The database and its logins: one per role, each with a password of its own and no grant yet.

Tables are granted later by `manage.py grants`, as the migrator. A login may connect to `sitter`
and to nothing else; PUBLIC may do nothing. It works with any administrator's URL, so a managed
PostgreSQL is set up the same way.
"""

from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.env import Role
from deploy.stack.credentials import Credentials

DATABASE = "sitter"
LOGINS = (
    *(Role.MIGRATOR, Role.WEB, Role.INTAKE, Role.GPU, Role.UPKEEP, Role.KEEPER),
    Role.COURIER,
)


def login(role: Role) -> str:
    return f"sitter_{role}"


def url(admin_url: str, role: Role, credentials: Credentials) -> str:
    """The administrator's address with the role's own login and the database of ours."""
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    netloc = f"{login(role)}:{quote(credentials[role], safe='')}@{address}"
    return urlunsplit((parts.scheme, netloc, f"/{DATABASE}", parts.query, ""))


def provision(admin_url: str, credentials: Credentials, *, tests: bool) -> None:
    """Make what is missing; run at every start, so that it also repairs."""
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=5) as admin:
        _make_logins(admin, credentials, tests=tests)
        _make_database(admin, tests=tests)
    parts = urlsplit(admin_url)
    inside = urlunsplit(parts._replace(path=f"/{DATABASE}"))
    with psycopg.connect(inside, autocommit=True, connect_timeout=5) as admin:
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def _make_logins(
    admin: psycopg.Connection[tuple[object, ...]], credentials: Credentials, *, tests: bool
) -> None:
    known = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles")}
    for role in LOGINS:
        name = sql.Identifier(login(role))
        if login(role) not in known:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        # The server is sent the verifier, never the password itself.
        verifier = admin.pgconn.encrypt_password(
            credentials[role].encode(), login(role).encode(), b"scram-sha-256"
        )
        admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, verifier.decode()))
    # pytest-django makes a database for its tests; nothing else may.
    admin.execute(
        sql.SQL("ALTER ROLE {} {}").format(
            sql.Identifier(login(Role.MIGRATOR)),
            sql.SQL("CREATEDB" if tests else "NOCREATEDB"),
        )
    )


def _make_database(admin: psycopg.Connection[tuple[object, ...]], *, tests: bool) -> None:
    database, migrator = sql.Identifier(DATABASE), sql.Identifier(login(Role.MIGRATOR))
    known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    superuser = admin.execute(
        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if superuser == (False,):
        # A managed administrator may give a database only to a role that it belongs to.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(migrator))
    if not known:
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, migrator))
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for role in LOGINS:
        admin.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                database, sql.Identifier(login(role))
            )
        )
    # The maintenance database is closed too; a managed one may belong to its operator.
    if superuser == (True,):
        admin.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
        verb = (
            "GRANT CONNECT ON DATABASE postgres TO"
            if tests
            else ("REVOKE CONNECT ON DATABASE postgres FROM")
        )
        admin.execute(sql.SQL("{} {}").format(sql.SQL(verb), migrator))
