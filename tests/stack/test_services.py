"""The three services are real, start again on their data, and answer nobody without a password."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import psycopg
import pytest
import redis
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from deploy.env import Role
from deploy.stack.ports import DEFAULTS, Ports
from deploy.stack.seaweed import BUCKET, KINDS, LEDGER, REGION, connect
from deploy.stack.supervisor import Stack


def database(stack: Stack, role: Role) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(stack.env(role)["SITTER_DATABASE_URL"], autocommit=True)


def test_the_services_answer(services: Stack) -> None:
    env = services.env(Role.WEB)
    with database(services, Role.MIGRATOR) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
        assert row
        assert int(str(row[0])) >= 180000
    with redis.Redis.from_url(env["SITTER_BROKER_URL"]) as broker:
        assert broker.ping()
    s3 = connect(
        env["SITTER_S3_ENDPOINT_URL"], env["SITTER_S3_ACCESS_KEY"], env["SITTER_S3_SECRET_KEY"]
    )
    s3.put_object(Bucket=BUCKET, Key="body", Body=b"sealed")
    assert s3.get_object(Bucket=BUCKET, Key="body")["Body"].read() == b"sealed"
    s3.delete_object(Bucket=BUCKET, Key="body")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", roles=(), preferred_ports=False) as first:
        with database(first, Role.MIGRATOR) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('still here')")
        with redis.Redis.from_url(first.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
            broker.lpush("queue", "nudge")
        s3 = first.env(Role.WEB)["SITTER_S3_ENDPOINT_URL"]
        keys = (first.credentials["s3_access_key"], first.credentials["s3_secret_key"])
        connect(s3, *keys).put_object(Bucket=BUCKET, Key="body", Body=b"sealed")
        ports = {name: first.ports[name] for name in DEFAULTS}
    with Stack(tmp_path / "data", roles=(), preferred_ports=False) as second:
        assert {name: second.ports[name] for name in DEFAULTS} == ports
        with database(second, Role.MIGRATOR) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("still here",)]
        with redis.Redis.from_url(second.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
            assert broker.lrange("queue", 0, -1) == [b"nudge"]
        body = connect(s3, *keys).get_object(Bucket=BUCKET, Key="body")["Body"]
        assert body.read() == b"sealed"


def test_a_service_that_dies_comes_back(services: Stack) -> None:
    before = services.pid("valkey")
    services.kill_service("valkey")
    services.wait_ready(20)
    assert services.pid("valkey") != before
    with redis.Redis.from_url(services.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
        assert broker.ping()


def test_an_occupied_port_is_left_to_its_owner(tmp_path: Path) -> None:
    usual = Ports(tmp_path / "a.json", preferred=True)
    with socket.create_server(("127.0.0.1", usual["postgres"])):
        assert Ports(tmp_path / "b.json", preferred=True)["postgres"] != usual["postgres"]
        again = Ports(tmp_path / "a.json", preferred=True)
        assert again["postgres"] != usual["postgres"]
        assert again["valkey"] == usual["valkey"]


def test_a_port_whose_grpc_twin_is_occupied_is_not_taken(tmp_path: Path) -> None:
    usual = Ports(tmp_path / "a.json", preferred=True)["s3"]
    with socket.create_server(("127.0.0.1", usual + 10_000)):
        assert Ports(tmp_path / "a.json", preferred=True)["s3"] != usual


def test_no_two_servers_share_a_port(tmp_path: Path) -> None:
    for preferred in (True, False):
        ports = Ports(tmp_path / f"{preferred}.json", preferred=preferred)
        assert len({ports[name] for name in DEFAULTS}) == len(DEFAULTS)


def test_every_server_listens_on_this_machine_alone(services: Stack) -> None:
    names = ("postgres", "valkey", "s3", *KINDS.values())
    ours = {f"{services.ports[name]:04X}" for name in names}
    listening = [
        line.split()[1].split(":")
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text("utf-8").splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    found = {port: address for address, port in listening if port in ours}
    assert set(found) == ours
    assert set(found.values()) == {"0100007F"}


def test_the_broker_refuses_a_client_without_the_password(services: Stack) -> None:
    port = services.ports["valkey"]
    for url in (f"redis://127.0.0.1:{port}/0", f"redis://sitter:guess@127.0.0.1:{port}/0"):
        with redis.Redis.from_url(url) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_the_broker_never_evicts_and_keeps_what_it_was_told(services: Stack) -> None:
    with redis.Redis.from_url(services.env(Role.WEB)["SITTER_BROKER_URL"]) as broker:
        info = broker.info()
        assert info["maxmemory_policy"] == "noeviction"
        assert info["aof_enabled"] == 1
        with pytest.raises(redis.exceptions.NoPermissionError):
            broker.config_get("*")


def test_s3_refuses_the_anonymous_and_the_wrong_key(services: Stack) -> None:
    endpoint = services.urls.s3
    nobody = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.list_objects_v2(Bucket=BUCKET)
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.put_object(Bucket=BUCKET, Key="x", Body=b"x")
    guess = connect(endpoint, "guess", "guess")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        guess.list_objects_v2(Bucket=BUCKET)


def test_s3_keys_reach_two_buckets_without_versions(services: Stack) -> None:
    keys = (services.credentials["s3_access_key"], services.credentials["s3_secret_key"])
    s3 = connect(services.urls.s3, *keys)
    for bucket in (BUCKET, LEDGER):
        assert s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.create_bucket(Bucket="another")


@pytest.mark.parametrize("kind", ["s3-filer", "s3-volume"])
def test_the_doors_behind_s3_are_shut_too(services: Stack, kind: str) -> None:
    keys = (services.credentials["s3_access_key"], services.credentials["s3_secret_key"])
    s3 = connect(services.urls.s3, *keys)
    s3.put_object(Bucket=BUCKET, Key="body", Body=b"sealed")
    path = f"buckets/{BUCKET}/body" if kind == "s3-filer" else "1,01"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{services.ports[kind]}/{path}", timeout=5)
    refused.value.close()
    assert refused.value.code == 401
