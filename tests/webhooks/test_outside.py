"""The door to the outside: where it does not go, and when it gives up."""

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.webhooks.authority import issue
from tests.webhooks.receiver import Receiver, rude, serving
from workers import outside

PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e")
INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
    *("169.254.169.254", "100.100.100.200", "100.64.0.1", "168.63.129.16", "192.0.0.192"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    # Others that carry an IPv4 address in them: mapped, compatible, NAT64 twice, 6to4, Teredo.
    *("::ffff:127.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "3fff::1"),
)


def local(port: int, scheme: str = "http") -> outside.Target:
    url = f"{scheme}://127.0.0.1:{port}/sitter?a=b"
    return outside.target(url, insecure=True, private=True)


def refused(to: outside.Target, **options: Any) -> tuple[str, float]:
    """(the code, how long it took)."""
    began = time.monotonic()
    with pytest.raises(outside.NotReached) as caught:
        outside.post(to, {}, b"{}", **options)
    return caught.value.code, time.monotonic() - began


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert outside.is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_any_other_address_is_not(address: str) -> None:
    assert not outside.is_public(address)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://push.example.org/", "https://"),
        ("ftp://push.example.org/", "https://"),
        ("push.example.org", "https://"),
        ("https:///sitter", "no host"),
        ("https://user:secret@push.example.org/", "no user"),
        ("https://push.example.org/#there", "no fragment"),
        ("https://push.example.org:99999/", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://push.example.org/a b", "ASCII"),
        ("https://push.example.org/\r\nHost: else", "ASCII"),
        ("https://müller.example/", "ASCII"),
        ("https://push.example.org/" + "a" * 2000, "2000"),
    ],
)
def test_a_bad_url_says_what_is_the_matter(url: str, says: str) -> None:
    with pytest.raises(outside.BadUrl, match=says):
        outside.target(url)


def test_a_good_url_is_taken_apart() -> None:
    to = outside.target("https://push.example.org/sitter?a=b")
    assert (to.host, to.port, to.path) == ("push.example.org", 443, "/sitter?a=b")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_nothing_of_this_machine_is_reached_however_it_is_written(host: str) -> None:
    receiver = Receiver()
    with serving(receiver):
        to = outside.target(f"http://{host}:{receiver.port}/", insecure=True)
        assert refused(to)[0] == "private_address"
    assert receiver.letters == []


def test_a_name_with_one_private_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("93.184.216.34", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert refused(outside.target("https://push.example.org/"))[0] == "private_address"


def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that says something else the second time is not asked a second time."""
    receiver, asked = Receiver(), []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]

    with serving(receiver):
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        to = outside.target("http://push.example.org/", insecure=True, private=True)
        assert outside.post(to, {}, b"{}").status == 204
    assert asked == ["push.example.org"]
    assert receiver.letters[0][0]["host"] == "push.example.org"


def test_a_name_that_nobody_knows_is_said() -> None:
    assert refused(outside.target("https://no-such-host.invalid/"))[0] == "unknown_host"


def test_a_name_server_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(8))
    monkeypatch.setattr(outside, "CONNECT_SECONDS", 0.3)
    code, seconds = refused(outside.target("https://push.example.org/"))
    assert code == "timed_out"
    assert seconds < 2


def test_a_closed_port_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code, seconds = refused(local(port))
    assert code == "unreachable"
    assert seconds < 2


def test_a_target_that_never_answers_is_given_up_in_time() -> None:
    with rude(each=60, says=b"x") as port:
        code, seconds = refused(local(port), seconds=0.5)
    assert code == "timed_out"
    assert seconds < 2


def test_a_target_that_drips_is_given_up_in_time() -> None:
    """Each byte comes well within any pause that a socket would wait for."""
    with rude(says=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400, each=0.05) as port:
        code, seconds = refused(local(port), seconds=1.0)
    assert code == "timed_out"
    assert 0.9 < seconds < 3


def test_a_tls_handshake_that_hangs_is_given_up_in_time() -> None:
    with rude(each=60, says=b"x") as port:
        code, seconds = refused(local(port, "https"), seconds=0.5)
    assert code == "timed_out"
    assert seconds < 2


def test_a_huge_answer_is_not_read() -> None:
    says = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 20_000_000
    with rude(says=says) as port:
        began = time.monotonic()
        assert outside.post(local(port), {}, b"{}").status == 200
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "says",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 40_000],
)
def test_what_is_no_http_is_said(says: bytes) -> None:
    with rude(says=says) as port:
        assert refused(local(port), seconds=5)[0] == "not_http"


def test_a_connection_that_closes_without_a_word_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        assert refused(local(server.getsockname()[1]))[0] == "not_http"


def test_a_redirect_is_an_answer_like_any_other() -> None:
    elsewhere = Receiver()
    with serving(elsewhere):
        receiver = Receiver(status=307, headers={"Location": elsewhere.url})
        with serving(receiver):
            assert outside.post(local(receiver.port), {}, b"{}").status == 307
    assert elsewhere.letters == []


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, receiver = Receiver(), Receiver()
    with serving(proxy), serving(receiver):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert outside.post(local(receiver.port), {}, b"{}").status == 204
    assert proxy.letters == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), (" 7 ", 7), ("soon", None), ("-5", None), ("", None), ("9" * 30, 999_999_999)],
)
def test_retry_after_is_read_with_care(said: str, seconds: float | None) -> None:
    receiver = Receiver(status=429, headers={"Retry-After": said})
    with serving(receiver):
        assert outside.post(local(receiver.port), {}, b"{}").retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    receiver = Receiver(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    with serving(receiver):
        assert outside.post(local(receiver.port), {}, b"{}").retry_after == 0
        receiver.headers["Retry-After"] = "Fri, 31 Dec 2100 23:59:59 GMT"
        assert (outside.post(local(receiver.port), {}, b"{}").retry_after or 0) > 3600


def test_a_certificate_of_a_known_authority_is_accepted(tmp_path: Path) -> None:
    authority, certificate = issue(tmp_path)
    receiver = Receiver()
    with serving(receiver, certificate=certificate):
        context = ssl.create_default_context(cafile=str(authority))
        assert outside.post(local(receiver.port, "https"), {}, b"{}", context=context).status == 204
    assert receiver.letters[0][1] == b"{}"


def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    _, certificate = issue(tmp_path)
    receiver = Receiver()
    with serving(receiver, certificate=certificate):
        assert refused(local(receiver.port, "https"))[0] == "tls_failed"
    assert receiver.letters == []


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    authority, certificate = issue(tmp_path, address="10.9.8.7")
    context = ssl.create_default_context(cafile=str(authority))
    receiver = Receiver()
    with serving(receiver, certificate=certificate):
        assert refused(local(receiver.port, "https"), context=context)[0] == "tls_failed"
    assert receiver.letters == []
