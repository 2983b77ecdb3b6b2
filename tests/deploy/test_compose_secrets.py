"""What make_secrets.py makes: logins that work on real servers, one folder a service."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from kombu import Connection

from deploy.doctor import broker as broker_look
from deploy.stack import valkey as stack_valkey
from deploy.stack.supervisor import Stack
from tests.deploy.doctoring import broker
from tests.deploy.test_compose import DOCKER, filled


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "secrets"
    make = [sys.executable, str(DOCKER / "make_secrets.py"), str(folder)]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    again = subprocess.run(make, capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    return folder


def test_secrets_are_for_one_service_each_and_no_two_alike(made: Path) -> None:
    mounted = {
        volume.split(":")[0].removeprefix("./secrets/").partition("/")[0]
        for one in filled()["services"].values()
        for volume in one.get("volumes", [])
        if volume.startswith("./secrets/")
    }
    # The certificate of content credentials is the operator's own.
    assert mounted - {"c2pa"} == {folder.name for folder in made.iterdir()}
    for file in made.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file.name
    texts = [file.read_text() for file in made.rglob("sitter_*")]
    assert len(set(texts)) == len(texts)


def test_every_login_of_the_broker_works_and_none_may_empty_it(made: Path, tmp_path: Path) -> None:
    """On a real Valkey, started with the compose file's own options."""
    command = filled()["services"]["valkey"]["command"][1:]
    options = [
        str(made / "valkey" / "users.acl") if one.endswith("users.acl") else one for one in command
    ]
    with broker(tmp_path, *options) as url:
        address = url.removeprefix("redis://")
        with pytest.raises(redis.AuthenticationError):
            stack_valkey.ask(url)
        logins = [file.read_text() for file in sorted(made.rglob("sitter_broker_url"))]
        assert len(logins) == 8
        for login in logins:
            ours = f"{login.rpartition('@')[0]}@{address}"
            with Connection(ours, transport_options={"socket_timeout": 5}) as connection:
                queue = connection.SimpleQueue("gpu")
                queue.put({"id": "1"})
                assert queue.get(timeout=5).payload == {"id": "1"}
                queue.close()
            with redis.Redis.from_url(ours) as client:
                told = {**client.info("persistence"), **client.info("memory")}
                assert list(broker_look.judge(told)) == []
                for forbidden in ("FLUSHALL", "CONFIG GET *", "ACL LIST", "SHUTDOWN", "KEYS *"):
                    with pytest.raises(redis.exceptions.NoPermissionError):
                        client.execute_command(*forbidden.split())


def test_the_logins_of_postgresql_are_made_and_closed_to_others(made: Path, stack: Stack) -> None:
    """The file's own statements, under other names, on the tests' server."""
    text = (made / "postgres" / "logins.sql").read_text().replace("sitter", "elsewhere")
    before, after = text.split("\\connect elsewhere\n")
    # The tests' own server has closed these already, and lets its migrator in.
    before = before.replace(", postgres, template1", "")
    admin_url = stack.admin_database_url
    try:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            for statement in filter(None, map(str.strip, before.split(";"))):
                admin.execute(statement.encode())
        inside = admin_url.rpartition("/")[0] + "/elsewhere"
        with psycopg.connect(inside, autocommit=True) as admin:
            admin.execute(after.encode())
        host = admin_url.rpartition("@")[2].partition("/")[0]
        for file in sorted(made.rglob("sitter_database_url")):
            login = file.read_text().removeprefix("postgresql://").partition("@")[0]
            theirs = f"postgresql://{login.replace('sitter', 'elsewhere')}@{host}/elsewhere"
            with psycopg.connect(theirs) as connection, pytest.raises(psycopg.Error):
                connection.execute(
                    "CREATE TABLE t ()" if "migrator" not in login else "DROP ROLE postgres"
                )
    finally:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS elsewhere")
            for (name,) in admin.execute(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE 'elsewhere%'"
            ):
                admin.execute(f"DROP ROLE {name}".encode())
