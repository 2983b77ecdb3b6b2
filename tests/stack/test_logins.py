"""Each role has a login of its own, and none of them reaches what it was not granted."""

import psycopg
import pytest
from psycopg import errors

from deploy.env import Role
from deploy.stack import logins
from deploy.stack.logins import LOGINS
from deploy.stack.supervisor import Stack

WORKING = [role for role in LOGINS if role is not Role.MIGRATOR]


Connection = psycopg.Connection[tuple[object, ...]]


def database(stack: Stack, role: Role, name: str = "sitter") -> Connection:
    url = stack.env(role)["SITTER_DATABASE_URL"]
    return psycopg.connect(url.rpartition("/")[0] + f"/{name}", autocommit=True)


@pytest.fixture(scope="module", autouse=True)
def tables(services: Stack) -> None:
    with database(services, Role.MIGRATOR) as connection:
        connection.execute("DROP TABLE IF EXISTS public.person")
        connection.execute("CREATE TABLE public.person (face text)")
        connection.execute("INSERT INTO public.person VALUES ('sealed')")
        connection.execute("CREATE SCHEMA IF NOT EXISTS another")
        connection.execute("CREATE TABLE IF NOT EXISTS another.person (face text)")


@pytest.mark.parametrize("role", WORKING)
def test_a_login_reads_nothing_before_it_is_granted(services: Stack, role: Role) -> None:
    with database(services, role) as connection:
        for table in ("public.person", "another.person", "pg_catalog.pg_authid"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"TABLE {table}")


@pytest.mark.parametrize("role", WORKING)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET ROLE sitter_migrator",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_a_login_makes_nothing(services: Stack, role: Role, statement: str) -> None:
    with database(services, role) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize("other", ["postgres", "template1"])
def test_a_login_enters_no_other_database(services: Stack, role: Role, other: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        database(services, role, other)


@pytest.mark.parametrize("role", LOGINS)
def test_a_login_needs_its_own_password(services: Stack, role: Role) -> None:
    url = services.env(role)["SITTER_DATABASE_URL"]
    other = Role.KEEPER if role is Role.WEB else Role.WEB
    wrong = url.replace(services.credentials[role], services.credentials[other])
    for attempt in (wrong, url.replace(f":{services.credentials[role]}", "")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(attempt)


def test_the_migrator_owns_the_database_and_is_no_superuser(services: Stack) -> None:
    with database(services, Role.MIGRATOR) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, False)
        connection.execute("GRANT USAGE ON SCHEMA public TO sitter_web")
        connection.execute("GRANT SELECT ON public.person TO sitter_web")
    with database(services, Role.WEB) as connection:
        assert connection.execute("SELECT face FROM person").fetchone() == ("sealed",)
    with database(services, Role.MIGRATOR) as connection:
        connection.execute("REVOKE SELECT ON public.person FROM sitter_web")
        connection.execute("REVOKE USAGE ON SCHEMA public FROM sitter_web")


def test_the_log_of_the_database_quotes_no_value(services: Stack) -> None:
    with database(services, Role.MIGRATOR) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS one (mail text PRIMARY KEY)")
        connection.execute("INSERT INTO one VALUES ('ada@example.org') ON CONFLICT DO NOTHING")
        with pytest.raises(errors.UniqueViolation):
            connection.execute("INSERT INTO one VALUES (%s)", ["ada@example.org"])
    log = services.logs("postgres").read_text("utf-8")
    assert "duplicate key" in log
    assert "ada@example.org" not in log
    assert "INSERT" not in log


def test_only_a_stack_for_tests_lets_the_migrator_make_databases(services: Stack) -> None:
    admin = services.admin_database_url
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        database(services, Role.MIGRATOR, "postgres")
    logins.provision(admin, services.credentials, tests=True)
    try:
        with database(services, Role.MIGRATOR, "postgres") as connection:
            connection.execute("CREATE DATABASE test_sitter")
        with database(services, Role.MIGRATOR, "test_sitter") as connection:
            connection.execute("CREATE TABLE granted (x int)")
            connection.execute("GRANT SELECT ON granted TO sitter_web")
            connection.execute("GRANT USAGE ON SCHEMA public TO sitter_web")
        with database(services, Role.WEB, "test_sitter") as connection:
            assert connection.execute("SELECT count(*) FROM granted").fetchone() == (0,)
        with database(services, Role.MIGRATOR, "postgres") as connection:
            connection.execute("DROP DATABASE test_sitter")
    finally:
        logins.provision(admin, services.credentials, tests=False)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        database(services, Role.MIGRATOR, "postgres")
