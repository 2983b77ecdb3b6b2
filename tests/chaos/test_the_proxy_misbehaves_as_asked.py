"""What the storms stand on: the proxy passes, resets, refuses, waits, and answers for S3."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that says what it hears."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve(line: socket.socket) -> None:
        with line:
            try:
                while data := line.recv(1000):
                    line.sendall(data)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[line], daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield door.getsockname()
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    thread.join()


def dial(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def test_it_passes_what_it_is_given(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy, dial(proxy) as line:
        line.sendall(b"hello")
        assert line.recv(10) == b"hello"


def test_it_cuts_with_a_reset_and_lets_the_next_one_in(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy:
        with dial(proxy) as line:
            line.sendall(b"hello")
            assert line.recv(10) == b"hello"
            assert proxy.cut() == 1
            with pytest.raises(ConnectionResetError):
                line.recv(10)
        assert proxy.cut() == 0
        with dial(proxy) as line:
            line.sendall(b"again")
            assert line.recv(10) == b"again"


def hears_nothing(proxy: Proxy) -> bool:
    """Whether a line is reset, while it is made or behind that."""
    try:
        with dial(proxy) as line:
            line.recv(10)
    except ConnectionResetError:
        return True
    return False


def test_while_it_is_down_everybody_is_reset(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy:
        with proxy.down():
            assert hears_nothing(proxy)
        assert proxy.refused == 1


def test_it_waits_as_long_as_it_is_told(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy, dial(proxy) as line, proxy.slow(0.3):
        began = time.monotonic()
        line.sendall(b"hello")
        assert line.recv(10) == b"hello"
        assert time.monotonic() - began >= 0.3


def test_it_answers_for_the_bucket_with_errors() -> None:
    bucket = os.environ["SITTER_S3_BUCKET"]
    with Proxy.to(os.environ["SITTER_S3_ENDPOINT_URL"]) as proxy:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{proxy.port}",
            aws_access_key_id=os.environ["SITTER_S3_ACCESS_KEY"],
            aws_secret_access_key=os.environ["SITTER_S3_SECRET_KEY"],
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )
        client.put_object(Bucket=bucket, Key="proxied", Body=b"x" * 300_000)
        with proxy.faulty(1.0, b"PUT"):
            with pytest.raises(ClientError, match="InternalError"):
                client.put_object(Bucket=bucket, Key="never", Body=b"x")
            with client.get_object(Bucket=bucket, Key="proxied")["Body"] as body:
                assert len(body.read()) == 300_000
        with proxy.down(), pytest.raises(BotoCoreError):
            client.head_bucket(Bucket=bucket)
        client.delete_object(Bucket=bucket, Key="proxied")
        with pytest.raises(ClientError):
            client.head_object(Bucket=bucket, Key="never")
    assert (proxy.failed, proxy.passed >= 4) == (1, True)
